// Names one file or directory for ever, so that a replaced one is told from the one that was opened.
import { fstatSync, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';

/** Of so many files of one name it is remembered that they were locked: it is another one only where somebody replaced it. */
export const MOST_LOCK_FILES = 16;

/** The identity of what a path names now; null: there is nothing, or it can't be looked at. */
export function identityOfPath(path: string): string | null {
  const stats = statOrNull(path);
  return stats === null ? null : identityOf(stats);
}

export function identityOfDescriptor(fd: number): string {
  return identityOf(fstatSync(fd, { bigint: true }));
}

/** An inode number is given anew as soon as it is free; with its time of birth it is not. */
export function identityOf(stats: BigIntStats): string {
  // Joined, not put together: a text of parts keeps each of them, and a thousand nodes keep many such texts.
  return [stats.dev, stats.ino, stats.birthtimeNs].join(':');
}

export function statOrNull(path: string): BigIntStats | null {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}
