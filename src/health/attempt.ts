// One check under a time limit and the signal of whoever asked: whatever comes of it is a result.
import { performance } from 'node:perf_hooks';
import type { NetworkCheck, PolledCheck } from '../config/polled-check.ts';
import { formatDuration } from '../core/duration-text.ts';
import { messageOf } from '../error-message.ts';
import type { CheckResult, Fault } from './check-result.ts';
import { checkCommand } from './command-check.ts';
import type { CommandSurroundings } from './command-check.ts';
import { checkHttp } from './http-check.ts';
import { checkTcp } from './tcp-check.ts';

export interface AttemptLimits {
  /** How long it may take, ms. */
  readonly timeoutMs: number;
  /** Calls it off. Where its reason is that of a deadline, the attempt counts as too late. */
  readonly signal?: AbortSignal | undefined;
}

/** One attempt of a check. Never rejects; what it opened or started is closed or ended when it resolves. */
export function attemptCheck(
  check: PolledCheck,
  options: AttemptLimits & CommandSurroundings,
): Promise<CheckResult> {
  return attempt(options, (signal) =>
    check.kind === 'exec'
      ? checkCommand(check.command, { ...options, signal })
      : lookOverNetwork(check, signal),
  );
}

/** Null: it passes. */
export function lookOverNetwork(check: NetworkCheck, signal: AbortSignal): Promise<Fault | null> {
  return check.kind === 'http' ? checkHttp(check.url, signal) : checkTcp(check, signal);
}

/**
 * Judges what `look` finds; null: nothing is wrong. It is to end when its signal aborts, and is waited for.
 * Never rejects.
 */
export async function attempt(
  { timeoutMs, signal }: AttemptLimits,
  look: (signal: AbortSignal) => Promise<Fault | null>,
): Promise<CheckResult> {
  const startedMs = performance.now();
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort();
  };
  // An answer that has come while this process was busy is read before it counts as late.
  const timer = setTimeout(() => setImmediate(abort), timeoutMs);
  signal?.addEventListener('abort', abort);
  const found = isAborted(signal) ? null : await look(controller.signal).catch(faultOf);
  clearTimeout(timer);
  signal?.removeEventListener('abort', abort);
  const latencyMs = performance.now() - startedMs;
  const fault = isAborted(signal) ? calledOff(signal?.reason) : found;
  if (fault === null) return { healthy: true, latencyMs };
  if (!controller.signal.aborted || isAborted(signal))
    return { healthy: false, latencyMs, ...fault };
  const error = `it did not answer within ${formatDuration(timeoutMs)}`;
  return { healthy: false, latencyMs, reason: 'timed-out', error };
}

/** Asked anew: it may have changed while something was awaited. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function faultOf(error: unknown): Fault {
  return { reason: 'failed', error: messageOf(error) };
}

/** What is said of a check that its caller has ended: by a deadline, or otherwise. */
export function calledOff(reason: unknown): Fault {
  return reason instanceof Error && reason.name === 'TimeoutError'
    ? { reason: 'timed-out', error: 'its deadline has passed' }
    : CALLED_OFF;
}

/** Of a check that its caller has ended, or has not let begin. */
export const CALLED_OFF: Fault = { reason: 'cancelled', error: 'the check was cancelled' };
