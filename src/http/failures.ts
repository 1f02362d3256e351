// What an error is over HTTP: a status, and a body that says the same as the command would.
import { messageOf } from '../error-message.ts';
import { FailoverError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';

export type FailureStatus = 400 | 404 | 409 | 500 | 502 | 503 | 504;

/** The body of every answer that is no success. */
export interface FailureBody {
  readonly v: 1;
  readonly ok: false;
  /** One sentence: what could not be done, and the fact. */
  readonly error: string;
  /** That of the table of errors; null: it is one of HTTP. */
  readonly code: ErrorCode | null;
  /** What to do about it; null: it goes without saying. */
  readonly hint: string | null;
}

export function failureBody(error: string, hint: string | null = null): FailureBody {
  return { v: 1, ok: false, error, code: null, hint };
}

export function failureOf(error: unknown): {
  readonly status: FailureStatus;
  readonly body: FailureBody;
} {
  if (!(error instanceof FailoverError)) {
    return {
      status: 503,
      body: failureBody(messageOf(error)),
    };
  }
  const { message, code, hint } = error;
  return { status: STATUSES[code] ?? 500, body: { v: 1, ok: false, error: message, code, hint } };
}

/** Those that a request can come to; the others are faults of this machine. */
const STATUSES: Partial<Readonly<Record<ErrorCode, FailureStatus>>> = {
  FAILOVER_BAD_OPTION: 400,
  FAILOVER_BAD_NODE_ID: 400,
  FAILOVER_BAD_GROUP: 404,
  FAILOVER_NO_NODE: 404,
  FAILOVER_REFUSED: 409,
  FAILOVER_LEASE_HELD: 409,
  FAILOVER_PROMOTION_FAILED: 502,
  FAILOVER_NODE_UNREACHABLE: 502,
  FAILOVER_WIRE_INVALID: 502,
  FAILOVER_NO_PRIMARY: 503,
  FAILOVER_STORE_UNREACHABLE: 503,
  FAILOVER_OUT_OF_DESCRIPTORS: 503,
  FAILOVER_TIMED_OUT: 504,
};
