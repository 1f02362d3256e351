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

/** For how long any that came before was active beside this one, ms; 0: never. */
export function overlapMs(run: Run, runs: readonly Run[]): number {
  const others = runs.filter(({ epoch }) => epoch < run.epoch);
  const beside = others.map(({ last }) => Number(last - run.first) / 1e6);
  return Math.max(0, ...beside);
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

/** Removes what was written before an epoch. */
export function forgetRuns(directory: string, epoch: number): void {
  for (const name of readdirSync(directory)) {
    if (name.endsWith('.run') && Number.parseInt(name, 10) < epoch) rmSync(join(directory, name));
  }
}
