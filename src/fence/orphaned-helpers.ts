// Ends what left the session of a hot workload whose node was killed while it stood by: no lock tells of it.
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { NodeRecord } from '../lease/lease-store.ts';
import { isOutOfResources } from '../out-of-resources.ts';
import { hasEnded, isAlive, isComparable, procIsUsable, readStat } from './process-identity.ts';
import type { ProcessStat } from './process-identity.ts';
import { readMark } from './process-view.ts';
import type { GroupMark } from './process-view.ts';
import { SignalLadder } from './signal-ladder.ts';

export interface OrphanSources extends GroupMark {
  readonly workloadLockPath: string;
  readonly listNodes: () => readonly NodeRecord[];
}

/**
 * Ends each process that has the workload lock's file open and whose environment says that a node started
 * it of which only a dead life is on record: its group, its directory, its node id, and no earlier than
 * that life. Where no such record of a hot node is, nothing is looked at. Done within the grace + 2.5 s.
 *
 * @returns the runs of hot nodes that are dead and left nothing of this.
 */
export async function endOrphanedHelpers(
  sources: OrphanSources,
  graceMs: number,
): Promise<ReadonlySet<string>> {
  const ladder = new SignalLadder(graceMs);
  for (;;) {
    const nodes = sources.listNodes();
    const orphans = findOrphanedHelpers(sources, nodes);
    const targets = orphans.map((stat) => ({ ...stat, graceMs, isStopping: false }));
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
  const live = nodes.filter(({ supervisor }) => isAlive(supervisor));
  const supervisors = new Set(live.map(({ supervisor }) => supervisor.pid));
  return readdirSync('/proc').flatMap((name) => {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : null;
    if (stat === null || hasEnded(stat) || supervisors.has(stat.pid)) return [];
    const starter = readMark(stat.pid, sources)?.node;
    const isOf = (node: NodeRecord): boolean => node.node === starter && isSince(stat, node);
    // A later life of the same node may have started it, and looks after it itself.
    if (!dead.some(isOf) || live.some(isOf)) return [];
    return hasOpen(stat.pid, sources.workloadLockPath) ? [stat] : [];
  });
}

function isDeadHot({ standby, supervisor }: NodeRecord): boolean {
  return standby === 'hot' && isComparable(supervisor) && !isAlive(supervisor);
}

function isSince(stat: ProcessStat, { supervisor }: NodeRecord): boolean {
  return BigInt(stat.startTime) >= BigInt(supervisor.startTime);
}

/** Also when the file was removed since. */
function hasOpen(pid: number, path: string): boolean {
  const directory = `/proc/${String(pid)}/fd`;
  let descriptors: string[];
  try {
    descriptors = readdirSync(directory);
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return false;
  }
  return descriptors.some((fd) => {
    const target = targetOf(`${directory}/${fd}`);
    return target === path || target === `${path} (deleted)`;
  });
}

/** Empty for one that was closed just now: that says nothing of the others. */
function targetOf(descriptor: string): string {
  try {
    return readlinkSync(descriptor);
  } catch {
    return '';
  }
}
