// One trial: the supervisor of the primary is stopped, another takes over, and it goes on.
import { join } from 'node:path';
import { overlapMs, readRuns } from '../../hosts/support/runs.ts';
import type { Run } from '../../hosts/support/runs.ts';
import type { Group } from '../../support/process-group.ts';
import type { NodeProcess } from '../../support/process-node.ts';
import { bringToStandstill } from '../../support/standstill.ts';
import type { TrialServer } from './stores.ts';

/** As the workloads wrote it down, every other millisecond; all times in ms. */
export interface Trial {
  /** For how long two were active at once; 0: never. */
  readonly overlapMs: number;
  /** Whether no other process of a workload was there when the next began. */
  readonly isAlone: boolean;
  /** From the old workload's last write to the earliest end of its lease in the server; negative: too late. */
  readonly marginMs: number;
  /** From the stop on. */
  readonly untilEndMs: number;
  readonly untilNextMs: number;
  /** The longest time for which this program itself got no CPU meanwhile, or stood still: then guards did so, too. */
  readonly lateMs: number;
  /** Whether it became a secondary when it went on, and did not end. */
  readonly hasSteppedDown: boolean;
}

export async function trial(group: Group, server: TrialServer): Promise<Trial> {
  const { primary, run } = await steady(group);
  const lateness = new Lateness();
  const stoppedAt = performance.now();
  bringToStandstill(primary.pid);
  const endOfLease = await server.endOfLease();
  const next = await group.until('the next workload', () =>
    runsOf(group).find(({ epoch }) => epoch > run.epoch),
  );
  primary.kill('SIGCONT');
  await group.until('the one that was stopped to go on', () => primary.phase !== 'serving');
  await group.until('it to follow', () => primary.end !== null || primary.phase === 'watching');
  const runs = runsOf(group);
  const last = msOf(runs.find(({ epoch }) => epoch === run.epoch)?.last ?? run.last);
  return {
    overlapMs: overlapMs(next, runs),
    isAlone: next.isAlone,
    marginMs: endOfLease - last,
    untilEndMs: last - stoppedAt,
    untilNextMs: msOf(next.first) - stoppedAt,
    lateMs: lateness.stop(),
    hasSteppedDown: primary.end === null,
  };
}

/** How late a timer of this program is at most. */
class Lateness {
  #longestMs = 0;
  #lastAt = performance.now();
  readonly #timer = setInterval(() => {
    this.#look();
  }, PERIOD_MS);

  stop(): number {
    clearInterval(this.#timer);
    this.#look();
    return this.#longestMs;
  }

  #look(): void {
    const at = performance.now();
    this.#longestMs = Math.max(this.#longestMs, at - this.#lastAt - PERIOD_MS);
    this.#lastAt = at;
  }
}

const PERIOD_MS = 5;

/** One serves and writes, the other follows. */
async function steady(group: Group): Promise<{ readonly primary: NodeProcess; readonly run: Run }> {
  return group.until('one to lead and one to follow', () => {
    const primary = group.nodes.find(({ phase }) => phase === 'serving');
    const standby = group.nodes.find(({ phase }) => phase === 'watching');
    const run = runsOf(group).at(-1);
    if (primary === undefined || standby === undefined) return null;
    return run?.node === primary.id && run.epoch === primary.epoch && { primary, run };
  });
}

/** Where the workloads of a group write. */
export function placeOfRuns(group: Group): string {
  return join(group.directory, 'runs');
}

function runsOf(group: Group): readonly Run[] {
  return readRuns(placeOfRuns(group));
}

/** The clock of `performance.now()` begins with the process, theirs with the machine. */
function msOf(ns: bigint): number {
  return Number(ns - ORIGIN_NS) / 1e6;
}

const ORIGIN_NS = process.hrtime.bigint() - BigInt(Math.round(performance.now() * 1e6));
