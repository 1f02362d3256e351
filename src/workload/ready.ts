// Waits until a started workload answers: `--ready-when` by HTTP, by TCP or by a command.
import { performance } from 'node:perf_hooks';
import type { ReadyWhen } from '../config/ready-when.ts';
import { checkExec, checkHttp, checkTcp } from './ready-checks.ts';

/** A check that is asked again and again; a line of output is waited for by `LineMatcher`. */
export type PolledCheck = Exclude<ReadyWhen, { kind: 'log' }>;

export interface ReadyOptions {
  /** Ends the waiting; the timeout is the caller's. */
  readonly signal: AbortSignal;
  /** For a command: what is set on top of this process's own environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether commands are started under a death signal. */
  readonly deathSignal: boolean;
}

/** The longest that one attempt may take, ms. */
const ATTEMPT_TIMEOUT_MS = 1000;

const POLL_MIN_MS = 20;
const POLL_MAX_MS = 250;

/** Polls until the check passes (true) or the signal aborts (false). Never rejects. */
export async function waitUntilReady(check: PolledCheck, options: ReadyOptions): Promise<boolean> {
  let pollMs = POLL_MIN_MS;
  while (!options.signal.aborted) {
    const startedMs = performance.now();
    if (await attempt(check, options).catch(() => false)) return !isAborted(options.signal);
    await pause(pollMs - (performance.now() - startedMs), options.signal);
    pollMs = Math.min(pollMs * 1.5, POLL_MAX_MS);
  }
  return false;
}

/** One attempt with a limit of its own; what it opened is closed when it resolves. */
async function attempt(check: PolledCheck, options: ReadyOptions): Promise<boolean> {
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)]);
  switch (check.kind) {
    case 'http':
      return checkHttp(check.url, signal);
    case 'tcp':
      return checkTcp(check, signal);
    case 'exec':
      return checkExec(check.command, { ...options, signal });
  }
}

/** Asked anew: it may have changed while the attempt was awaited. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.max(0, delayMs));
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
