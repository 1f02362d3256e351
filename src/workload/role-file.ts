// The role file: what a hot workload reads to know its role.
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { GateMessage } from './environment.ts';

export interface RoleFileContent {
  readonly role: 'primary' | 'secondary';
  /** The epoch of the last state seen; null: none was seen yet. */
  readonly epoch: number | null;
  readonly reason: string;
}

/** What it says as a gate opens. */
export function roleContentOf({ role, epoch, reason }: GateMessage): RoleFileContent {
  return { role, epoch: epoch === '' ? null : Number(epoch), reason };
}

/**
 * Replaces the role file atomically. On a full disk it is overwritten in place: each content has the same
 * length, so that needs no room, and a single write of it is not seen half done.
 *
 * @throws the system's error when neither can be done.
 */
export function writeRoleFile(path: string, content: RoleFileContent): void {
  const text = encode(content);
  const temporary = nextPath(path);
  try {
    fill(temporary, text);
    renameSync(temporary, path);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(path, text, { mode: 0o600 });
      return;
    }
    rmSync(temporary, { force: true });
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
    writeFileSync(path, text, { flag: 'r+' });
  }
}

/**
 * Makes the file ahead that gets the name at the next change: a takeover waits for it, and where much was removed of
 * late, some file systems take longer to find room for a new file than all the rest takes. Never throws.
 */
export function prepareRoleFile(path: string): void {
  try {
    // Empty: whatever has come of it meanwhile, nothing is written over that.
    closeSync(
      openSync(nextPath(path), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600),
    );
  } catch {
    // The file is there already, or the change makes it.
  }
}

/** Removes it with its run. A file that can't be removed is left: its name is never used again. */
export function removeRoleFile(path: string): void {
  for (const each of [path, nextPath(path)]) {
    try {
      rmSync(each, { force: true });
    } catch {
      // Nothing depends on it: each run has a file of its own.
    }
  }
}

/** Nobody reads it before it has the name that it is made for. */
function nextPath(path: string): string {
  return `${path}.new`;
}

/** The file that was made ahead, or a new one. */
function fill(path: string, text: string): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    writeFileSync(fd, text);
    // All that is written here has one length; what else has the name may be longer.
    const lengthBytes = Buffer.byteLength(text);
    if (fstatSync(fd).size !== lengthBytes) ftruncateSync(fd, lengthBytes);
  } finally {
    closeSync(fd);
  }
}

/** Within one page, and room for the longest reason with each character escaped (`\u0001`). */
const LENGTH_BYTES = 2048;
const REASON_LIMIT = 200;

/** JSON, filled up with spaces, which JSON allows. */
function encode(content: RoleFileContent): string {
  const reason = content.reason.slice(0, REASON_LIMIT);
  const json = JSON.stringify({ role: content.role, epoch: content.epoch, reason });
  const missing = LENGTH_BYTES - 1 - Buffer.byteLength(json);
  return `${json}${' '.repeat(Math.max(0, missing))}\n`;
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
