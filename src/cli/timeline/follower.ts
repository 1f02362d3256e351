// What is new since the last look at a timeline: each event once, in order, whoever comes and goes.
import { inOrder, timeOf } from './event.ts';
import type { GroupEvent, Strand } from './event.ts';

/** Remembers one event for each run: the last that was told. */
export class Follower {
  readonly #lastByKey = new Map<string, GroupEvent>();

  /**
   * The events that no earlier call returned, the oldest first. Those after `untilMs` are left for the next call:
   * another node may not have told yet what came before them.
   */
  take(strands: readonly Strand[], untilMs: number): readonly GroupEvent[] {
    const fresh = strands.map(({ key, events }) => {
      const later = eventsAfter(this.#lastByKey.get(key), events);
      // A server has a clock of its own, and tells everything in its order.
      // Whatever came before one that is due is due as well, also where a clock was set back in between.
      const end = later.findLastIndex(
        (event) => event.via === 'server' || timeOf(event) <= untilMs,
      );
      const due = later.slice(0, end + 1);
      const last = due.at(-1);
      if (last !== undefined) this.#lastByKey.set(key, last);
      return { key, events: due };
    });
    return inOrder(fresh);
  }

  /** What was told last of a run; null: nothing. */
  lastOf(run: string): GroupEvent | null {
    return this.#lastByKey.get(run) ?? null;
  }

  /** Of the others nothing will be told again. */
  keep(known: ReadonlySet<string>): void {
    for (const key of this.#lastByKey.keys()) if (!known.has(key)) this.#lastByKey.delete(key);
  }
}

/** What is told is always the end of the same list, which may have lost its beginning. */
function eventsAfter(
  last: GroupEvent | undefined,
  events: readonly GroupEvent[],
): readonly GroupEvent[] {
  if (last === undefined) return events;
  const place = events.findLastIndex((event) => isSame(event, last));
  if (place >= 0) return events.slice(place + 1);
  return events.filter((event) => timeOf(event) > timeOf(last));
}

/** A journal writes its own time beside an event, a moment later. */
const SAME_WITHIN_MS = 50;

/** Each peer has dated what it saw by its own clock, and another may answer the next time. */
const SAME_AMONG_PEERS_MS = 10_000;

function isSame(a: GroupEvent, b: GroupEvent): boolean {
  const isOne = a.node === b.node && a.action === b.action && a.from === b.from;
  const isAlike = isOne && a.epoch === b.epoch && a.reason === b.reason;
  return isAlike && Math.abs(timeOf(a) - timeOf(b)) <= toleranceMs(a, b);
}

function toleranceMs(a: GroupEvent, b: GroupEvent): number {
  if (a.via !== b.via) return SAME_WITHIN_MS;
  // A server gives no reason: where there is one, peers have told it.
  return a.source === 'server' && a.reason !== null ? SAME_AMONG_PEERS_MS : 0;
}
