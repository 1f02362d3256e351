// What a user reads when a command could not do what it was asked, and what the process exits with.
import { FailoverError } from '../errors.ts';

/**
 * Prints `failover: message` and a hint on stderr, and sets the exit code. A stack trace is shown only
 * with FAILOVER_DEBUG set: it tells a user nothing.
 */
export function reportFailure(error: unknown): void {
  const failure = error instanceof FailoverError ? error : unexpected(error);
  process.stderr.write(`failover: ${failure.message}\n${failure.hint}\n`);
  process.exitCode = failure.exitCode;
  if (process.env['FAILOVER_DEBUG'] === undefined || !(error instanceof Error)) return;
  process.stderr.write(`${error.stack ?? ''}\n`);
}

function unexpected(error: unknown): FailoverError {
  const fact = error instanceof Error ? error.message : String(error);
  return new FailoverError('FAILOVER_UNEXPECTED', `Unexpected failure: ${fact}`, { cause: error });
}
