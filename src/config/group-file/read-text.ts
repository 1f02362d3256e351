// Reads a file that a person wrote, up to a limit, as text.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { FailoverError } from '../../errors.ts';
import { errnoOf } from '../../lease/file/storage-error.ts';
import { formatSize } from '../size.ts';

/** The longest file there is, bytes: ten thousand groups fit. */
export const FILE_LIMIT_BYTES: number = 1024 * 1024;

/**
 * @param isWaitedFor False: who reads has more to do than to wait for whoever writes into a pipe
 * @throws FAILOVER_BAD_CONFIG when it can't be read, is longer than the limit, or is no text
 */
export function readText(path: string, isWaitedFor: boolean): string {
  const bytes = readBytes(path, isWaitedFor);
  if (bytes.length > FILE_LIMIT_BYTES) {
    throw unusable(path, `it is longer than ${formatSize(FILE_LIMIT_BYTES)}`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw unusable(path, 'it is not a string in UTF-8');
  }
}

/** One byte more than the limit, if there is one. Of what is no file it is all that comes until its end. */
function readBytes(path: string, isWaitedFor: boolean): Buffer {
  try {
    const fd = openSync(path, constants.O_RDONLY | (isWaitedFor ? 0 : constants.O_NONBLOCK));
    try {
      const status = fstatSync(fd);
      if (status.isDirectory()) throw unusable(path, 'it is a directory');
      if (!isWaitedFor && !status.isFile()) throw unusable(path, READ_ONCE);
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
    throw unusable(path, WORDS[errno] ?? `it cannot be read (${errno})`, error);
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'the file does not exist',
  EACCES: 'permission denied',
};

const READ_ONCE = 'it is a pipe or a device, which is read only at the start';

function hintFor(path: string, fact: string): string | null {
  if (fact === READ_ONCE) return 'Start `failover up` with a regular file to be able to reload it.';
  if (fact !== WORDS['ENOENT']) return null;
  return `Create one with \`failover init ${path}\`, or choose another with --file.`;
}

function unusable(path: string, fact: string, cause?: unknown): FailoverError {
  const hint = hintFor(path, fact);
  return new FailoverError('FAILOVER_BAD_CONFIG', `Cannot use ${path}: ${fact}`, {
    ...(cause === undefined ? {} : { cause }),
    ...(hint === null ? {} : { hint }),
  });
}
