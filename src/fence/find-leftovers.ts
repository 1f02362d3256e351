// Looks for what earlier runs left, and tells apart what may be signalled and what is only waited for.
import type { NodeRecord, SessionRecord } from '../lease/lease-store.ts';
import { withoutForks } from './forks.ts';
import { isHidden } from './hidden-processes.ts';
import type { Graces, LeftoverSources, Remains } from './leftovers.ts';
import { findLockHolders } from './lock-holders.ts';
import { isStillOurs } from './own-sessions.ts';
import { hasEnded, isAlive, isComparable, readStat } from './process-identity.ts';
import type { ProcessStat } from './process-identity.ts';
import { listPids } from './open-files.ts';
import { startersFor } from './shared-look.ts';
import { describeProcess, readMark } from './process-view.ts';
import { compareSession, scanSessions } from './session-members.ts';
import type { Target } from './signal-ladder.ts';

/** What is in the way of a start. */
export interface Leftovers {
  readonly targets: readonly Target[];
  /** Never signalled. */
  readonly others: readonly Remains[];
  readonly lockIsFree: boolean;
}

/**
 * One look: one scan of all processes if any session is recorded, a second one for the holders of the
 * workload lock only if it is held and no leftover explains it yet. Without `searchHolders` the lock is not asked
 * at all, and counts as free.
 */
export function findLeftovers(
  sources: LeftoverSources,
  graces: Graces,
  { searchHolders = true }: { readonly searchHolders?: boolean } = {},
): Leftovers {
  const nodes = sources.listNodes();
  const ended = sources.ownEndedSessions();
  const live = nodes.filter((node) => node.run !== sources.run && isAlive(node.supervisor));
  const look: Look = {
    sources,
    graces,
    nodes,
    live: new Set(live),
    ended: new Set(ended.map((session) => session.process.pid)),
    verdicts: new Verdicts(new Set([process.pid, ...live.map((node) => node.supervisor.pid)])),
  };
  const claims = claimSessions(look, ended);
  const members = scanSessions(new Set(claims.map((claim) => claim.session.process.pid)));
  for (const claim of claims) {
    judgeSession(claim, members.get(claim.session.process.pid) ?? [], look);
  }
  const { targets, others } = look.verdicts;
  // Found out by taking it: a standby that is stopped in that instant would keep it from all others.
  const lockIsFree = !searchHolders || sources.isWorkloadLockFree();
  // Descriptors are costly to look at. While members end, holders among them do so too.
  if (searchHolders && !lockIsFree && targets.length === 0) {
    for (const path of [sources.workloadLockPath, ...sources.displacedLockPaths()]) {
      for (const { pid } of findLockHolders(path)) judgeHolder(pid, look);
    }
  }
  if (searchHolders && sources.missesRecordIn(nodes)) {
    look.verdicts.addOthers(findUnrecorded(look), UNRECORDED);
  }
  return { targets, others: [...others, ...sources.unseenRemains(nodes)], lockIsFree };
}

const UNRECORDED =
  'its environment names this group, but the record of its starter was removed; kill it manually';

/** A recorded session and whose it is. */
interface Claim {
  readonly session: SessionRecord;
  /** The node of its supervisor, if that lives and is another's. */
  readonly liveNode: NodeRecord | null;
  /** True: this very process started it and saw it end. */
  readonly own: boolean;
  /** What each process of it began with as FAILOVER_NODE; the other two marks may be a person's export. */
  readonly node: string;
}

interface Look {
  readonly sources: LeftoverSources;
  readonly graces: Graces;
  readonly nodes: readonly NodeRecord[];
  /** Other nodes whose supervisor lives. */
  readonly live: ReadonlySet<NodeRecord>;
  /** The numbers of this run's ended sessions. */
  readonly ended: ReadonlySet<number>;
  readonly verdicts: Verdicts;
}

/** Collects each process once. */
class Verdicts {
  readonly targets: Target[] = [];
  readonly others: Remains[] = [];
  readonly #seen = new Set<number>();
  readonly #supervisors: ReadonlySet<number>;

  constructor(supervisors: ReadonlySet<number>) {
    this.#supervisors = supervisors;
  }

  addTarget(stat: ProcessStat, rules: Pick<Target, 'graceMs' | 'isStopping'>): void {
    // A supervisor that was started from within a workload is in its session and yet no leftover.
    if (this.#supervisors.has(stat.pid) || !this.#isNew(stat.pid)) return;
    const { pid, startTime, session } = stat;
    this.targets.push({ pid, startTime, session, ...rules });
  }

  /** Adds pids that are not judged again, also those that are not named. */
  addOthers(pids: readonly number[], why: string): void {
    const named = withoutForks(pids);
    for (const pid of named) this.addOther(pid, why);
    for (const pid of pids) this.#isNew(pid);
  }

  addOther(pid: number, why: string): void {
    if (this.#isNew(pid)) this.others.push({ description: describeProcess(pid), why });
  }

  #isNew(pid: number): boolean {
    if (this.#seen.has(pid)) return false;
    this.#seen.add(pid);
    return true;
  }
}

function claimSessions(look: Look, ended: readonly SessionRecord[]): Claim[] {
  const isOwn = ({ run }: NodeRecord): boolean => run === look.sources.run;
  const ownNode = look.nodes.find(isOwn)?.node ?? '';
  const own = ended.map((session) => ({ session, liveNode: null, own: true, node: ownNode }));
  const others = look.nodes.filter((other) => !isOwn(other));
  const recorded = others.flatMap((node) => {
    const liveNode = look.live.has(node) ? node : null;
    // A live node's gate or hot standby does nothing twice; a dead one's is in nobody's hand.
    const sessions = node.sessions.filter((session) => session.active || liveNode === null);
    return sessions.map((session) => ({ session, liveNode, own: false, node: node.node }));
  });
  return [...own, ...recorded].filter((claim) => isComparable(claim.session.process));
}

function judgeSession(claim: Claim, members: readonly ProcessStat[], look: Look): void {
  if (members.length === 0) return;
  const verdict = compareSession(claim.session.process, members);
  if (verdict === 'other') return;
  const proved =
    verdict === 'same' ||
    (claim.own && isStillOurs(claim.session, members)) ||
    members.some(({ pid }) => readMark(pid, look.sources)?.node === claim.node);
  const why = members.some(isHidden) ? HIDDEN : reasonToSpare(claim, proved);
  const isStopping = claim.session.stopsWithSupervisor && !claim.own;
  const graceMs = isStopping ? look.graces.stopGraceMs : look.graces.fenceGraceMs;
  if (why === null) {
    for (const member of members) look.verdicts.addTarget(member, { graceMs, isStopping });
  } else {
    look.verdicts.addOthers(
      members.map(({ pid }) => pid),
      why,
    );
  }
}

function reasonToSpare({ session, liveNode, own }: Claim, proved: boolean): string | null {
  if (liveNode !== null) return `active ${session.kind} of node ${liveNode.node}, which is alive`;
  // An own one is no orphan: its supervisor is here, and starts it anew.
  if (session.keep && !own) return KEPT;
  return proved ? null : 'it may be an unrelated process with a reused session id';
}

const HIDDEN =
  'it is in the session of an earlier run, or has its id, but /proc hides it from this user: kill it as a user with permission';

const KEPT = 'an orphan that is kept';

/** A holder that is no member of a recorded session: it left, or its record is gone. */
function judgeHolder(pid: number, look: Look): void {
  const stat = readStat(pid);
  if (stat === null || hasEnded(stat)) return;
  const why = reasonToSpareHolder(stat, look);
  if (why === null)
    look.verdicts.addTarget(stat, { graceMs: look.graces.fenceGraceMs, isStopping: false });
  else look.verdicts.addOther(pid, why);
}

/**
 * Processes that were started for this group and not by a node that is registered now. Their environment
 * is all that is left to tell, and no proof that would allow a signal.
 */
function findUnrecorded({ sources, nodes, live }: Look): number[] {
  const registered = nodes.filter(
    (node) => node.run === sources.run || (live.has(node) && sources.isKept(node)),
  );
  const pids = startersFor(sources.group) ?? listPids();
  return pids.flatMap((pid) => {
    const stat = readStat(pid);
    if (stat === null) return [];
    const isSupervisor = registered.some(({ supervisor }) => supervisor.pid === stat.pid);
    if (isSupervisor || hasEnded(stat)) return [];
    const mark = readMark(stat.pid, sources);
    // Group and directory alone are what a person exports for the client commands.
    if (typeof mark?.node !== 'string') return [];
    const starter = registered.find(({ node }) => node === mark.node);
    return starter !== undefined && isSince(stat, starter) ? [] : [stat.pid];
  });
}

/** What started before a supervisor is of an earlier life of the same node id. */
function isSince(stat: ProcessStat, { supervisor }: NodeRecord): boolean {
  return BigInt(stat.startTime) >= BigInt(supervisor.startTime);
}

function reasonToSpareHolder(stat: ProcessStat, look: Look): string | null {
  if (stat.pid === process.pid) return 'this process itself holds the workload lock';
  const mark = readMark(stat.pid, look.sources);
  for (const node of look.nodes) {
    const isOwn = node.run === look.sources.run;
    if (!isOwn && !look.live.has(node)) continue;
    const belongs =
      stat.pid === node.supervisor.pid ||
      node.sessions.some(({ process: { pid } }) => pid === stat.session && !look.ended.has(pid)) ||
      (!isOwn && mark?.node === node.node && isSince(stat, node));
    if (belongs) return `holds the workload lock for node ${node.node}, which is alive`;
  }
  if (mark === null) return 'holds the workload lock but is not known to belong to this group';
  // Of this very run it is no orphan.
  if (mark.roleFile === look.sources.roleFile) return null;
  // Its id may be that of another run by now, whose record says nothing of it.
  const origins = look.nodes.filter((node) => node.node === mark.node);
  return origins.some(({ sessions }) => sessions.some(({ keep }) => keep)) ? KEPT : null;
}
