// `failover events --follow`: each new event once, in order, until it is ended.
import { setTimeout as wait } from 'node:timers/promises';
import { endOnSignal } from '../end-on-signal.ts';
import { colorLevel } from '../render/color.ts';
import { followLines } from '../render/events-text.ts';
import type { Paint } from '../render/paint.ts';
import { paintFor } from '../render/plain.ts';
import { note } from '../say.ts';
import { lookEverywhere } from '../store-sight.ts';
import { timeOf } from '../timeline/event.ts';
import type { GroupEvent } from '../timeline/event.ts';
import { endedAmong, finishedAmong } from '../timeline/finished.ts';
import { Follower } from '../timeline/follower.ts';
import { gather } from '../timeline/gather.ts';
import type { EventsOptions } from './events.ts';

const LOOK_INTERVAL_MS = 500;

/** Begins with what is known since then. @param sinceMs Wall clock; -Infinity: all. */
export async function followEvents(options: EventsOptions, sinceMs: number): Promise<void> {
  const { signal } = endOnSignal();
  const paint = await paintFor(colorLevel(process.stdout));
  const follower = new Follower();
  /** Journals to which nobody writes any more, and that have been read. */
  let finished: ReadonlySet<string> = new Set();
  let ended: ReadonlyMap<string, number> = new Map();
  let problem: string | null = null;
  while (!signal.aborted) {
    // Whatever happened before this, all that answer have told it.
    const askedAtMs = Date.now();
    const snapshot = await lookEverywhere(options);
    const { strands, known } = await gather(snapshot, { skips: (run) => finished.has(run) });
    const fresh = follower.take(strands, askedAtMs).filter((event) => timeOf(event) >= sinceMs);
    for (const text of textsOf(fresh, options, paint)) process.stdout.write(`${text}\n`);
    follower.keep(known);
    const endedNow = endedAmong({ snapshot, strands, known, askedAtMs });
    finished = finishedAmong({ known, finished, ended, endedNow });
    ended = endedNow;
    const now = snapshot.store?.problem ?? null;
    if (now !== null && now !== problem) note(`${now}.`);
    problem = now;
    await wait(LOOK_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
}

function textsOf(
  fresh: readonly GroupEvent[],
  { json, group }: EventsOptions,
  paint: Paint,
): readonly string[] {
  if (json) return fresh.map((event) => JSON.stringify({ v: 1, group, ...event }));
  const now = new Date();
  return fresh.flatMap((event) => followLines(event, paint, now));
}
