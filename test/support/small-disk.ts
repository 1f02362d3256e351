// A small file system for a state directory, and ways to fill it: for root on Linux.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Whether this user may mount. */
export function canMount(): boolean {
  return spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;
}

/** Makes a directory and mounts a file system of 1 MiB and 512 names on it. */
export function mountSmall(directory: string, uid = 0): void {
  mkdirSync(directory, { mode: 0o700 });
  const options = `size=1m,nr_inodes=512,mode=700,uid=${uid},gid=${uid}`;
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'none', directory]);
  if (mounted.status !== 0) throw new Error(mounted.stderr.toString());
}

export function unmount(directory: string): void {
  spawnSync('umount', ['--lazy', directory]);
}

/** @returns what to remove to have room again. */
export function fillBlocks(directory: string): string {
  const path = join(directory, 'filling');
  const fd = openSync(path, 'w');
  try {
    for (const size of [65_536, 4096, 1]) {
      while (hasRoom(() => writeSync(fd, Buffer.alloc(size)))) continue;
    }
  } finally {
    closeSync(fd);
  }
  return path;
}

/** @returns what to remove to have room again. */
export function fillNames(directory: string): string {
  const path = join(directory, 'filling');
  mkdirSync(path);
  for (let i = 0; hasRoom(() => mkdirSync(join(path, String(i)), { recursive: true })); i += 1)
    continue;
  return path;
}

function hasRoom(take: () => unknown): boolean {
  try {
    take();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false;
    throw error;
  }
}
