// Makes a group's directory, or finds it, and refuses one in which a kernel lock would prove nothing.
import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, realpathSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FailoverError } from '../../errors.ts';
import { makePrivateDirectory } from '../../private-directory.ts';
import { replaceVolatileFile, syncDirectory } from './durable-file.ts';
import { statOrNull } from './file-identity.ts';
import { refuseRemoteFileSystem } from './file-system-kind.ts';
import type { ReadFileSystemType } from './file-system-kind.ts';
import { groupPaths } from './group-paths.ts';
import type { GroupPaths } from './group-paths.ts';
import { refuseWithoutKernelLock } from './kernel-lock.ts';
import { lockNoteContent, markOf } from './lock-note.ts';
import { errnoOf, withStorageErrors } from './storage-error.ts';

export interface StateDirectoryOptions {
  readonly stateDir: string;
  /** A valid group name: it becomes a part of the path. */
  readonly group: string;
  readonly readFileSystemType?: ReadFileSystemType;
}

/**
 * The directory of a group, mode 0700, by its real path. The lock files and the directory of epochs are
 * not made here: where they exist, somebody has looked for those who still go by earlier ones.
 *
 * @throws FAILOVER_STATE_DIR_*, FAILOVER_FILE_SYSTEM_NOT_LOCAL, FAILOVER_NO_KERNEL_LOCK
 */
export function openStateDirectory(options: StateDirectoryOptions): GroupPaths {
  const wanted = join(options.stateDir, options.group);
  makeDirectory(options.stateDir);
  makeDirectory(wanted);
  const directory = withStorageErrors(`find ${wanted}`, () => realpathSync(wanted));
  refuseForeignOwner(directory);
  refuseRemoteFileSystem(directory, options.readFileSystemType);
  const paths = groupPaths(directory);
  for (const path of [paths.claims, paths.nodes, paths.marks]) makeDirectory(path);
  const probePath = join(directory, `.probe-${randomBytes(6).toString('hex')}`);
  try {
    refuseWithoutKernelLock(probePath);
  } finally {
    rmSync(probePath, { force: true });
  }
  return paths;
}

/**
 * Makes the directory of epochs and the lock files, where missing, these with the room that a holder's
 * note needs on a full disk, and with `epoch`, the highest that anybody knows of. Only after a look for
 * holders of deleted ones, and for what is noted in them.
 */
export function makeFoundation(paths: GroupPaths, epoch: number): void {
  makeDirectory(paths.epochs);
  const mark = markOf(paths.directory);
  const note = { mark, epoch, starter: null, lockfile: { state: 'none' } } as const;
  for (const path of [paths.primaryLock, paths.workloadLock]) {
    if (statOrNull(path) !== null) continue;
    // Complete before it has its name: nobody who opens it by the name finds it half made.
    const temporary = `${path}.${randomBytes(6).toString('hex')}`;
    withStorageErrors(`make ${path}`, () => {
      try {
        replaceVolatileFile(temporary, lockNoteContent(note));
        linkUnlessThere(temporary, path);
      } finally {
        rmSync(temporary, { force: true });
      }
    });
  }
}

/** False for a new directory, and for one from which a lock file was removed. */
export function hasLockFiles(paths: GroupPaths): boolean {
  return statOrNull(paths.primaryLock) !== null && statOrNull(paths.workloadLock) !== null;
}

/** What `makeFoundation` makes is there. */
export function hasFoundation(paths: GroupPaths): boolean {
  return hasLockFiles(paths) && statOrNull(paths.epochs) !== null;
}

function makeDirectory(path: string): void {
  const found = statOrNull(path);
  if (found?.isDirectory() === true) return;
  if (found !== null) {
    throw new FailoverError(
      'FAILOVER_STATE_DIR_NOT_A_DIRECTORY',
      `Cannot use ${path}: it is not a directory.`,
    );
  }
  withStorageErrors(`make ${path}`, () => {
    makePrivateDirectory(path);
    syncDirectory(dirname(path));
  });
}

/** What another user can write is no proof of anything; what others can read holds our addresses. */
function refuseForeignOwner(directory: string): void {
  const { uid, mode } = withStorageErrors(`look at ${directory}`, () => statSync(directory));
  const own = process.geteuid?.();
  if (own !== undefined && uid !== own) {
    throw new FailoverError(
      'FAILOVER_STATE_DIR_NOT_WRITABLE',
      `Cannot use ${directory}: it belongs to user ${uid}, and this is user ${own}.`,
    );
  }
  if ((mode & 0o077) === 0) return;
  withStorageErrors(`close ${directory} to other users`, () => {
    chmodSync(directory, 0o700);
  });
}

function linkUnlessThere(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}
