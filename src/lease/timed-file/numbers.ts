// Numbers that are used once: of epochs, and of nodes in the order in which they came.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  contentOf,
  giveName,
  highestIn,
  isThere,
  MOST_COUNTED,
  removeAll,
  settle,
  writeAhead,
} from './shared-files.ts';
import type { TimedPaths } from './timed-paths.ts';

/** Above all that are known; not a number that can be counted with where none is left. */
export async function nextEpoch({ epochs }: TimedPaths, known: readonly number[]): Promise<number> {
  return Math.max((await highestIn(epochs)) ?? 0, ...known) + 1;
}

/** An epoch that was heard of goes on record; nobody leads by that. */
export async function raiseEpoch({ epochs, claims }: TimedPaths, known: number): Promise<void> {
  const highest = await highestIn(epochs);
  // Without a place for it the node is not on record either, and registers anew.
  if (highest === null || known <= highest) return;
  const path = join(claims, `0-${String(process.pid)}-${String(known)}`);
  try {
    await writeAhead(path, '');
    await giveName(path, join(epochs, String(known)));
    await settle(epochs);
  } finally {
    await removeAll([path]);
  }
}

/** The place of a node among all that ever registered. */
export async function takeStart(paths: TimedPaths): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const number = (await lastStart(paths)) + 1;
    try {
      await writeFile(join(paths.starts, String(number)), '', { flag: 'wx' });
      return String(number);
    } catch (error) {
      if (!isThere(error) || attempt === STARTS_TRIED) throw error;
    }
  }
}

/** 0: nobody has registered. */
export async function lastStart({ starts }: TimedPaths): Promise<number> {
  return (await highestIn(starts, MOST_COUNTED)) ?? 0;
}

/** Those that had this place, or an earlier one, have nothing to do any more. */
export async function completedStart({ completed }: TimedPaths): Promise<number> {
  const text = await contentOf(completed);
  return text === null ? -1 : Number(text);
}

/** More than register at a time. */
const STARTS_TRIED = 1_000;
