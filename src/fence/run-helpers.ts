// Ends what a run of this process started and what left the session, also where it holds no lock.
import { readdirSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { identityOf } from '../lease/file/file-identity.ts';
import type { NodeRecord } from '../lease/lease-store.ts';
import { isOutOfResources } from '../out-of-resources.ts';
import { descriptorsOf, pathOfDescriptor } from './open-files.ts';
import { hasEnded, procIsUsable, readStat } from './process-identity.ts';
import type { ProcessStat } from './process-identity.ts';
import { readMark } from './process-view.ts';
import { SignalLadder } from './signal-ladder.ts';
import { isStartedBy } from './started-by.ts';
import type { Starter } from './started-by.ts';

export interface HelperSources extends Omit<Starter, 'since'> {
  /** The identities of the workload lock's files that its runs inherited, whatever became of their name. */
  readonly lockFiles: ReadonlySet<string>;
  readonly listNodes: () => readonly NodeRecord[];
  /** True: only what its hooks have started. */
  readonly ofHooks?: boolean;
  /** When the node's own process started, clock ticks since boot; by default it is this process. */
  readonly since?: string;
}

/**
 * Ends each process that has a workload lock's file open and whose environment says that this node
 * started it: its group, its directory, its node id, and no earlier than the node itself. One look
 * costs milliseconds; done within the grace + 2.5 s.
 *
 * @returns the pids that are still there.
 */
export async function endRunHelpers(
  sources: HelperSources,
  graceMs: number,
): Promise<readonly number[]> {
  const ladder = new SignalLadder(graceMs);
  for (;;) {
    const helpers = findRunHelpers(sources);
    const targets = helpers.map((stat) => ({ ...stat, graceMs, isStopping: false }));
    if (!ladder.step(targets)) return helpers.map(({ pid }) => pid);
    await pause(POLL_MS);
  }
}

const POLL_MS = 20;

function findRunHelpers(sources: HelperSources): readonly ProcessStat[] {
  const own = procIsUsable() ? readStat(process.pid) : null;
  if (own === null) return [];
  const starter = { ...sources, since: sources.since ?? own.startTime };
  const supervisors = new Set(sources.listNodes().map(({ supervisor }) => supervisor.pid));
  return readdirSync('/proc').flatMap((name) => {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : null;
    if (stat === null || hasEnded(stat) || stat.pid === own.pid) return [];
    // A node that a workload started is no helper, and ends what is its own.
    if (supervisors.has(stat.pid)) return [];
    if (!isStartedBy(stat, starter) || !hasOpen(stat.pid, sources.lockFiles)) return [];
    if (sources.ofHooks === true && readMark(stat.pid, starter)?.isOfHook !== true) return [];
    return [stat];
  });
}

/** Whether a process has one of these files open. A descriptor that was closed just now says nothing of the others. */
function hasOpen(pid: number, files: ReadonlySet<string>): boolean {
  return descriptorsOf(pid).some((fd) => {
    const identity = identityOrNull(pathOfDescriptor(pid, fd));
    return identity !== null && files.has(identity);
  });
}

function identityOrNull(descriptor: string): string | null {
  try {
    return identityOf(statSync(descriptor, { bigint: true }));
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return null;
  }
}
