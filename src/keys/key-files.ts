// Files with keys and secrets: read with a limit, and refused where others than their owner could have them.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { FailoverError } from '../errors.ts';
import { keyPairOf } from './key-pair.ts';
import type { KeyPair } from './key-pair.ts';
import { decodeKey } from './z85.ts';

/**
 * A secret key alone on its line: with something after it, it is the public half, which others know.
 *
 * @throws FAILOVER_BAD_KEY_FILE when it can't be read, is open to others, or has no key
 */
export function readKeyFile(path: string, source = '--key-file'): KeyPair {
  const content = read(path, source, { isSecret: true, limitBytes: SECRET_LIMIT_BYTES });
  const lines = meantLines(content);
  const [only] = lines.length === 1 ? lines : [];
  const pair = keyPairOf(only?.text ?? '');
  if (pair !== null) return pair;
  if (only !== undefined && decodeKey(wordOf(only.text)) !== null) {
    const fact = 'its key is followed by a comment, like a public key';
    throw bad(
      { path, source },
      fact,
      'Use the file without `.pub`: a secret key is alone on its line.',
    );
  }
  throw bad({ path, source }, 'it has no secret key', 'Generate one with `failover keygen`.');
}

/** The first line of a file with a secret key: what it is, should it be given for another. */
export const SECRET_KEY_COMMENT = '# Secret key of a node: anyone who has it can act as that node.';

/**
 * The public keys in a file: one at the beginning of each line, and what follows it is a comment.
 *
 * @throws FAILOVER_BAD_KEY_FILE when it can't be read, others may write it, it is that of a secret key, or a line is neither
 */
export function readAuthorizedKeys(
  path: string,
  source = '--authorized-keys',
): ReadonlySet<string> {
  const content = read(path, source, { isSecret: false, limitBytes: LIST_LIMIT_BYTES });
  if (isSecretKeyFile(path, content)) {
    const fact = 'it contains a secret key, but only public keys belong here';
    throw bad({ path, source }, fact, 'Use a list of public keys, from the `.pub` files.');
  }
  const keys = new Set<string>();
  for (const { text, number } of meantLines(content)) {
    const key = wordOf(text);
    if (decodeKey(key) === null) {
      const fact = `line ${String(number)} has no public key`;
      throw bad({ path, source }, fact, ONE_A_LINE);
    }
    keys.add(key);
  }
  return keys;
}

/** @throws FAILOVER_BAD_KEY_FILE when it can't be read, is open to others, is too short, or has keys of nodes */
export function readSecretFile(path: string, source = '--secret-file'): Buffer {
  const content = read(path, source, { isSecret: true, limitBytes: SECRET_LIMIT_BYTES });
  // An editor ends the last line, a program may not: both mean the same secret.
  const secret = Buffer.from(content.replace(/\r?\n$/, ''), 'latin1');
  if (isKeyFile(path, content)) {
    throw bad(
      { path, source },
      'it contains node keys, but a shared secret belongs here',
      MAKE_SECRET,
    );
  }
  if (secret.toString('latin1').trim() === '' && secret.length > 0) {
    throw bad({ path, source }, 'it contains only white space', MAKE_SECRET);
  }
  if (secret.length >= SECRET_LEAST_BYTES) return secret;
  const fact = `it has ${String(secret.length)} bytes, fewer than ${String(SECRET_LEAST_BYTES)}`;
  throw bad({ path, source }, fact, MAKE_SECRET);
}

/**
 * A token, as a header carries it: the line of the file, without white space.
 *
 * @throws FAILOVER_BAD_KEY_FILE when it can't be read, is open to others, or is none
 */
export function readTokenFile(path: string, source = '--http-token-file'): string {
  const content = read(path, source, { isSecret: true, limitBytes: SECRET_LIMIT_BYTES });
  const token = content.trim();
  if (token.length < SECRET_LEAST_BYTES) {
    const fact = `its token has ${String(token.length)} characters, fewer than ${String(SECRET_LEAST_BYTES)}`;
    throw bad({ path, source }, fact, MAKE_TOKEN);
  }
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const fact = 'it has several lines, white space or characters not allowed in a header';
  throw bad({ path, source }, fact, MAKE_TOKEN);
}

const SECRET_LIMIT_BYTES = 4096;
const SECRET_LEAST_BYTES = 16;

/** Some ten thousand keys. */
const LIST_LIMIT_BYTES = 2 ** 20;

const ONE_A_LINE =
  'Put one public key per line, as in the `.pub` file of `failover keygen`; `#` starts a comment.';
const MAKE_TOKEN =
  'Generate one with `openssl rand -hex 24`, in a file that only its owner can read (`chmod 600`).';
const MAKE_SECRET =
  'Generate one with `openssl rand -base64 32`, and use it on every node of the group.';

interface Named {
  readonly path: string;
  readonly source: string;
}

/** Text of the bytes as they are: a secret may be any. */
function read(
  path: string,
  source: string,
  { isSecret, limitBytes }: { readonly isSecret: boolean; readonly limitBytes: number },
): string {
  const named = { path, source };
  let fd: number | null = null;
  try {
    // A pipe in its place keeps nobody waiting.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(fd);
    if (!stats.isFile())
      throw bad(named, 'it is not a regular file', `Set ${source} to the path of a file.`);
    refuseOpenToOthers(named, stats, isSecret);
    if (stats.size > limitBytes) {
      const fact = `it has ${String(stats.size)} bytes, more than ${String(limitBytes)}`;
      throw bad(named, fact, `Set ${source} to another file.`);
    }
    const content = Buffer.alloc(limitBytes);
    return content.toString('latin1', 0, readSync(fd, content, 0, limitBytes, 0));
  } catch (error) {
    throw error instanceof FailoverError ? error : unreadable(named, error);
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

function refuseOpenToOthers(named: Named, { mode, uid }: Stats, isSecret: boolean): void {
  const { path } = named;
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  const own = process.geteuid?.() ?? uid;
  if (uid !== own && uid !== 0) {
    const fact = `it belongs to user ${String(uid)}`;
    throw bad(named, fact, `Run \`chown ${String(own)} ${path}\` as root, or use another file.`);
  }
  if (isSecret && (mode & 0o077) !== 0) {
    throw bad(named, `others have access to it (mode ${shown})`, `Run \`chmod 600 ${path}\`.`);
  }
  if ((mode & 0o022) !== 0) {
    throw bad(named, `others can write to it (mode ${shown})`, `Run \`chmod go-w ${path}\`.`);
  }
}

function unreadable(named: Named, error: unknown): FailoverError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  const fact = FACTS.get(code) ?? code;
  return bad(named, fact, `Set ${named.source} to a file that this user can read.`, error);
}

const FACTS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'the file does not exist'],
  ['EACCES', 'permission denied'],
  ['ENOTDIR', 'a part of the path is not a directory'],
  ['EISDIR', 'it is a directory'],
  ['ELOOP', 'it has a loop of symbolic links'],
]);

/** Never with what is in the file. */
function bad({ path, source }: Named, fact: string, hint: string, cause?: unknown): FailoverError {
  const message = `Cannot use ${source} ${path}: ${fact}`;
  return new FailoverError('FAILOVER_BAD_KEY_FILE', message, { hint, cause });
}

/** By what `failover keygen` writes into it, or beside it: a key alone does not tell which half it is. */
function isSecretKeyFile(path: string, content: string): boolean {
  if (content.startsWith(SECRET_KEY_COMMENT)) return true;
  const lines = meantLines(content);
  const pair = lines.length === 1 ? keyPairOf(lines[0]?.text ?? '') : null;
  return pair !== null && contentBeside(path).includes(pair.publicKey);
}

/** A secret may be 40 characters that could be a key: it has no host behind it, and none of a pair beside it. */
function isKeyFile(path: string, content: string): boolean {
  if (isSecretKeyFile(path, content)) return true;
  const lines = meantLines(content);
  const isOfKeys = lines.every(({ text }) => decodeKey(wordOf(text)) !== null);
  return isOfKeys && lines.some(({ text }) => wordOf(text) !== text);
}

/** Of the file of a public key beside that of the secret one; empty: there is none that can be read. */
function contentBeside(path: string): string {
  try {
    return read(`${path}.pub`, '', { isSecret: false, limitBytes: SECRET_LIMIT_BYTES });
  } catch {
    return '';
  }
}

/** All but empty lines and comments: no key begins with `#`, which would be more than four bytes. */
function meantLines(
  content: string,
): readonly { readonly text: string; readonly number: number }[] {
  return content
    .split(/\r?\n/)
    .map((line, index) => ({ text: line.trim(), number: index + 1 }))
    .filter(({ text }) => text !== '' && !text.startsWith('#'));
}

function wordOf(line: string): string {
  return line.split(/\s/, 1)[0] ?? '';
}
