// Which journals need not be read again: those of runs that are gone, once all in them has been read.
import type { GroupSnapshot } from '../client.ts';
import { timeOf } from './event.ts';
import type { Strand } from './event.ts';

interface Looked {
  readonly snapshot: Pick<GroupSnapshot, 'nodes'>;
  readonly strands: readonly Strand[];
  readonly known: ReadonlySet<string>;
  readonly askedAtMs: number;
}

/** How many events there are of each run whose process was gone, with nothing that is still to be told. */
export function endedAmong({
  snapshot,
  strands,
  known,
  askedAtMs,
}: Looked): ReadonlyMap<string, number> {
  const living = snapshot.nodes.filter(({ presence }) => presence !== 'gone');
  const open = new Set(living.map(({ record }) => record.run));
  const counts = new Map<string, number>();
  for (const { key, events } of strands) {
    counts.set(key, events.length);
    if (events.some((event) => timeOf(event) > askedAtMs)) open.add(key);
  }
  const ended = [...known].filter((run) => !open.has(run));
  return new Map(ended.map((run) => [run, counts.get(run) ?? 0]));
}

interface TwoLooks {
  readonly known: ReadonlySet<string>;
  /** So far. */
  readonly finished: ReadonlySet<string>;
  /** At the look before, and at this one. */
  readonly ended: ReadonlyMap<string, number>;
  readonly endedNow: ReadonlyMap<string, number>;
}

/**
 * Those of which two looks in a row have shown the same: what a process writes as it ends may be read half, and one that
 * is only just starting has a journal before it has a record.
 */
export function finishedAmong({ known, finished, ended, endedNow }: TwoLooks): ReadonlySet<string> {
  return new Set(
    [...known].filter((run) => {
      if (!endedNow.has(run)) return false;
      return finished.has(run) || ended.get(run) === endedNow.get(run);
    }),
  );
}
