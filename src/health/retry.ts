// A check that is made again after a failure, each time after a longer pause.
import { calledOff } from './attempt.ts';
import type { CheckResult } from './check-result.ts';
import { pause } from './pause.ts';

export interface RetryTerms {
  /** How often at most it is made again after it has failed; 0: it is made once. */
  readonly retries: number;
  /** Before it is made again, ms; twice as long each further time. */
  readonly backoffMinMs: number;
  /** The longest pause, ms. */
  readonly backoffMaxMs: number;
}

export interface RetryOptions {
  readonly signal?: AbortSignal | undefined;
  /** A check has failed, and is made again after the pause. */
  readonly onRetry?: ((failure: RetryNotice) => void) | undefined;
}

export interface RetryNotice {
  /** Which one has failed: 1 is the first. */
  readonly attempt: number;
  readonly error: string;
  readonly delayMs: number;
}

/** The last result. */
export type RetriedResult = CheckResult & {
  /** How often it was checked. */
  readonly attempts: number;
};

/** Checks until it passes, is called off, or has been made again often enough. Never rejects unless a function throws. */
export async function checkWithRetry(
  check: () => Promise<CheckResult>,
  terms: RetryTerms,
  { signal, onRetry }: RetryOptions,
): Promise<RetriedResult> {
  for (let attempts = 1; ; attempts += 1) {
    const result = await check();
    if (result.healthy || attempts > terms.retries || isOver(signal)) {
      return { ...result, attempts };
    }
    const delayMs = backoffMs(attempts, terms, Math.random());
    onRetry?.({ attempt: attempts, error: result.error, delayMs });
    await pause(delayMs, signal);
    if (!isOver(signal)) continue;
    const { reason, error } = calledOff(signal?.reason);
    return { ...result, reason, error: `${error}; before that ${result.error}`, attempts };
  }
}

/**
 * Up to a quarter shorter by chance, so that those who failed together do not come back together.
 *
 * @param chance from 0 to 1
 */
export function backoffMs(attempt: number, terms: RetryTerms, chance: number): number {
  const doublings = Math.min(attempt - 1, 30);
  const longestMs = Math.min(terms.backoffMaxMs, terms.backoffMinMs * 2 ** doublings);
  return longestMs * (1 - chance / 4);
}

/** Asked anew: it may have changed while something was awaited. */
function isOver(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
