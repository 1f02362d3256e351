// Who may still be active on lock files that were deleted together with an earlier directory.
import { readFileSync } from 'node:fs';
import { findDeletedHolders } from '../../fence/lock-holders.ts';

/**
 * The processes that hold a lock on a deleted lock file of `directory` (its real path). An armed process
 * has its file open but not locked: waiting for each other, two of them would wait for ever.
 */
export function findDeletedLockHolders(directory: string): { readonly pid: number }[] {
  return findDeletedHolders(directory).filter(({ pid, fd }) => hasLock(pid, fd));
}

function hasLock(pid: number, fd: number): boolean {
  try {
    const information = readFileSync(`/proc/${String(pid)}/fdinfo/${String(fd)}`, 'latin1');
    return information.includes('lock:');
  } catch {
    // Gone meanwhile.
    return false;
  }
}
