// What the workloads of all hosts wrote down by themselves, on the clock that they share.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { textOf } from '../../support/text-of.ts';

/** One workload, from its first write to its last. */
export interface Run {
  readonly epoch: number;
  readonly node: string;
  /** Monotonic, ns. */
  readonly first: bigint;
  readonly last: bigint;
  /** Whether there was no other process of a workload when it began, be it one that stands still. */
  readonly isAlone: boolean;
}

/** In the order of their epochs. */
export function readRuns(directory: string): readonly Run[] {
  return readdirSync(directory)
    .flatMap((name) => {
      const [epoch = '', node = '', , kind] = name.split('.');
      const [first, last, , how] = textOf(join(directory, name)).trim().split(/\s+/);
      // It has written nothing yet.
      if (kind !== 'run' || how === undefined || first === undefined || last === undefined)
        return [];
      const isAlone = how === 'alone';
      return [{ epoch: Number(epoch), node, first: BigInt(first), last: BigInt(last), isAlone }];
    })
    .sort((one, other) => one.epoch - other.epoch);
}

/** When more than one was active, since a moment. */
export interface Together {
  /** In all. */
  readonly ms: number;
  /** How many were, at most. */
  readonly most: number;
  /** When one was left of the last of them; null: never were two. */
  readonly end: bigint | null;
}

export function together(runs: readonly Run[], since = 0n): Together {
  const changes = runs
    .filter(({ last }) => last > since)
    .flatMap(({ first, last }) => [
      { at: first > since ? first : since, by: 1 },
      { at: last, by: -1 },
    ])
    // Of two at one moment the end is first: they were not there together.
    .sort((one, other) => Number(one.at - other.at) || one.by - other.by);
  let [count, most, ns] = [0, 0, 0n];
  let [before, end]: [bigint, bigint | null] = [since, null];
  for (const { at, by } of changes) {
    if (count > 1) [ns, end] = [ns + at - before, at];
    [count, before] = [count + by, at];
    most = Math.max(most, count);
  }
  return { ms: Number(ns) / 1e6, most, end };
}

/**
 * What no schedule may bring about: an epoch twice, one that begins after a higher one, two processes at once;
 * of `besideAFrozenOne` the last may be.
 */
export function faultsOf(runs: readonly Run[], besideAFrozenOne: Run | null): readonly string[] {
  return runs.flatMap((run, index) => {
    const before = runs[index - 1];
    const title = `epoch ${String(run.epoch)} of ${run.node}`;
    const faults: string[] = [];
    if (before?.epoch === run.epoch) faults.push(`${title} is also one of ${before.node}`);
    if (before !== undefined && before.first > run.first)
      faults.push(`${title} began before a lower one`);
    if (!run.isAlone && run.epoch !== besideAFrozenOne?.epoch)
      faults.push(`${title} was not alone`);
    return faults;
  });
}

/**
 * What is wrong where hosts were parted and no store ruled: those of one side, who hear each other, have one primary
 * among them and rising epochs, and who is left has the highest of all, so that its writes are taken.
 */
export function partedFaultsOf(
  runs: readonly Run[],
  sides: readonly (readonly string[])[],
  left: Run,
): readonly string[] {
  const faults = sides.flatMap((side) => {
    // Those of other sides are there, too.
    const own = runs
      .filter(({ node }) => side.includes(node))
      .map((run) => ({ ...run, isAlone: true }));
    const { ms } = together(own);
    const beside = ms > 0 ? [`of ${side.join(' and ')} two were active for ${String(ms)} ms`] : [];
    return [...beside, ...faultsOf(own, null)];
  });
  const highest = Math.max(...runs.map(({ epoch }) => epoch));
  if (left.epoch === highest) return faults;
  const title = `${left.node} is left with epoch ${String(left.epoch)}`;
  return [...faults, `${title}, and there was ${String(highest)}`];
}

/** Removes what lower epochs wrote: those that write no more. */
export function forgetRuns(directory: string, { epoch, last }: Run): void {
  for (const name of readdirSync(directory)) {
    const [lower, path] = [Number.parseInt(name, 10), join(directory, name)];
    const lastWrite = textOf(path).split(' ')[1] ?? '';
    const isOver = /^\d+$/.test(lastWrite) && BigInt(lastWrite) + QUIET_NS < last;
    if (name.endsWith('.run') && lower < epoch && isOver) rmSync(path);
  }
}

/** Who writes every other millisecond, and gets a CPU now and then, is not silent for as long. */
const QUIET_NS = 1_000_000_000n;
