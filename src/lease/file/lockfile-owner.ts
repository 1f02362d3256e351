// The note in primary.lock of which lockfile directory its holder made: lets a leftover be told for one.
import type { BigIntStats } from 'node:fs';
import { overwrite, padded, parseJson, readDescriptor } from './durable-file.ts';
import { identityOf } from './file-identity.ts';
import { isFull } from './storage-error.ts';

/** The note is overwritten in place, in room that the file has from its birth. */
export const LOCK_CONTENT_BYTES = 256;

export type OwnerNote =
  | { readonly state: 'none' }
  /** Written before the directory is made, for the holder that dies between the two. */
  | { readonly state: 'making' }
  | { readonly state: 'made'; readonly identity: string };

/** Only for the holder of the kernel lock. Without room for the note a leftover looks foreign later. */
export function writeOwnerNote(fd: number, note: OwnerNote): void {
  try {
    overwrite(fd, padded(note.state === 'none' ? '' : JSON.stringify(note), LOCK_CONTENT_BYTES));
  } catch (error) {
    if (!isFull(error)) throw error;
  }
}

export function readOwnerNote(fd: number): OwnerNote {
  const note = parseJson(readDescriptor(fd, LOCK_CONTENT_BYTES));
  if (typeof note !== 'object' || note === null || !('state' in note)) return { state: 'none' };
  if (note.state === 'making') return { state: 'making' };
  if (note.state !== 'made' || !('identity' in note)) return { state: 'none' };
  if (typeof note.identity !== 'string') return { state: 'none' };
  return { state: 'made', identity: note.identity };
}

/**
 * Whether a lockfile directory is the one that the note is about. `noted` is the state of the file with
 * the note: a directory of an unfinished note was born when that was written.
 */
export function isNoted(note: OwnerNote, directory: BigIntStats, noted: BigIntStats): boolean {
  if (note.state === 'made') return note.identity === identityOf(directory);
  if (note.state === 'none') return false;
  const born = directory.birthtimeNs > 0n ? directory.birthtimeNs : directory.ctimeNs;
  const apart = born - noted.mtimeNs;
  return apart < UNFINISHED_WITHIN_NS && apart > -UNFINISHED_WITHIN_NS;
}

const UNFINISHED_WITHIN_NS = 2_000_000_000n;
