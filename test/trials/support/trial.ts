// One trial: the supervisor of the primary is stopped, another takes over, and it goes on.
import { join } from 'node:path';
import { readRuns, together } from '../../hosts/support/runs.ts';
import type { Run } from '../../hosts/support/runs.ts';
import type { Group } from '../../support/process-group.ts';
import type { NodeProcess } from '../../support/process-node.ts';
import { guardOf } from '../../support/process-list.ts';
import { bringToStandstill } from '../../support/standstill.ts';
import { textOf } from '../../support/text-of.ts';
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
  /** How long its guard was ready meanwhile to do what it has to, and others had the CPU. */
  readonly guardWaitedMs: number;
  /** Whether it became a secondary when it went on, and did not end. */
  readonly hasSteppedDown: boolean;
}

export async function trial(group: Group, server: TrialServer): Promise<Trial> {
  const { primary, run } = await steady(group);
  const starvation = new Starvation(guardOf(primary.pid) ?? -1);
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
    overlapMs: together(runs, run.first).ms,
    isAlone: next.isAlone,
    marginMs: endOfLease - last,
    untilEndMs: last - stoppedAt,
    untilNextMs: msOf(next.first) - stoppedAt,
    guardWaitedMs: starvation.stop(),
    hasSteppedDown: primary.end === null,
  };
}

/** How long a process was ready to run and got no CPU, as the kernel counts it. */
class Starvation {
  readonly #pid: number;
  readonly #before: number;
  #last: number;
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#pid = pid;
    this.#before = waitedMs(pid) ?? 0;
    this.#last = this.#before;
    this.#timer = setInterval(() => {
      // It ends when its work is done.
      this.#last = waitedMs(pid) ?? this.#last;
    }, 5);
  }

  stop(): number {
    clearInterval(this.#timer);
    return (waitedMs(this.#pid) ?? this.#last) - this.#before;
  }
}

/** Null: it is gone. */
function waitedMs(pid: number): number | null {
  const [, waitedNs] = textOf(`/proc/${String(pid)}/task/${String(pid)}/schedstat`).split(' ');
  return waitedNs === undefined ? null : Number(waitedNs) / 1e6;
}

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
