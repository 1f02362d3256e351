// Reads a file that a person wrote, up to a limit, as text.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { FailoverError } from '../../errors.ts';
import { errnoOf } from '../../lease/file/storage-error.ts';
import { formatSize } from '../size.ts';

/** The longest file there is, bytes: ten thousand groups fit. */
export const FILE_LIMIT_BYTES: number = 1024 * 1024;

/** @throws FAILOVER_BAD_CONFIG when it can't be read, is longer than the limit, or is no text */
export function readText(path: string): string {
  const bytes = readBytes(path);
  if (bytes.length > FILE_LIMIT_BYTES) {
    throw unusable(path, `it is longer than ${formatSize(FILE_LIMIT_BYTES)}`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw unusable(path, 'it is no text in UTF-8');
  }
}

/** One byte more than the limit, if there is one. A pipe is refused: whoever waits for it beats no more. */
function readBytes(path: string): Buffer {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const status = fstatSync(fd);
      if (status.isDirectory()) throw unusable(path, 'it is a directory');
      if (!status.isFile()) throw unusable(path, 'it is no file');
      const buffer = Buffer.alloc(FILE_LIMIT_BYTES + 1);
      let length = 0;
      while (length < buffer.length) {
        const count = readSync(fd, buffer, length, buffer.length - length, null);
        if (count === 0) break;
        length += count;
      }
      return buffer.subarray(0, length);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof FailoverError) throw error;
    const errno = errnoOf(error);
    if (errno === null) throw error;
    throw unusable(path, WORDS[errno] ?? `it can't be read (${errno})`, error);
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
};

function unusable(path: string, fact: string, cause?: unknown): FailoverError {
  const hint = `Make one with \`failover init ${path}\`, or name another with --file.`;
  return new FailoverError('FAILOVER_BAD_CONFIG', `Cannot use ${path}: ${fact}`, {
    ...(cause === undefined ? {} : { cause }),
    ...(fact === WORDS['ENOENT'] ? { hint } : {}),
  });
}
