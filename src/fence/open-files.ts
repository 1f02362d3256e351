// What runs, and what each process has open, as /proc tells it.
import { readdirSync, readlinkSync } from 'node:fs';
import { isOutOfResources } from '../out-of-resources.ts';

/** Every process there is; none where there is no /proc. Throws as `descriptorsOf`. */
export function listPids(): number[] {
  return list('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

/**
 * The descriptors of a process. None of one that is gone or another user's; kernel threads have none.
 * Kernels before 5.14 show `fdinfo` where they deny `fd`.
 *
 * @throws the system's error when it has nothing left to look with: that is not "none"
 */
export function descriptorsOf(pid: number, by: 'fd' | 'fdinfo' = 'fd'): number[] {
  return list(`/proc/${String(pid)}/${by}`).map(Number);
}

export interface OpenFile {
  readonly pid: number;
  readonly fd: number;
  /** The path as the kernel remembers it. */
  readonly path: string;
  readonly isDeleted: boolean;
}

/**
 * Every descriptor of every process on a file that has, or had, one of these names in whatever directory. One look
 * at thousands of descriptors: who asks for several files does so at once. Throws as `descriptorsOf`.
 */
export function findOpen(names: readonly string[]): OpenFile[] {
  return listPids().flatMap((pid) =>
    descriptorsOf(pid).flatMap((fd) => {
      const target = targetOf(pid, fd);
      const path = target.replace(/ \(deleted\)$/, '');
      if (!names.some((name) => path.endsWith(`/${name}`))) return [];
      return [{ pid, fd, path, isDeleted: path !== target }];
    }),
  );
}

/** What leads to the file that is open, whatever has become of its name. */
export function pathOfDescriptor(pid: number, fd: number): string {
  return `/proc/${String(pid)}/fd/${String(fd)}`;
}

/**
 * The path that the file has, or had, as the kernel remembers it. Empty for a descriptor that was closed
 * just now: that says nothing of the others. Throws as `descriptorsOf`.
 */
export function targetOf(pid: number, fd: number): string {
  try {
    return readlinkSync(pathOfDescriptor(pid, fd));
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return '';
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return [];
  }
}
