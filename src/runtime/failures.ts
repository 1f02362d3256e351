// What a failure is called, whatever was thrown.
import type { RequestOutcome } from '../core/effect.ts';
import { FailoverError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';

export function codeOf(error: unknown): ErrorCode {
  return error instanceof FailoverError ? error.code : 'FAILOVER_UNEXPECTED';
}

/** @throws the error of a request that was not met. */
export function accepted(outcome: RequestOutcome): Extract<RequestOutcome, { readonly ok: true }> {
  if (outcome.ok) return outcome;
  throw new FailoverError(outcome.code, outcome.message);
}
