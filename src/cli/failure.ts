// What a user reads when a command could not do what it was asked, and what the process exits with.
import { messageOf } from '../error-message.ts';
import { FailoverError } from '../errors.ts';
import { isOutOfDescriptors } from '../out-of-resources.ts';
import { printable } from './render/plain.ts';

/**
 * Prints `failover: message` and a hint on stderr, and sets the exit code. A stack trace is shown only
 * with FAILOVER_DEBUG set: it tells a user nothing.
 */
export function reportFailure(error: unknown): void {
  const failure = error instanceof FailoverError ? error : unexpected(error);
  const lines = [`failover: ${line(failure.message)}`, ...failure.facts.map(line)];
  process.stderr.write(`${[...lines, line(failure.hint)].join('\n')}\n`);
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
  const fact = messageOf(error);
  if (isOutOfDescriptors(error)) {
    const message = `Cannot continue: ${fact}`;
    return new FailoverError('FAILOVER_OUT_OF_DESCRIPTORS', message, { cause: error });
  }
  if (isMissingModule(error)) {
    const hint = 'Raise the open file limit (`ulimit -n`), or reinstall failover.';
    const message = `Cannot load the program: ${fact}`;
    return new FailoverError('FAILOVER_UNEXPECTED', message, { cause: error, hint });
  }
  return new FailoverError('FAILOVER_UNEXPECTED', `Unexpected failure: ${fact}`, { cause: error });
}

/** Node takes one that it could not open, for want of descriptors, for one that is not there. */
function isMissingModule(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
}
