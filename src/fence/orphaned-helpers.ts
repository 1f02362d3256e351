// Ends what left the session of a hot workload whose node was killed while it stood by: no lock tells of it.
import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { NodeRecord } from '../lease/lease-store.ts';
import { descriptorsOf, targetOf } from './open-files.ts';
import { hasEnded, isAlive, isComparable, procIsUsable, readStat } from './process-identity.ts';
import type { ProcessStat } from './process-identity.ts';
import { readMark } from './process-view.ts';
import type { GroupMark } from './process-view.ts';
import { SignalLadder } from './signal-ladder.ts';

export interface OrphanSources extends GroupMark {
  readonly workloadLockPath: string;
  readonly listNodes: () => readonly NodeRecord[];
  /** Where a run of a node keeps its role file: each process that it starts is told, and no other is. */
  readonly roleFileOf: (run: string) => string;
}

/**
 * Ends each process that has the workload lock's file open and whose environment names a run of a hot node
 * that is on record and dead. A run is one life of one node: a later life of the same node, and one in a
 * container that calls its directory the same, have another. Members of a recorded session are left to who
 * empties it, with its own grace. Where no such record is, nothing is looked at.
 *
 * Done within the longest grace + 2.5 s. `graceMs` is asked at each look, so that a wait can be cut short.
 *
 * @returns the runs of hot nodes that are dead and left nothing of this.
 */
export async function endOrphanedHelpers(
  sources: OrphanSources,
  graceMs: () => number,
): Promise<ReadonlySet<string>> {
  const ladder = new SignalLadder(graceMs());
  for (;;) {
    const nodes = sources.listNodes();
    const orphans = findOrphanedHelpers(sources, nodes);
    const targets = orphans.map((stat) => ({ ...stat, graceMs: graceMs(), isStopping: false }));
    if (!ladder.step(targets)) {
      return new Set(orphans.length > 0 ? [] : nodes.filter(isDeadHot).map(({ run }) => run));
    }
    await pause(POLL_MS);
  }
}

const POLL_MS = 20;

function findOrphanedHelpers(
  sources: OrphanSources,
  nodes: readonly NodeRecord[],
): readonly ProcessStat[] {
  // What is to be kept is nobody's to end.
  const dead = nodes.filter((node) => isDeadHot(node) && !node.sessions.some(({ keep }) => keep));
  if (dead.length === 0 || !procIsUsable()) return [];
  const roleFiles = new Set(dead.map(({ run }) => sources.roleFileOf(run)));
  const sessions = new Set(
    dead.flatMap((node) => node.sessions.map(({ process: { pid } }) => pid)),
  );
  // A node that a workload started is no helper, and ends what is its own.
  const supervisors = new Set(nodes.map(({ supervisor }) => supervisor.pid));
  return readdirSync('/proc').flatMap((name) => {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : null;
    if (stat === null || hasEnded(stat)) return [];
    if (sessions.has(stat.session) || supervisors.has(stat.pid)) return [];
    const roleFile = readMark(stat.pid, sources)?.roleFile ?? '';
    if (!roleFiles.has(roleFile)) return [];
    return hasOpen(stat.pid, sources.workloadLockPath) ? [stat] : [];
  });
}

function isDeadHot({ standby, supervisor }: NodeRecord): boolean {
  return standby === 'hot' && isComparable(supervisor) && !isAlive(supervisor);
}

/** Also when the file was removed since. */
function hasOpen(pid: number, path: string): boolean {
  const targets = new Set([path, `${path} (deleted)`]);
  return descriptorsOf(pid).some((fd) => targets.has(targetOf(pid, fd)));
}
