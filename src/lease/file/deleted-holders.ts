// Who may still be active on lock files that are no longer where they were: deleted, or moved away.
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findDeletedHolders, findOpenLockFiles } from '../../fence/lock-holders.ts';
import { pathOfDescriptor } from '../../fence/open-files.ts';
import type { OpenFile } from '../../fence/open-files.ts';
import { readMark } from '../../fence/process-view.ts';
import { isOutOfResources } from '../../out-of-resources.ts';
import { readFile } from './durable-file.ts';
import { identityOfPath } from './file-identity.ts';
import { isMarkedBy, marksOf, readLockNote } from './lock-note.ts';
import type { GroupMarks } from './lock-note.ts';
import { suspectsOf } from './shared-lock-files.ts';

/**
 * The processes that hold a lock on a deleted lock file of `directory` (its real path), or on one that
 * was moved away with an earlier directory or lies under a mount: those only where their environment names
 * this group, or the file itself does. An armed process has its file open but not locked: waiting for each
 * other, two of them would wait for ever.
 *
 * @throws the system's error when it has nothing left to look with: that is not "nobody"
 */
export function findDeletedLockHolders(directory: string): { readonly pid: number }[] {
  const open = suspectsOf(directory)?.open ?? findOpenLockFiles();
  const deleted = findDeletedHolders(directory, open).filter(({ pid, fd }) => hasLock(pid, fd));
  return [...deleted, ...findMovedHolders(directory, open)];
}

/** Whether the description of this descriptor of a process holds a lock. */
export function hasLock(pid: number, fd: number): boolean {
  try {
    const information = readFileSync(`/proc/${String(pid)}/fdinfo/${String(fd)}`, 'latin1');
    return information.includes('lock:');
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    // Gone meanwhile.
    return false;
  }
}

/** What moved has any name by now, also when it was removed then; that of the lock file itself has stayed. */
function findMovedHolders(
  directory: string,
  open: readonly OpenFile[],
): { readonly pid: number }[] {
  const mark = { group: basename(directory), stateDir: dirname(directory) };
  const marks = marksOf(directory);
  const here = identityOfPath(join(directory, WORKLOAD_LOCK));
  return open
    .filter(({ pid, fd, path }) => {
      if (basename(path) !== WORKLOAD_LOCK || !hasLock(pid, fd)) return false;
      const file = pathOfDescriptor(pid, fd);
      // The same file under another name of the directory is not another file.
      if (here !== null && identityOfPath(file) === here) return false;
      return readMark(pid, mark) !== null || isMarked(file, marks);
    })
    .map(({ pid }) => ({ pid }));
}

/** An environment can be scrubbed; the file still says whose it is. */
function isMarked(path: string, marks: GroupMarks): boolean {
  return readFile(path, (fd) => isMarkedBy(readLockNote(fd), marks)) ?? false;
}

const WORKLOAD_LOCK = 'workload.lock';
