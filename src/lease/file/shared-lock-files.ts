// Who has lock files open, seen for all groups of this process at once. What it names is looked at again by who asks.
import { closeSync, constants, existsSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { descriptorsOf, listPids, pathOfDescriptor, targetOf } from '../../fence/open-files.ts';
import type { OpenFile } from '../../fence/open-files.ts';
import { programOf } from '../../fence/process-identity.ts';
import { groupNamedBy } from '../../fence/process-view.ts';
import type { Hint } from '../../fence/shared-look.ts';
import { Index, KeptLook, giveHints, looksAreShared } from '../../fence/shared-look.ts';
import { marksOf, readLockNote } from './lock-note.ts';

/** What may have to do with the group of a directory: it is looked at closely, and nothing else is. */
export interface Suspects {
  /** Processes whose environment names a group of that name. */
  readonly pids: readonly number[];
  /** Lock files that are, or were, in that directory, or say that they are of it. */
  readonly open: readonly OpenFile[];
}

/** Pids that may have the lock files of a group open; null: nodes of this process look for themselves. */
export function suspectsOf(directory: string): Suspects | null {
  if (!looksAreShared()) return null;
  kept.refresh();
  const { mark, place } = marksOf(directory);
  const open = lockFiles.of([directory, mark, place]).flatMap((place) => {
    const { pid, fd } = hintOf(place);
    return openNow(pid, fd);
  });
  return { pids: starters.of([basename(directory)]), open };
}

giveHints(
  (path) => {
    kept.refresh();
    return lockFiles.of([dirname(path)]).map(hintOf);
  },
  (group) => {
    kept.refresh();
    return starters.of([group]);
  },
);

/** Whoever begins now sees what is open now, and not what was a while ago. */
export function lookAnew(): void {
  kept.expire();
}

/** Each as `pid fd`. */
const lockFiles = new Index<string>();
const starters = new Index<number>();

/** Which program those that are new had begun with when they were seen. */
const programs = new Map<number, string>();

const kept = new KeptLook({
  seeAll: () => {
    lockFiles.clear();
    starters.clear();
    programs.clear();
    for (const pid of listPids()) see(pid);
  },
  see: seeNew,
  seeAgain: (pid) => {
    // What it opens later is seen with all others, as of a process that is old.
    if (programOf(pid) !== programs.get(pid)) seeNew(pid);
  },
  limitMs: 500,
});

/** Notes a process, its program first: one that it changes to meanwhile counts as another at the next look. */
function seeNew(pid: number): boolean {
  const program = programOf(pid);
  const isThere = see(pid);
  if (program !== undefined) programs.set(pid, program);
  return isThere;
}

const NAMES: ReadonlySet<string> = new Set(['primary.lock', 'workload.lock']);

function see(pid: number): boolean {
  const group = groupNamedBy(pid);
  if (group !== null) starters.add(group, pid);
  for (const fd of descriptorsOf(pid)) {
    const [file] = openNow(pid, fd);
    if (file === undefined) continue;
    const place = `${String(pid)} ${String(fd)}`;
    lockFiles.add(dirname(file.path), place);
    const note = noteOf(file);
    for (const word of [note.mark, note.place]) if (word !== '') lockFiles.add(word, place);
  }
  return existsSync(`/proc/${String(pid)}`);
}

function hintOf(place: string): Hint {
  const [pid = 0, fd = 0] = place.split(' ').map(Number);
  return { pid, fd };
}

function openNow(pid: number, fd: number): readonly OpenFile[] {
  const target = targetOf(pid, fd);
  const path = target.replace(/ \(deleted\)$/, '');
  return NAMES.has(basename(path)) ? [{ pid, fd, path, isDeleted: path !== target }] : [];
}

function noteOf({ pid, fd }: OpenFile): { readonly mark: string; readonly place: string } {
  try {
    const flags = constants.O_RDONLY | constants.O_NONBLOCK;
    const opened = openSync(pathOfDescriptor(pid, fd), flags);
    try {
      return readLockNote(opened);
    } finally {
      closeSync(opened);
    }
  } catch {
    return { mark: '', place: '' };
  }
}
