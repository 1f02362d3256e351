// What befalls three hosts, what has to follow, and what came of it: the words that cases are told in.
import type { Host, Site } from './site.ts';
import type { Run } from './runs.ts';

export interface Case {
  readonly name: string;
  /** `a pause`: nobody leads before its end. `each side leads`: until it is over, and then one does. */
  readonly follows: 'another leads' | 'each side leads' | 'a pause' | 'nothing';
  /** Gives the moment of the fault, monotonic, ns: what has to be looked up for it takes a while. */
  readonly begin: (stage: Stage) => bigint | Promise<bigint>;
  /** Once that has followed: takes the fault away. Gives the moment from which all of it is gone. */
  readonly end: (stage: Stage) => bigint | Promise<bigint>;
  /** The old workload is there still, and stands still, while another is active. */
  readonly freezes?: true;
  /** The others doubt the primary, and find that its lease goes on. */
  readonly isNoticed?: true;
  /** Too much like another to be a test of its own. */
  readonly isMeasuredOnly?: true;
  /** Which nodes hear each other still, where no store keeps two sides from having a primary each: without it, all do. */
  readonly sides?: (stage: Stage) => readonly (readonly Host[])[];
}

export interface Stage {
  readonly site: Site;
  readonly primary: Host;
  readonly others: readonly Host[];
  readonly run: Run;
}

/** What came of one case, as the workloads wrote it down. */
export interface Outcome {
  /** For how long more than one was active before it was ended, ms; what was frozen is left out. */
  readonly overlapMs: number;
  /** How many were active at once, at most. */
  readonly atOnce: number;
  /** From the fault, or from the end of it where it is nobody's to lead, to the next workload's first write. */
  readonly untilNextMs: number | null;
  /** From the fault to the old workload's last write. */
  readonly untilEndMs: number | null;
  /** Where nobody else is to lead: from the end of the fault until all others hear the primary, or hear it still. */
  readonly untilHeardMs: number | null;
  /** How long what was frozen wrote on once the whole of it was thawed; null: nothing was frozen. */
  readonly afterThawMs: number | null;
  /** Where each side led: from the end of the fault until one was active; else null. */
  readonly untilOneMs: number | null;
  /** Whether two led under one epoch. */
  readonly isEpochShared: boolean;
  /** How often it was played in vain before, as the lease changed hands where nobody else is to lead. */
  readonly changes: number;
  /** That of the old workload. */
  readonly epoch: number;
  readonly faults: readonly string[];
}

export function heal({ site }: Stage): bigint {
  const at = now();
  site.lan.heal();
  return at;
}

export function now(): bigint {
  return process.hrtime.bigint();
}

export function msFrom(begin: bigint, end: bigint): number {
  return Number(end - begin) / 1e6;
}
