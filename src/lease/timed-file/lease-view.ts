// What a look at the files of a group shows: whose turn it is, and for how long yet.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { LeaseObservation } from '../../core/state.ts';
import { readLeaseHolder } from '../stored-records.ts';
import { isFree } from './beat.ts';
import type { NodeList } from './node-list.ts';
import { contentOf, exists, highestIn, identityOf, namesIn } from './shared-files.ts';
import { Sight } from './sight.ts';
import type { TimedPaths } from './timed-paths.ts';
import { latestTurn } from './turns.ts';
import type { Top } from './turns.ts';

export interface Seen {
  readonly top: Top;
  /** Whether there is a place for turns: without one the lease never ends. */
  readonly hasTurns: boolean;
  /** How long it may still be held, ms; 0: it is free. */
  readonly leftMs: number;
  readonly observation: LeaseObservation;
}

export interface LeaseViewParts {
  readonly paths: TimedPaths;
  readonly nodes: NodeList;
  readonly now: () => number;
  /** This node's own time to live: it counts where nothing tells that of a holder. */
  readonly ttlMs: number;
}

export class LeaseView {
  readonly #parts: LeaseViewParts;
  readonly #sight = new Sight();
  /** The time to live of the turn that was seen last, ms; 0: it was over then. */
  #seenTtlMs = 0;

  constructor(parts: LeaseViewParts) {
    this.#parts = parts;
  }

  async see(): Promise<Seen> {
    const { now } = this.#parts;
    const beganAt = now();
    const found = await latestTurn(this.#parts.paths);
    const top = found ?? NO_TURN;
    const hasTurns = found !== null;
    const { mark, isGivenBack } = await this.#markOf(top, hasTurns);
    // Whose turn is lost may lead on until the end that it was seen to have.
    const ttlMs = top.turn?.ttlMs ?? Math.max(this.#parts.ttlMs, this.#seenTtlMs);
    // Without a place for turns there is nothing that could stay the same.
    const whole = { mark: mark ?? '', ttlMs, beganAt, endedAt: now() };
    const unfreeMs = mark === null ? ttlMs : this.#sight.leftMs(whole);
    const leftMs = isGivenBack ? 0 : unfreeMs;
    if (top.turn !== null || leftMs === 0) this.#seenTtlMs = leftMs === 0 ? 0 : ttlMs;
    return { top, hasTurns, leftMs, observation: await this.#observation(top, leftMs) };
  }

  /**
   * For one who looks once, and can't see whether it stays the same: by the clocks of the files' server and of this
   * machine, and where those make it seem over, by a second look.
   */
  async seeOnce(): Promise<Seen> {
    const seen = await this.see();
    const { turn } = seen.top;
    const free = { ...seen, leftMs: 0, observation: { ...seen.observation, held: false } };
    if (!seen.hasTurns) return free;
    if (turn === null || seen.leftMs === 0) return seen;
    const path = join(this.#parts.paths.beats, turn.beat);
    const writtenAtMs = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => null,
    );
    if (writtenAtMs !== null && Math.abs(Date.now() - writtenAtMs) <= turn.ttlMs) return seen;
    const before = await contentOf(path);
    await wait(SECOND_LOOK_MS);
    if (before !== null && (await contentOf(path)) !== before) return this.see();
    return free;
  }

  /** What is different after each renewal; null: nothing is to be seen there. */
  async #markOf(
    { number, turn }: Top,
    hasTurns: boolean,
  ): Promise<{ readonly mark: string | null; readonly isGivenBack: boolean }> {
    const { turns, beats } = this.#parts.paths;
    if (!hasTurns) return { mark: null, isGivenBack: false };
    if (turn === null) {
      // Turns that were there meanwhile, and are lost, leave another directory, or another time on it.
      const place = `${String(number)} in ${String(await identityOf(turns))}`;
      // Somebody may have the turn that can't be read, and renews it in one of these.
      const renewals = number === 0 ? [] : await contentsIn(beats);
      return { mark: [place, ...renewals].join('\n'), isGivenBack: false };
    }
    const content = await contentOf(join(beats, turn.beat));
    const mark = `${turn.beat}: ${content ?? 'missing'}`;
    return { mark, isGivenBack: content !== null && isFree(content) };
  }

  async #observation({ turn }: Top, leftMs: number): Promise<LeaseObservation> {
    const { nodes, paths } = this.#parts;
    const run = turn?.run ?? null;
    const record = run === null ? null : await nodes.recordOf(run);
    // Without a turn that tells, it is what those have said that know of earlier ones.
    const epoch = turn?.epoch ?? (await highestIn(paths.epochs)) ?? 0;
    return {
      ...{ epoch, held: leftMs > 0, recordUnreadable: false, touch: null },
      // Where its holder listens by now, if it says so.
      holder: readLeaseHolder(record) ?? turn?.holder ?? null,
      paused: await exists(paths.paused),
    };
  }
}

async function contentsIn(directory: string): Promise<readonly string[]> {
  const contents: string[] = [];
  for (const name of [...(await namesIn(directory))].sort()) {
    contents.push(`${name}: ${(await contentOf(join(directory, name))) ?? ''}`);
  }
  return contents;
}

const NO_TURN: Top = { number: 0, turn: null };

/** Longer than two renewals are apart, as long as nobody sets it otherwise. */
const SECOND_LOOK_MS = 1_100;
