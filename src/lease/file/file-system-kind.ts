// Which file systems keep their locks in this machine's kernel: only there does a lock prove anything.
import { statfsSync } from 'node:fs';
import { FailoverError } from '../../errors.ts';
import { withStorageErrors } from './storage-error.ts';

/** The part of `statfs` that is looked at; replaced by tests. */
export type ReadFileSystemType = (path: string) => number;

/**
 * Refuses a directory on a file system that isn't known to be local: another host could hold its locks
 * too. Elsewhere than on Linux the numbers mean other things, and nothing is checked.
 *
 * @throws FAILOVER_FILE_SYSTEM_NOT_LOCAL naming the type and the directory.
 */
export function refuseRemoteFileSystem(
  directory: string,
  readType: ReadFileSystemType = readFileSystemType,
): void {
  if (process.platform !== 'linux') return;
  const type = withStorageErrors(`look at ${directory}`, () => readType(directory)) >>> 0;
  if (LOCAL.has(type)) return;
  throw new FailoverError(
    'FAILOVER_FILE_SYSTEM_NOT_LOCAL',
    `Cannot keep the lease in ${directory}: its file system is ${nameOf(type)}, ` +
      'and kernel locks there prove nothing about other hosts',
  );
}

/** What a file system is called; a number where it has no name here. */
export function fileSystemName(
  directory: string,
  readType: ReadFileSystemType = readFileSystemType,
): string {
  if (process.platform !== 'linux') return 'a file system that is not inspected here';
  const type = withStorageErrors(`look at ${directory}`, () => readType(directory)) >>> 0;
  return nameOf(type);
}

function nameOf(type: number): string {
  return LOCAL.get(type) ?? OTHER.get(type) ?? `of the unknown type 0x${type.toString(16)}`;
}

function readFileSystemType(path: string): number {
  return statfsSync(path).type;
}

// The numbers are those of statfs(2) and of the kernel's linux/magic.h.
const LOCAL: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'], // ext2 and ext3 as well
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x01021994, 'tmpfs'],
  [0x794c7630, 'overlay'],
  [0x2fc12fc1, 'zfs'],
  [0xf2f52010, 'f2fs'],
  [0x858458f6, 'ramfs'],
]);

const OTHER: ReadonlyMap<number, string> = new Map([
  [0x6969, 'nfs'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb2'],
  [0x517b, 'smb'],
  [0x65735546, 'fuse'],
  [0x01021997, '9p'],
  [0x00c36400, 'ceph'],
  [0x5346414f, 'afs'],
  [0x6b414653, 'afs'],
  [0x0bd00bd0, 'lustre'],
  [0x47504653, 'gpfs'],
  [0x01161970, 'gfs2'],
  [0x7461636f, 'ocfs2'],
  [0x786f4256, 'vboxsf'],
  [0x4d44, 'vfat'],
  [0x2011bab0, 'exfat'],
]);
