// What a user reads when a command could not do what it was asked, and what the process exits with.
import { FailoverError } from '../errors.ts';
import { printable } from './render/plain.ts';

/**
 * Prints `failover: message` and a hint on stderr, and sets the exit code. A stack trace is shown only
 * with FAILOVER_DEBUG set: it tells a user nothing.
 */
export function reportFailure(error: unknown): void {
  const failure = error instanceof FailoverError ? error : unexpected(error);
  process.stderr.write(`failover: ${line(failure.message)}\n${line(failure.hint)}\n`);
  process.exitCode = failure.exitCode;
  if (process.env['FAILOVER_DEBUG'] === undefined || !(error instanceof Error)) return;
  process.stderr.write(`${error.stack ?? ''}\n`);
}

/** One line: it may quote an argument, a file or another process, whatever is in them. */
function line(text: string): string {
  const shown = printable(text);
  return shown.length <= LINE_LIMIT ? shown : `${shown.slice(0, LINE_LIMIT)}…`;
}

/** Longer than any sentence with a path in it that can be opened, characters. */
const LINE_LIMIT = 5000;

function unexpected(error: unknown): FailoverError {
  const fact = error instanceof Error ? error.message : String(error);
  return new FailoverError('FAILOVER_UNEXPECTED', `Unexpected failure: ${fact}`, { cause: error });
}
