// Whether a request that got no answer may be sent again. No clock, no I/O.

/** What is known of an attempt that has failed. */
export interface FailedAttempt {
  readonly method: string;
  /** It has an `Idempotency-Key`: the primary knows it again. */
  readonly hasKey: boolean;
  /** Whether anything of it was sent to the primary. */
  readonly wasSent: boolean;
  /** Whether its body, as far as it has come, can be sent from the beginning; true also where it has none. */
  readonly bodyIsWhole: boolean;
  /** Whether the client has got any of the answer. */
  readonly answerHasBegun: boolean;
  /** How often it was sent before. */
  readonly repeats: number;
}

/**
 * - `repeat`: it is sent again, as soon as there is a primary
 * - `unsafe`: it may have been done, and must not be done twice: the client is told so
 * - `cut`: the client has a part of the answer, and must see that it is not whole
 */
export type AfterFailure = 'repeat' | 'unsafe' | 'cut';

/** A request that kills each primary is not to go through all of them for ever. */
export const REPEAT_LIMIT = 10;

export function afterFailure(attempt: FailedAttempt): AfterFailure {
  if (attempt.answerHasBegun) return 'cut';
  // It does not count as sent again before it was sent: the time that it may be held is the limit.
  if (!attempt.wasSent) return attempt.bodyIsWhole ? 'repeat' : 'unsafe';
  const isSafe = isIdempotent(attempt.method) || attempt.hasKey;
  return isSafe && attempt.bodyIsWhole && attempt.repeats < REPEAT_LIMIT ? 'repeat' : 'unsafe';
}

/** RFC 9110, 9.2.2: done twice it is as if it were done once. */
function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

const IDEMPOTENT: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'PROPFIND', 'SEARCH'],
]);
