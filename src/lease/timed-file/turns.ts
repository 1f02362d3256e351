// Who has had the lease, one turn after the other: the next has the next number, and nobody can have the same.
import { join } from 'node:path';
import type { LeaseHolder } from '../../core/state.ts';
import { parseJson } from '../file/durable-file.ts';
import { fieldsOf, finite, name, runName } from '../file/record-fields.ts';
import { readLeaseHolder } from '../stored-records.ts';
import { contentOf, highestIn, MOST_COUNTED } from './shared-files.ts';
import type { TimedPaths } from './timed-paths.ts';

export interface Turn {
  readonly epoch: number;
  /** The name of the file by which its holder shows that it still has it. */
  readonly beat: string;
  /** The time to live as the holder counts it. */
  readonly ttlMs: number;
  readonly node: string | null;
  readonly run: string | null;
  readonly holder: LeaseHolder | null;
}

export interface Top {
  /** 0: there was none yet. */
  readonly number: number;
  /** The latest turn; null: there was none, or it cannot be read, and counts all the same. */
  readonly turn: Turn | null;
}

export function turnText(turn: Omit<Turn, 'holder'> & { readonly record: unknown }): string {
  return JSON.stringify({ v: 1, ...turn });
}

/** The latest turn; null: there is no place for turns. Read anew each time: after a loss the numbers begin again. */
export async function latestTurn({ turns }: TimedPaths): Promise<Top | null> {
  const number = await lastTurnIn(turns);
  if (number === null) return null;
  if (number === 0) return { number, turn: null };
  return { number, turn: readTurn(await contentOf(join(turns, String(number)))) };
}

/** The number of the latest turn; null: there is no place for turns; 0: there was none. */
export function lastTurnIn(turns: string): Promise<number | null> {
  return highestIn(turns, MOST_COUNTED);
}

function readTurn(content: string | null): Turn | null {
  const fields = fieldsOf(content === null ? null : parseJson(content));
  const epoch = finite(fields?.['epoch']);
  const beat = fields?.['beat'];
  const ttlMs = finite(fields?.['ttlMs']);
  if (fields?.['v'] !== 1 || epoch === null || !Number.isSafeInteger(epoch) || epoch < 0)
    return null;
  if (typeof beat !== 'string' || !BEAT_NAME.test(beat)) return null;
  if (ttlMs === null || ttlMs <= 0 || ttlMs > LONGEST_TTL_MS) return null;
  const [node, run] = [name(fields['node']), runName(fields['run'])];
  return { epoch, beat, ttlMs, node, run, holder: readLeaseHolder(fields['record']) };
}

/** The number of the turn that was claimed with it, and a token. */
const BEAT_NAME = /^[1-9]\d{0,15}-[0-9a-f]{1,64}$/;

/** The longest time to live that the options allow. */
const LONGEST_TTL_MS = 2 ** 31;
