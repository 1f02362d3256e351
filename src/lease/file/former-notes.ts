// What is noted in lock files that have lost their name, and that some process has open still.
import { closeSync, constants, fstatSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { isOutOfResources } from '../../out-of-resources.ts';
import { identityOf, statOrNull } from './file-identity.ts';
import { groupPaths } from './group-paths.ts';
import { isMarkedBy, isNoted, marksOf, readLockNote } from './lock-note.ts';
import type { GroupMarks } from './lock-note.ts';

export interface FormerNotes {
  /** The highest epoch that is noted; 0: none. */
  readonly epoch: number;
  /** The identity of the lockfile directory that is there, if a holder of such a file has made it. */
  readonly lockfile: string | null;
}

/**
 * What is noted in any file that some process has open as the primary.lock of `directory` (its real path),
 * also if it was removed or moved away. A look at the descriptors of all processes: for rare use.
 */
export function findFormerNotes(directory: string): FormerNotes {
  const marks = marksOf(directory);
  const lockfilePath = groupPaths(directory).lockfile;
  let found: FormerNotes = { epoch: 0, lockfile: null };
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const fd of list(`/proc/${pid}/fd`)) {
      const path = `/proc/${pid}/fd/${fd}`;
      if (!LOCK_NAMES.has(basename(targetOf(path)))) continue;
      const noted = notedIn(path, { marks, lockfilePath });
      const epoch = Math.max(found.epoch, noted.epoch);
      found = { epoch, lockfile: found.lockfile ?? noted.lockfile };
    }
  }
  return found;
}

const LOCK_NAMES: ReadonlySet<string> = new Set(['primary.lock', 'primary.lock (deleted)']);

const NOTHING: FormerNotes = { epoch: 0, lockfile: null };

function notedIn(
  path: string,
  { marks, lockfilePath }: { readonly marks: GroupMarks; readonly lockfilePath: string },
): FormerNotes {
  const fd = openOrNull(path);
  if (fd === null) return NOTHING;
  try {
    const stats = fstatSync(fd, { bigint: true });
    if (!stats.isFile()) return NOTHING;
    const note = readLockNote(fd);
    if (!isMarkedBy(note, marks)) return NOTHING;
    const there = statOrNull(lockfilePath);
    const isOurs = there !== null && isNoted(note.lockfile, there, stats);
    return { epoch: note.epoch, lockfile: isOurs ? identityOf(there) : null };
  } finally {
    closeSync(fd);
  }
}

/** Null: gone meanwhile, or not ours to read. Not waiting: what another program has open may be a pipe. */
function openOrNull(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return null;
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return [];
  }
}

function targetOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
