// What is noted in lock files that have lost their name, and that some process has open still.
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { descriptorsOf, listPids, pathOfDescriptor, targetOf } from '../../fence/open-files.ts';
import { readMark } from '../../fence/process-view.ts';
import { isOutOfResources } from '../../out-of-resources.ts';
import { hasLock } from './deleted-holders.ts';
import { identityOf, identityOfPath, statOrNull } from './file-identity.ts';
import { groupPaths } from './group-paths.ts';
import { isMarkedBy, isNoted, marksOf, readLockNote } from './lock-note.ts';
import type { GroupMarks } from './lock-note.ts';
import { suspectsOf } from './shared-lock-files.ts';

export interface FormerNotes {
  /** The highest epoch that is noted, or that a process of this user was started under; 0: none. */
  readonly epoch: number;
  /** The identity of the lockfile directory that is there, if a holder of such a file has made it. */
  readonly lockfile: string | null;
  /** Processes that have such a file locked which is not the one in its place: they lead, as far as they know. */
  readonly holders: readonly number[];
}

/**
 * What is noted in any file that some process has open as the primary.lock of `directory` (its real path),
 * also if it was removed or moved away; where nobody has it open, what the workloads that are left were told.
 * A look at the descriptors of all processes: for rare use.
 */
export function findFormerNotes(directory: string): FormerNotes {
  const marks = marksOf(directory);
  const { lockfile: lockfilePath, primaryLock } = groupPaths(directory);
  const inPlace = identityOfPath(primaryLock);
  let found: FormerNotes = { epoch: 0, lockfile: null, holders: [] };
  for (const { pid, startsGroup, fds } of placesFor(directory)) {
    if (startsGroup) {
      found = { ...found, epoch: Math.max(found.epoch, startedUnder(pid, directory)) };
    }
    for (const fd of fds()) {
      if (!LOCK_NAMES.has(basename(targetOf(pid, fd)))) continue;
      const noted = notedIn(pathOfDescriptor(pid, fd), { marks, lockfilePath });
      if (noted === null) continue;
      const leads = noted.file !== inPlace && hasLock(pid, fd);
      found = {
        epoch: Math.max(found.epoch, noted.epoch),
        lockfile: found.lockfile ?? noted.lockfile,
        holders: leads ? [...found.holders, pid] : found.holders,
      };
    }
  }
  return found;
}

/** A process that is looked at, and where. */
interface Place {
  readonly pid: number;
  readonly startsGroup: boolean;
  readonly fds: () => readonly number[];
}

/** All there are, or those that a look for all groups of this process has shown. */
function placesFor(directory: string): Iterable<Place> {
  const suspects = suspectsOf(directory);
  if (suspects === null) {
    return listPids().map((pid) => ({ pid, startsGroup: true, fds: () => descriptorsOf(pid) }));
  }
  return [
    ...suspects.pids.map((pid) => ({ pid, startsGroup: true, fds: () => [] })),
    ...suspects.open.map(({ pid, fd }) => ({ pid, startsGroup: false, fds: () => [fd] })),
  ];
}

const LOCK_NAMES: ReadonlySet<string> = new Set(['primary.lock', 'primary.lock (deleted)']);

/** Not where it is another user's, who could use up all numbers. */
function startedUnder(pid: number, directory: string): number {
  const group = { group: basename(directory), stateDir: dirname(directory) };
  const epoch = readMark(pid, group)?.epoch ?? 0;
  return epoch > 0 && ownerOf(pid) === process.geteuid?.() ? epoch : 0;
}

function ownerOf(pid: number): number | undefined {
  try {
    return statSync(`/proc/${String(pid)}`, { throwIfNoEntry: false })?.uid;
  } catch {
    return undefined;
  }
}

/** `file`: the identity of the one with the note. */
type Noted = Omit<FormerNotes, 'holders'> & { readonly file: string };

function notedIn(
  path: string,
  { marks, lockfilePath }: { readonly marks: GroupMarks; readonly lockfilePath: string },
): Noted | null {
  const fd = openOrNull(path);
  if (fd === null) return null;
  try {
    const stats = fstatSync(fd, { bigint: true });
    if (!stats.isFile()) return null;
    const note = readLockNote(fd);
    if (!isMarkedBy(note, marks)) return null;
    const there = statOrNull(lockfilePath);
    const isOurs = there !== null && isNoted(note.lockfile, there, stats);
    const lockfile = isOurs ? identityOf(there) : null;
    return { epoch: note.epoch, lockfile, file: identityOf(stats) };
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens a file; null: gone meanwhile, or not ours to read. Without waiting: another program may have put a pipe
 * there.
 */
function openOrNull(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return null;
  }
}
