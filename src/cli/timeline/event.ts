// One thing that happened in a group, as `failover events` tells it.
import type { Takeover } from '../../core/state.ts';

/** Keys are added in later versions, never changed or removed. */
export interface GroupEvent {
  /** Wall clock of whoever tells it, ISO 8601. */
  readonly time: string;
  readonly node: string;
  readonly source: 'node' | 'server';
  /** What was noted at the server, or the phase that the node went over to. */
  readonly action: string;
  readonly epoch: number;
  /** Null: a server notes none. Where there is no server, a node tells what it saw of the others. */
  readonly reason: string | null;
  /** Where it was read: a node that does not answer, or has ended, has left its journal. */
  readonly via: 'node' | 'journal' | 'server';
  /** Which life of the node; null: a server does not say. */
  readonly run: string | null;
  /** The phase before, and how long that was; null: none, or not known. */
  readonly from: string | null;
  readonly fromMs: number | null;
  /** How long the phase lasted; null: it lasts, it is not known, or this is no phase. */
  readonly durationMs: number | null;
  /** With the last step of a promotion: what it was, as measured by who took over; null: not that, or not known. */
  readonly takeover: Takeover | null;
}

/** What one run of a node has told: its events in their order, the oldest first. */
export interface Strand {
  /** The run, or the server. */
  readonly key: string;
  readonly events: readonly GroupEvent[];
}

/** The durations that follow from the order; a wall clock that was set back makes none. */
export function withDurations(events: readonly GroupEvent[]): readonly GroupEvent[] {
  return events.map((event, place) => ({
    ...event,
    fromMs: between(events[place - 1], event),
    durationMs: between(event, events[place + 1]),
  }));
}

/**
 * The oldest first; of one instant in the order in which they are given. Those of one strand keep their order: one
 * that a clock which was set back has dated early counts as no older than what came before it.
 */
export function inOrder(strands: readonly Strand[]): readonly GroupEvent[] {
  const dated = strands.flatMap(({ events }) => {
    let latestMs = -Infinity;
    return events.map((event) => {
      latestMs = Math.max(latestMs, timeOf(event));
      return { event, atMs: latestMs };
    });
  });
  return dated.sort((a, b) => a.atMs - b.atMs).map(({ event }) => event);
}

export function timeOf({ time }: GroupEvent): number {
  return Date.parse(time);
}

function between(first: GroupEvent | undefined, second: GroupEvent | undefined): number | null {
  if (first === undefined || second === undefined) return null;
  return Math.max(0, timeOf(second) - timeOf(first));
}
