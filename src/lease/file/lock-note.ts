// What primary.lock says: the highest epoch, who may have left something, and which lockfile directory was made.
import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { basename, dirname } from 'node:path';
import { overwrite, padded, parseJson, readDescriptor } from './durable-file.ts';
import { identityOf, identityOfDescriptor, identityOfPath } from './file-identity.ts';
import { isFull } from './storage-error.ts';

/** The note is overwritten in place, in room that the file has from its birth. */
const LOCK_NOTE_BYTES = 512;

export interface LockNote {
  /** The identity of the file that holds the note: a copy says that it is another. */
  readonly self: string;
  /** Which group's: the file may have been moved, or be found without a name. Empty: not known. */
  readonly mark: string;
  /** The same, for nodes that know the directory by another name, as through a bind mount. */
  readonly place: string;
  /** 0: none. Every holder writes its claim here too, so that it outlives the directory of epochs. */
  readonly epoch: number;
  /**
   * The last run that was allowed to start something and has not left in order; empty: none. Null: not
   * known. Who finds no record of that run knows that records were removed.
   */
  readonly starter: string | null;
  readonly lockfile: LockfileNote;
}

/** Lets a leftover of proper-lockfile be told for one. */
export type LockfileNote =
  | { readonly state: 'none' }
  /** Written before the directory is made, for the holder that dies between the two. */
  | { readonly state: 'making' }
  | { readonly state: 'made'; readonly identity: string };

export type GroupMarks = Pick<LockNote, 'mark' | 'place'>;

/**
 * What notes of the group of this directory are known by: its path, which can be longer than the note, and
 * its name in the directory above, which is there still when its own was removed.
 */
export function marksOf(directory: string): GroupMarks {
  const above = identityOfPath(dirname(directory));
  return {
    mark: digest(directory),
    place: above === null ? '' : digest(`${above}/${basename(directory)}`),
  };
}

export function isMarkedBy({ mark, place }: GroupMarks, group: GroupMarks): boolean {
  return mark === group.mark || (place !== '' && place === group.place);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, MARK_LENGTH);
}

/** The content of a new lock file. */
export function lockNoteContent(note: LockNote): Buffer {
  return padded(JSON.stringify(note), LOCK_NOTE_BYTES);
}

/**
 * Only for the holder of the kernel lock. Without room for the note, in a file that somebody else made, a
 * leftover looks foreign later.
 */
export function writeLockNote(fd: number, changes: Partial<LockNote>): void {
  try {
    const self = identityOfDescriptor(fd);
    overwrite(fd, lockNoteContent({ ...readLockNote(fd), ...changes, self }));
  } catch (error) {
    if (!isFull(error)) throw error;
  }
}

/** What can't be read says nothing: the epoch is on record in the directory of epochs as well. */
export function readLockNote(fd: number): LockNote {
  return parseLockNote(readDescriptor(fd, LOCK_NOTE_BYTES));
}

/** For callers that read the note at every beat: it is read each time, and parsed only where it has changed. */
export class LockNoteReader {
  #text: string | null = null;
  #note: LockNote = NOTHING;

  /** As `readLockNote`. */
  read(fd: number): LockNote {
    const length = readSync(fd, noteBuffer, 0, LOCK_NOTE_BYTES, 0);
    const text = noteBuffer.toString('latin1', 0, length).trimEnd();
    if (text !== this.#text) {
      this.#note = parseLockNote(noteBuffer.toString('utf8', 0, length));
      this.#text = text;
    }
    return this.#note;
  }
}

const noteBuffer = Buffer.alloc(LOCK_NOTE_BYTES);

function parseLockNote(text: string): LockNote {
  const note = parseJson(text);
  if (typeof note !== 'object' || note === null) return NOTHING;
  return {
    self: 'self' in note && typeof note.self === 'string' ? note.self : '',
    mark: 'mark' in note && typeof note.mark === 'string' ? note.mark : '',
    place: 'place' in note && typeof note.place === 'string' ? note.place : '',
    epoch: 'epoch' in note ? epochOf(note.epoch) : 0,
    starter: 'starter' in note && typeof note.starter === 'string' ? note.starter : null,
    lockfile: 'lockfile' in note ? lockfileOf(note.lockfile) : NOTHING.lockfile,
  };
}

/**
 * Whether a lockfile directory is the one that the note is about. `noted` is the state of the file with
 * the note: a directory of an unfinished note was born when that was written.
 */
export function isNoted(note: LockfileNote, directory: BigIntStats, noted: BigIntStats): boolean {
  if (note.state === 'made') return note.identity === identityOf(directory);
  if (note.state === 'none') return false;
  const born = directory.birthtimeNs > 0n ? directory.birthtimeNs : directory.ctimeNs;
  const apart = born - noted.mtimeNs;
  return apart < UNFINISHED_WITHIN_NS && apart > -UNFINISHED_WITHIN_NS;
}

const NOTHING: LockNote = {
  self: '',
  mark: '',
  place: '',
  epoch: 0,
  starter: null,
  lockfile: { state: 'none' },
};

const MARK_LENGTH = 32;

const UNFINISHED_WITHIN_NS = 2_000_000_000n;

function epochOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function lockfileOf(value: unknown): LockfileNote {
  if (typeof value !== 'object' || value === null || !('state' in value)) return { state: 'none' };
  if (value.state === 'making') return { state: 'making' };
  if (value.state !== 'made' || !('identity' in value)) return { state: 'none' };
  if (typeof value.identity !== 'string') return { state: 'none' };
  return { state: 'made', identity: value.identity };
}
