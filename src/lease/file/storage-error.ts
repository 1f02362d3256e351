// Turns what the file system refused into an operating error of the catalogue.
import { FailoverError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';

/**
 * Runs `work` and turns an error of the file system into a `FailoverError`; others pass.
 * `action` completes "Cannot …", with the path.
 */
export function withStorageErrors<T>(action: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw storageError(action, error);
  }
}

/** The `FailoverError` of a failed file operation; anything else is returned as it is. */
export function storageError(action: string, error: unknown): Error {
  if (error instanceof FailoverError) return error;
  const code = errnoOf(error);
  if (code === null) return error instanceof Error ? error : new Error(String(error));
  const [catalogueCode, fact] = REASONS.get(code) ?? ['FAILOVER_UNEXPECTED', code];
  return new FailoverError(catalogueCode, `Cannot ${action}: ${fact}`, { cause: error });
}

/** The errno name of a file system's error (`ENOENT`); null for any other value. */
export function errnoOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

/** Whether there is no room left, for data, for names or in the user's quota. */
export function isFull(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

const REASONS: ReadonlyMap<string, readonly [code: ErrorCode, fact: string]> = new Map([
  ['EACCES', ['FAILOVER_STATE_DIR_NOT_WRITABLE', 'permission denied']],
  ['EPERM', ['FAILOVER_STATE_DIR_NOT_WRITABLE', 'operation not permitted']],
  ['EROFS', ['FAILOVER_STATE_DIR_NOT_WRITABLE', 'the file system is read-only']],
  ['ENOTDIR', ['FAILOVER_STATE_DIR_NOT_A_DIRECTORY', 'a part of the path is not a directory']],
  ['EEXIST', ['FAILOVER_STATE_DIR_NOT_A_DIRECTORY', 'something else has this name']],
  ['EISDIR', ['FAILOVER_STATE_DIR_NOT_A_DIRECTORY', 'a directory has the name of a file']],
  ['ELOOP', ['FAILOVER_STATE_DIR_NOT_A_DIRECTORY', 'it has a loop of symbolic links']],
  ['ENOSPC', ['FAILOVER_STATE_DIR_FULL', 'no space left on the file system']],
  ['EDQUOT', ['FAILOVER_STATE_DIR_FULL', "the user's disk quota is exceeded"]],
  ['EMFILE', ['FAILOVER_OUT_OF_DESCRIPTORS', 'this process cannot open more files']],
  ['ENFILE', ['FAILOVER_OUT_OF_DESCRIPTORS', 'this machine cannot open more files']],
  ['ENAMETOOLONG', ['FAILOVER_PATH_TOO_LONG', 'the path is too long']],
]);
