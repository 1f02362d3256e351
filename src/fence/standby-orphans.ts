// Ends what a hot node left that was killed while it stood by: its workload, and what left the session of that.
import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { NodeRecord } from '../lease/lease-store.ts';
import type { Graces } from './leftovers.ts';
import { descriptorsOf, targetOf } from './open-files.ts';
import { hasEnded, isAlive, isComparable, procIsUsable, readStat } from './process-identity.ts';
import type { ProcessStat } from './process-identity.ts';
import { readMark } from './process-view.ts';
import type { GroupMark } from './process-view.ts';
import { compareSession, scanSessions } from './session-members.ts';
import { SignalLadder } from './signal-ladder.ts';
import type { Target } from './signal-ladder.ts';

export interface OrphanSources extends GroupMark {
  readonly workloadLockPath: string;
  readonly listNodes: () => readonly NodeRecord[];
  /** Where a run of a node keeps its role file: each process that it starts is told, and no other is. */
  readonly roleFileOf: (run: string) => string;
}

/**
 * Of each hot node that is on record and dead, ends
 * - the members of the sessions that only stood by. The kernel told the first process of each when the
 *   supervisor died, and a takeover would empty them; but one that ignores SIGTERM has nobody else while the
 *   primary stays, or once all have ended;
 * - each process that has the workload lock's file open and whose environment names that run of the node. A
 *   run is one life of one node: a later life of the same node, and one in a container that calls its
 *   directory the same, have another.
 *
 * Members of a session that was active are left to the elected successor. Where no such record is, nothing
 * is looked at.
 *
 * Done within the longest grace + 2.5 s. `graces` is asked at each look, so that a wait can be cut short.
 *
 * @returns the runs of hot nodes that are dead and left nothing of this.
 */
export async function endStandbyOrphans(
  sources: OrphanSources,
  graces: () => Graces,
): Promise<ReadonlySet<string>> {
  const { fenceGraceMs, stopGraceMs } = graces();
  const ladder = new SignalLadder(Math.max(fenceGraceMs, stopGraceMs));
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const nodes = sources.listNodes();
    // What is to be kept is nobody's to end.
    const dead = nodes.filter((node) => isDeadHot(node) && !node.sessions.some(({ keep }) => keep));
    const targets =
      dead.length === 0 || !procIsUsable() ? [] : findTargets(sources, { nodes, dead }, graces());
    if (!ladder.step(targets)) {
      return new Set(targets.length > 0 ? [] : nodes.filter(isDeadHot).map(({ run }) => run));
    }
    await pause(pauseMs);
  }
}

const FIRST_PAUSE_MS = 20;

/** Each look reads all processes, and a grace may be long. */
const LONGEST_PAUSE_MS = 160;

interface Seen {
  readonly nodes: readonly NodeRecord[];
  readonly dead: readonly NodeRecord[];
}

function findTargets(sources: OrphanSources, seen: Seen, graces: Graces): readonly Target[] {
  // A node that a workload started is no leftover, and ends what is its own.
  const supervisors = new Set(seen.nodes.map(({ supervisor }) => supervisor.pid));
  const helpers = findHelpers(sources, seen.dead).map((stat) => {
    return { ...stat, graceMs: graces.fenceGraceMs, isStopping: false };
  });
  return [...findMembers(sources, seen.dead, graces), ...helpers].filter(
    ({ pid }) => !supervisors.has(pid),
  );
}

/** Members of the sessions that stood by, where it is proved that they are the recorded ones. */
function findMembers(
  sources: OrphanSources,
  dead: readonly NodeRecord[],
  graces: Graces,
): readonly Target[] {
  const stoodBy = dead.flatMap(({ run, sessions }) => {
    return sessions.filter(({ active }) => !active).map((session) => ({ run, session }));
  });
  const found = scanSessions(new Set(stoodBy.map(({ session }) => session.process.pid)));
  return stoodBy.flatMap(({ run, session }) => {
    const members = found.get(session.process.pid) ?? [];
    const verdict = members.length === 0 ? 'other' : compareSession(session.process, members);
    const isProved =
      verdict === 'same' ||
      (verdict === 'unproved' && members.some(({ pid }) => isOfRun(sources, pid, run)));
    if (!isProved) return [];
    const isStopping = session.stopsWithSupervisor;
    const graceMs = isStopping ? graces.stopGraceMs : graces.fenceGraceMs;
    return members.map((stat) => ({ ...stat, graceMs, isStopping }));
  });
}

function isOfRun(sources: OrphanSources, pid: number, run: string): boolean {
  return readMark(pid, sources)?.roleFile === sources.roleFileOf(run);
}

/** What left its session. */
function findHelpers(sources: OrphanSources, dead: readonly NodeRecord[]): readonly ProcessStat[] {
  const roleFiles = new Set(dead.map(({ run }) => sources.roleFileOf(run)));
  const sessions = new Set(
    dead.flatMap((node) => node.sessions.map(({ process: { pid } }) => pid)),
  );
  return readdirSync('/proc').flatMap((name) => {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : null;
    if (stat === null || hasEnded(stat) || sessions.has(stat.session)) return [];
    const roleFile = readMark(stat.pid, sources)?.roleFile ?? '';
    if (!roleFiles.has(roleFile)) return [];
    return hasOpen(stat.pid, sources.workloadLockPath) ? [stat] : [];
  });
}

function isDeadHot({ standby, supervisor }: NodeRecord): boolean {
  return standby === 'hot' && isComparable(supervisor) && !isAlive(supervisor);
}

/** Whether a process has the file open, also when it was removed since. */
function hasOpen(pid: number, path: string): boolean {
  const targets = new Set([path, `${path} (deleted)`]);
  return descriptorsOf(pid).some((fd) => targets.has(targetOf(pid, fd)));
}
