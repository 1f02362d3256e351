// Makes a group's directory, or finds it, and refuses one in which a kernel lock would prove nothing.
import { chmodSync, realpathSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { FailoverError } from '../../errors.ts';
import { looksAreShared } from '../../fence/shared-look.ts';
import { makePrivateDirectory } from '../../private-directory.ts';
import { timedDirectory } from '../timed-file/timed-paths.ts';
import { syncDirectory, temporaryPath } from './durable-file.ts';
import { statOrNull } from './file-identity.ts';
import { refuseRemoteFileSystem } from './file-system-kind.ts';
import type { ReadFileSystemType } from './file-system-kind.ts';
import { groupPaths } from './group-paths.ts';
import type { GroupPaths } from './group-paths.ts';
import { refuseWithoutKernelLock } from './kernel-lock.ts';
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
 * @throws FAILOVER_STATE_DIR_*, FAILOVER_FILE_SYSTEM_NOT_LOCAL, FAILOVER_NO_KERNEL_LOCK,
 *   FAILOVER_SETTINGS_CONFLICT for a lease that is another
 */
export function openStateDirectory(options: StateDirectoryOptions): GroupPaths {
  const wanted = join(options.stateDir, options.group);
  makeDirectory(options.stateDir);
  makeDirectory(wanted);
  const directory = withStorageErrors(`find ${wanted}`, () => realpathSync(wanted));
  refuseForeignOwner(directory);
  refuseTimedLease(directory);
  refuseRemoteFileSystem(directory, options.readFileSystemType);
  const paths = groupPaths(directory);
  for (const path of [paths.claims, paths.nodes, paths.marks]) makeDirectory(path);
  refuseWithoutLocks(directory);
  return paths;
}

function refuseWithoutLocks(directory: string): void {
  // A thousand groups on one file system would each find out the same.
  const device = looksAreShared() ? statOrNull(directory)?.dev : undefined;
  if (device !== undefined && proved.has(device)) return;
  const probePath = temporaryPath(join(directory, 'probe'));
  try {
    refuseWithoutKernelLock(probePath);
  } finally {
    rmSync(probePath, { force: true });
  }
  if (device !== undefined) proved.add(device);
}

/** File systems whose locks work. */
const proved = new Set<bigint>();

/**
 * Nodes of other machines may go by a lease that ends by itself: whoever asks only the kernel does not see them.
 *
 * @throws FAILOVER_SETTINGS_CONFLICT
 */
export function refuseTimedLease(directory: string): void {
  const timed = timedDirectory(dirname(directory), basename(directory));
  if (statOrNull(timed) === null) return;
  throw new FailoverError(
    'FAILOVER_SETTINGS_CONFLICT',
    `Cannot keep the lease in ${directory} by kernel locks: it already has a lease with a time to live`,
    {
      hint: `Set --lease-ttl, as on its other nodes; or, once none of them is running, remove ${timed}.`,
    },
  );
}

/** Only after a look for nodes that go by earlier lock files, and for what is noted in them. */
export function makeEpochDirectory(paths: GroupPaths): void {
  makeDirectory(paths.epochs);
}

function makeDirectory(path: string): void {
  const found = statOrNull(path);
  if (found?.isDirectory() === true) return;
  if (found !== null) {
    throw new FailoverError(
      'FAILOVER_STATE_DIR_NOT_A_DIRECTORY',
      `Cannot use ${path}: it is not a directory`,
    );
  }
  withStorageErrors(`make ${path}`, () => {
    try {
      makePrivateDirectory(path);
    } catch (error) {
      throw errnoOf(error) === 'ENOENT' ? nothingToBeMade(path, error) : error;
    }
    syncDirectory(dirname(path));
  });
}

/** All above it exists by then: so answers a file system that takes no names of ours (/proc). */
function nothingToBeMade(path: string, cause: unknown): FailoverError {
  const message = `Cannot create ${path}: nothing can be created there`;
  return new FailoverError('FAILOVER_STATE_DIR_NOT_WRITABLE', message, { cause });
}

/** What another user can write is no proof of anything; what others can read holds our addresses. */
function refuseForeignOwner(directory: string): void {
  const { uid, mode } = withStorageErrors(`look at ${directory}`, () => statSync(directory));
  const own = process.geteuid?.();
  if (own !== undefined && uid !== own) {
    throw new FailoverError(
      'FAILOVER_STATE_DIR_NOT_WRITABLE',
      `Cannot use ${directory}: it belongs to user ${uid}, not to this user, ${own}`,
    );
  }
  if ((mode & 0o077) === 0) return;
  withStorageErrors(`restrict ${directory} to this user`, () => {
    chmodSync(directory, 0o700);
  });
}
