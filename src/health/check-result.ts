// What one check has found, and the words for what went wrong.
import { messageOf } from '../error-message.ts';

export type CheckResult = HealthyResult | UnhealthyResult;

export interface HealthyResult {
  readonly healthy: true;
  /** How long it took, ms. */
  readonly latencyMs: number;
}

export interface UnhealthyResult extends Fault {
  readonly healthy: false;
  /** How long it took, ms. */
  readonly latencyMs: number;
}

/** Why a check did not pass. */
export interface Fault {
  readonly reason: FaultReason;
  /** The same for people, without a full stop: `it answered 503`. */
  readonly error: string;
}

export type FaultReason =
  /** It answered over HTTP, with a status that is not 200 to 399. */
  | 'status'
  /** Nobody listens there. */
  | 'refused'
  /** No connection, or one that broke; a host that is not known. */
  | 'unreachable'
  /** No answer within the time for it. */
  | 'timed-out'
  /** The check was called off: that says nothing of what was checked. */
  | 'cancelled'
  /** The command ended with another exit code than 0. */
  | 'exit'
  /** The check itself could not be made, or has thrown. */
  | 'failed';

/** What the error of a socket says: some have no message of their own but one for each address that was tried. */
export function networkFault(error: unknown): Fault {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const isRefused = first instanceof Error && 'code' in first && first.code === 'ECONNREFUSED';
  return { reason: isRefused ? 'refused' : 'unreachable', error: messageOf(first) };
}
