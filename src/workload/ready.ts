// Waits until a started workload answers: `--ready-when` by HTTP, by TCP or by a command.
import { performance } from 'node:perf_hooks';
import type { PolledCheck } from '../config/polled-check.ts';
import { attemptCheck } from '../health/attempt.ts';
import type { CommandSurroundings } from '../health/command-check.ts';
import { pause } from '../health/pause.ts';

export interface ReadyOptions extends CommandSurroundings {
  /** Ends the waiting; the timeout is the caller's. */
  readonly signal: AbortSignal;
}

/** The longest that one attempt may take, ms. */
const ATTEMPT_TIMEOUT_MS = 1000;

const POLL_MIN_MS = 20;
const POLL_MAX_MS = 250;

/**
 * Polls until the check passes (true) or the signal aborts (false). Never rejects. A line of output is waited for by
 * `LineMatcher`.
 */
export async function waitUntilReady(check: PolledCheck, options: ReadyOptions): Promise<boolean> {
  let pollMs = POLL_MIN_MS;
  while (!options.signal.aborted) {
    const startedMs = performance.now();
    const { healthy } = await attemptCheck(check, { ...options, timeoutMs: ATTEMPT_TIMEOUT_MS });
    if (healthy) return true;
    await pause(pollMs - (performance.now() - startedMs), options.signal);
    pollMs = Math.min(pollMs * 1.5, POLL_MAX_MS);
  }
  return false;
}
