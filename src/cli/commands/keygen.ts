// `failover keygen`: a key for a node, in two files: the secret half, and the public one for the others.
import { closeSync, existsSync, fsyncSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { messageOf } from '../../error-message.ts';
import { FailoverError } from '../../errors.ts';
import { SECRET_KEY_COMMENT } from '../../keys/key-files.ts';
import { generateKeyPair } from '../../keys/key-pair.ts';
import { replaceFile, syncDirectory } from '../../lease/file/durable-file.ts';
import { note, say } from '../say.ts';

export interface KeygenOptions {
  /** Where the secret half goes; the public one goes beside it, with `.pub`. */
  readonly out: string;
  readonly force: boolean;
}

/**
 * Prints the public key.
 *
 * @throws FAILOVER_BAD_OPTION when something is there already, or a file can't be made
 */
export function keygen({ out, force }: KeygenOptions): void {
  const { publicKey, secretKey } = generateKeyPair();
  const publicFile = `${out}.pub`;
  // Looked at before anything is written: half a pair is worse than none.
  for (const path of [out, publicFile]) if (!force && existsSync(path)) throw isThere(path);
  write(out, `${SECRET_KEY_COMMENT}\n${secretKey}\n`, force);
  try {
    write(publicFile, `${publicKey} ${hostname()}\n`, force);
  } catch (error) {
    if (!force) rmSync(out, { force: true });
    throw error;
  }
  say(publicKey);
  note(`wrote the secret key to ${out} and the public key to ${publicFile}`);
}

function write(path: string, content: string, force: boolean): void {
  try {
    if (force) replaceFile(path, content);
    else writeNew(path, content);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'EEXIST') throw isThere(path);
    const why = FACTS.get(code) ?? messageOf(error);
    throw refuse(`${path} cannot be written: ${why}`, {
      expected: 'a path that can',
      cause: error,
    });
  }
}

/** Never over what is there, whoever was faster. */
function writeNew(path: string, content: string): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(fd, content);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  syncDirectory(dirname(path));
}

const FACTS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'its directory does not exist'],
  ['EACCES', 'permission denied'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'no space left on the file system'],
  ['EISDIR', 'it is a directory'],
]);

function isThere(path: string): FailoverError {
  const expected = 'another path, or use --force to replace the key';
  return refuse(`${path} exists`, { expected });
}

function refuse(
  fact: string,
  { expected, cause }: { readonly expected: string; readonly cause?: unknown },
): FailoverError {
  return new FailoverError('FAILOVER_BAD_OPTION', `Cannot use --out: ${fact}`, {
    details: { option: '--out', expected },
    cause,
  });
}
