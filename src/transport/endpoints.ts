// Where a process's two sockets are: one short path of its own in a private directory.
import { randomBytes } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import type { Endpoints } from '../core/state.ts';
import { FailoverError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { storageError } from '../lease/file/storage-error.ts';
import { makePrivateDirectory } from '../private-directory.ts';

/**
 * The longest path of a Unix domain socket, bytes: `sun_path` without its final zero, which has 108
 * bytes on Linux and 104 on macOS.
 */
export const SOCKET_PATH_LIMIT_BYTES: number = process.platform === 'darwin' ? 103 : 107;

/** A name that no other process has: libzmq unlinks what it finds at a path it binds. */
export function randomSocketName(): string {
  return randomBytes(4).toString('hex');
}

/**
 * The addresses of a process's sockets.
 * @throws FAILOVER_PATH_TOO_LONG when a path is longer than the system allows
 */
export function endpointsIn(directory: string, name: string): Endpoints {
  return {
    bus: `${SCHEME}${checkedPath(join(directory, `${name}.bus`))}`,
    rpc: `${SCHEME}${checkedPath(join(directory, `${name}.rpc`))}`,
  };
}

/** The path of an address, or `null` for one that is not a Unix domain socket with an absolute path. */
export function pathOfEndpoint(endpoint: string): string | null {
  if (!endpoint.startsWith(SCHEME)) return null;
  const path = endpoint.slice(SCHEME.length);
  const fits = Buffer.byteLength(path) <= SOCKET_PATH_LIMIT_BYTES;
  return isAbsolute(path) && fits && !path.includes('\0') ? path : null;
}

/**
 * Makes the directory, mode 0700, or checks that the one that is there is as private.
 * @throws FAILOVER_STATE_DIR_* when it can't be had, FAILOVER_NOT_PERMITTED when it is not private
 */
export function ensurePrivateDirectory(directory: string): void {
  try {
    makePrivateDirectory(directory);
  } catch (cause) {
    throw directoryError(directory, cause);
  }
  const found = lstatSync(directory, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) {
    throw new FailoverError(
      'FAILOVER_STATE_DIR_NOT_A_DIRECTORY',
      `Cannot put sockets in ${directory}: it is not a directory`,
      { hint: socketDirectoryHint() },
    );
  }
  const mode = found.mode & 0o777;
  if (found.uid !== process.geteuid?.()) {
    throw new FailoverError(
      'FAILOVER_NOT_PERMITTED',
      `Cannot put sockets in ${directory}: it belongs to user ${found.uid}`,
      { hint: socketDirectoryHint() },
    );
  }
  if ((mode & 0o077) !== 0) {
    throw new FailoverError(
      'FAILOVER_NOT_PERMITTED',
      `Cannot put sockets in ${directory}: others have access to it (mode ${mode.toString(8)})`,
      { hint: `Run \`chmod 700 ${directory}\`, or use another directory.` },
    );
  }
}

/** Why no socket could be made at `path`; null: the directory is not at fault. */
export function socketFileError(path: string, cause: unknown): FailoverError | null {
  const error = storageError(`create a socket at ${path}`, cause);
  if (!(error instanceof FailoverError) || error.code === 'FAILOVER_UNEXPECTED') return null;
  const hint = bindHint(error.code, dirname(path));
  return new FailoverError(error.code, error.message, { cause, hint });
}

const SCHEME = 'ipc://';

function checkedPath(path: string): string {
  const length = Buffer.byteLength(path);
  if (length <= SOCKET_PATH_LIMIT_BYTES) return path;
  throw new FailoverError(
    'FAILOVER_PATH_TOO_LONG',
    `Cannot create a socket at ${path}: the path has ${length} bytes, ` +
      `the limit is ${SOCKET_PATH_LIMIT_BYTES}`,
    { hint: socketDirectoryHint() },
  );
}

function directoryError(directory: string, cause: unknown): Error {
  const error = storageError(`make the socket directory ${directory}`, cause);
  if (!(error instanceof FailoverError)) return error;
  return new FailoverError(error.code, error.message, { cause, hint: socketDirectoryHint() });
}

function bindHint(code: ErrorCode, directory: string): string {
  if (code === 'FAILOVER_STATE_DIR_FULL') {
    return `Free up space or inodes on the file system of ${directory}.`;
  }
  if (code !== 'FAILOVER_STATE_DIR_NOT_WRITABLE') return socketDirectoryHint();
  // The mode alone may be at fault, or the file system of the place.
  return `Run \`chmod 700 ${directory}\` if it is to be used. ${socketDirectoryHint()}`;
}

/** What decides where sockets go, for a person whose --state-dir has nothing to do with it. */
function socketDirectoryHint(): string {
  if (process.geteuid?.() === 0) {
    return "Root's sockets are in /run/failover regardless of --state-dir: make it a directory owned by root.";
  }
  return 'Point XDG_RUNTIME_DIR at a directory of this user with a short path: sockets go there regardless of --state-dir.';
}
