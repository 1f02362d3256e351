// What a failure is called and says, whatever was thrown.
import { FailoverError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';

export function codeOf(error: unknown): ErrorCode {
  return error instanceof FailoverError ? error.code : 'FAILOVER_UNEXPECTED';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
