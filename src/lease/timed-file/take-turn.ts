// Takes the next turn, and with it the lease, or a new epoch of it: one of all that try gets it.
import { join } from 'node:path';
import { parseJson } from '../file/durable-file.ts';
import type { Asker } from '../token-driver.ts';
import { firstBeat } from './beat.ts';
import type { IsLate } from './file-link.ts';
import { giveName, removeAll, settle, writeAhead } from './shared-files.ts';
import type { TimedPaths } from './timed-paths.ts';
import { lastTurnIn, turnText } from './turns.ts';

export interface TurnOrder {
  readonly paths: TimedPaths;
  readonly asker: Asker;
  /** The number of the turn: that of the one that was seen to be over + 1, and nothing else. */
  readonly number: number;
  readonly beat: string;
  /** Whether it is another acquisition than before, with a file of its own. */
  readonly isNew: boolean;
  readonly epoch: number;
  readonly ttlMs: number;
  readonly isLate: IsLate;
}

/**
 * False: another has it, or nobody. Whoever saw long ago that a turn was over can find its number free again, as old
 * ones are removed: then there is a higher one, and what was taken is void.
 */
export async function takeTurn(order: TurnOrder): Promise<boolean> {
  const { paths, asker, number, beat, epoch, ttlMs, isNew, isLate } = order;
  const { run, node, record } = asker;
  const ahead = join(paths.claims, `${beat}-${String(number)}`);
  const text = turnText({ epoch, beat, ttlMs, node, run, record: parseJson(record) });
  try {
    await writeAhead(ahead, text);
    if (isNew) await writeAhead(join(paths.beats, beat), firstBeat());
    if (isLate()) return false;
    if (!(await giveName(ahead, join(paths.turns, String(number))))) return false;
    // The number of an epoch that somebody has heard of meanwhile is not used again.
    if (!(await giveName(ahead, join(paths.epochs, String(epoch))))) return false;
    await Promise.all([settle(paths.turns), settle(paths.epochs)]);
    return (await lastTurnIn(paths.turns)) === number;
  } finally {
    await removeAll([ahead]);
  }
}
