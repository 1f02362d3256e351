// Where a process's two sockets are: one short path of its own in a private directory.
import { randomBytes } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Endpoints } from '../core/state.ts';
import { FailoverError } from '../errors.ts';
import { makePrivateDirectory } from '../private-directory.ts';
import type { ErrorCode } from '../errors.ts';

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
    );
  }
  const mode = found.mode & 0o777;
  if (found.uid !== process.geteuid?.()) {
    throw new FailoverError(
      'FAILOVER_NOT_PERMITTED',
      `Cannot put sockets in ${directory}: it belongs to user ${found.uid}`,
    );
  }
  if ((mode & 0o077) !== 0) {
    throw new FailoverError(
      'FAILOVER_NOT_PERMITTED',
      `Cannot put sockets in ${directory}: others have access to it (mode ${mode.toString(8)})`,
      { hint: `Run \`chmod 700 ${directory}\`, or give another directory.` },
    );
  }
}

const SCHEME = 'ipc://';

function checkedPath(path: string): string {
  const length = Buffer.byteLength(path);
  if (length <= SOCKET_PATH_LIMIT_BYTES) return path;
  throw new FailoverError(
    'FAILOVER_PATH_TOO_LONG',
    `Cannot make a socket at ${path}: the path has ${length} bytes, ` +
      `the limit is ${SOCKET_PATH_LIMIT_BYTES}`,
  );
}

function directoryError(directory: string, cause: unknown): FailoverError {
  const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  const message = `Cannot make the socket directory ${directory}: ${errno}`;
  return new FailoverError(DIRECTORY_ERRORS[errno] ?? 'FAILOVER_STATE_DIR_NOT_WRITABLE', message, {
    cause,
  });
}

const DIRECTORY_ERRORS: Readonly<Record<string, ErrorCode>> = {
  ENOTDIR: 'FAILOVER_STATE_DIR_NOT_A_DIRECTORY',
  EEXIST: 'FAILOVER_STATE_DIR_NOT_A_DIRECTORY',
  ENOSPC: 'FAILOVER_STATE_DIR_FULL',
  EDQUOT: 'FAILOVER_STATE_DIR_FULL',
  ENAMETOOLONG: 'FAILOVER_PATH_TOO_LONG',
};
