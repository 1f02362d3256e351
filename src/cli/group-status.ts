// `failover status` as data: the stable JSON shape, made from one look at the group.
import type { Takeover } from '../core/state.ts';
import type { LeaseKind } from '../lease/lease-store.ts';
import type { StoredSight } from '../lease/remote-store.ts';
import type { NodeStatus } from '../runtime/node-status.ts';
import type { TransportCounters } from '../transport/counters.ts';
import type { GroupSnapshot, SeenNode } from './client.ts';
import { directoryOf, leaseHolder, livingNodes, primaryOf } from './client.ts';
import { holderElsewhere, nodesElsewhere } from './store-sight.ts';
import { warningsOf } from './warnings.ts';

/** What `status --json` prints. Keys are added in later versions, never changed or removed. */
export interface GroupStatus {
  readonly v: 1;
  readonly group: string;
  /** The highest epoch ever claimed; 0: there was none. */
  readonly epoch: number;
  /** Who holds the lease and has completed its promotion. */
  readonly primary: string | null;
  readonly paused: boolean;
  /** Each says what is wrong and what to do. */
  readonly warnings: readonly string[];
  readonly takeover: {
    /**
     * After a crash, from its being noticed to the next workload's start, as the next in succession
     * measured it when it rehearsed; null: it has not yet, nobody leads or nobody would take over.
     */
    readonly predictedMs: number | null;
    /** Why the next in succession predicts no such time; null: it does, or nobody is next. */
    readonly unpredictedBecause: string | null;
    /** The last one as measured; null: there was none, or nobody alive remembers it. */
    readonly lastMs: number | null;
    /** The longest after a hang; null also with `--fence none`. */
    readonly hangMs: number | null;
    /** The longest after a hang while the machine gives the primary no CPU. */
    readonly starvedMs: number | null;
    readonly last: Takeover | null;
  };
  readonly lease: {
    readonly kind: LeaseKind;
    /** Whether any process has it, also one that is no living node of the group. */
    readonly held: boolean;
    readonly holder: string | null;
    readonly guards: readonly string[];
    /** The address of its server, where that was asked; null: another was asked, or the lease is a file. */
    readonly server: string | null;
    /** Why the server could not be asked: what is shown is what this machine knows; null: nothing is missing. */
    readonly problem: string | null;
  };
  /** Who takes over, in order. */
  readonly succession: readonly string[];
  readonly directory: string;
  readonly nodes: readonly NodeEntry[];
}

export interface NodeEntry {
  readonly id: string;
  readonly role: string;
  /**
   * `primary` and `secondary` in the steady state, else the phase, or `unresponsive`; `elsewhere`: only the server
   * of the lease tells of it.
   */
  readonly state: string;
  /** On its own host; null: a node of another machine that does not say it. */
  readonly pid: number | null;
  readonly host: string;
  readonly version: string;
  readonly epoch: number | null;
  readonly standby: string;
  /** Since when it has this role, ISO 8601; null: it does not say. */
  readonly since: string | null;
  readonly reason: string;
  /** Whether it waits for better nodes where nobody leads; null: it does not say. */
  readonly strategy: string | null;
  readonly priority: number;
  /** Until it asks for the lead of a primary that it goes before, ms; null: it does not, as things are. */
  readonly preemptsInMs: number | null;
  /** On the primary: since others heard it; on others: since they heard the primary. */
  readonly lastHeartbeatMs: number | null;
  /** The most that its own loop was late in the last minute, ms; null: it does not say. */
  readonly latenessMs: number | null;
  /** False: the lease alone tells it of the primary, whose sockets are not on its machine; null: it does not say. */
  readonly hearsPrimary: boolean | null;
  readonly uptimeMs: number;
  readonly willing: boolean | null;
  readonly unwillingBecause: string | null;
  /** Where its command is reached while it leads; null: it does not say. */
  readonly target: string | null;
  /** Why it is unhealthy, or leaves the lead to healthy nodes; null: it does not, or does not say. */
  readonly unhealthyBecause: string | null;
  readonly workload: {
    readonly pid: number | null;
    readonly state: string;
    readonly restarts: number;
    /** `healthy`, `unhealthy` or `unknown`, of what is checked there; null: nothing is. */
    readonly health: string | null;
  };
  /** What reached it from others, and why it refused any of it; null: it does not say. */
  readonly transport: TransportCounters | null;
  /** Since it was seen by the server of the lease, where only that tells of it; null: it was asked itself. */
  readonly lastSeenMs: number | null;
}

/** The status of a group from one look at it. */
export function groupStatusOf(snapshot: GroupSnapshot): GroupStatus {
  const { group, observation, store } = snapshot;
  const holder = leaseHolder(snapshot);
  const primary = primaryOf(snapshot);
  const away = holderElsewhere(snapshot);
  const succession = successionOf(snapshot, primary);
  const living = livingNodes(snapshot);
  const speaker = holder?.status ?? living.find(({ status }) => status !== null)?.status ?? null;
  const order = [primary?.record.node ?? away?.node, ...succession];
  const place = ({ id }: NodeEntry): number => {
    const index = order.indexOf(id);
    return index < 0 ? order.length : index;
  };
  return {
    v: 1,
    group,
    epoch: observation.epoch,
    primary: primary?.record.node ?? away?.node ?? null,
    paused: observation.paused,
    warnings: warningsOf(snapshot),
    takeover: takeoverOf(snapshot, primary === null && away === null ? undefined : succession[0]),
    lease: {
      kind: speaker?.lease.kind ?? store?.kind ?? 'file',
      held: observation.held,
      holder: holder?.record.node ?? away?.node ?? seenLast(snapshot),
      guards: speaker?.lease.guards ?? store?.guards ?? FILE_GUARDS,
      server: store?.shown ?? null,
      problem: store?.problem ?? null,
    },
    succession,
    directory: directoryOf(snapshot),
    nodes: [
      ...living.map((node) => entryOf(node, snapshot)),
      ...nodesElsewhere(snapshot).map((node) => entryElsewhere(node, snapshot)),
    ].sort((a, b) => place(a) - place(b) || (a.id < b.id ? -1 : 1)),
  };
}

/** Who had the lease when its server could still be asked; null: it can be, or nobody had it. */
function seenLast({ observation: { held, holder }, store }: GroupSnapshot): string | null {
  const isUnseen = (store?.problem ?? null) !== null;
  return held && isUnseen ? (holder?.node ?? null) : null;
}

const FILE_GUARDS = ['kernel', 'lockfile', 'epoch'];

/** The primary's order, without those that have gone or are not willing; else the willing ones. */
export function successionOf(snapshot: GroupSnapshot, primary: SeenNode | null): readonly string[] {
  const willing = livingNodes(snapshot)
    .filter(({ record, status }) => {
      return status?.role === 'secondary' && status.willing && record.run !== primary?.record.run;
    })
    .sort(byClaim)
    .map(({ record }) => record.node);
  const told = primary?.status?.succession ?? [];
  return [
    ...told.filter((id) => willing.includes(id)),
    ...willing.filter((id) => !told.includes(id)),
  ];
}

/** Those that are healthy first, then the lower priority number, then who has stood by longest, then by id. */
function byClaim(a: SeenNode, b: SeenNode): number {
  return (
    Number(isLast(a)) - Number(isLast(b)) ||
    a.record.priority - b.record.priority ||
    (b.status?.roleForMs ?? 0) - (a.status?.roleForMs ?? 0) ||
    (a.record.node < b.record.node ? -1 : 1)
  );
}

function isLast({ status }: SeenNode): boolean {
  return (status?.unhealthyBecause ?? null) !== null;
}

/** What is predicted is the successor's: it is the one that notices and starts. */
function takeoverOf(snapshot: GroupSnapshot, next: string | undefined): GroupStatus['takeover'] {
  const statuses = livingNodes(snapshot).flatMap(({ status }) => status ?? []);
  const predicted = statuses.find(({ id }) => id === next)?.takeover ?? null;
  const last = statuses
    .flatMap(({ lastTakeover }) => lastTakeover ?? [])
    .reduce<Takeover | null>(
      (best, one) => (best === null || one.epoch > best.epoch ? one : best),
      null,
    );
  return {
    predictedMs: predicted?.crashMs ?? null,
    unpredictedBecause: predicted?.crashUnknownBecause ?? null,
    lastMs: last === null || last.kind === 'start' ? null : last.gapMs,
    hangMs: predicted?.hangMs ?? null,
    starvedMs: predicted?.starvedMs ?? null,
    last,
  };
}

function entryOf(node: SeenNode, snapshot: GroupSnapshot): NodeEntry {
  const { record, status } = node;
  const { node: id, host, version, standby, priority } = record;
  const { pid } = record.supervisor;
  if (status === null) return silentEntry(node, snapshot);
  const { workload } = status;
  return {
    id,
    role: status.role,
    state: STEADY.get(status.phase) ?? status.phase,
    pid,
    host,
    version,
    epoch: status.epoch,
    standby,
    since: new Date(snapshot.takenAtMs - status.roleForMs).toISOString(),
    reason: status.reason,
    strategy: status.strategy,
    priority,
    preemptsInMs: status.preemptsInMs,
    lastHeartbeatMs: heartbeatAge(status, snapshot),
    latenessMs: status.latenessMs,
    hearsPrimary: status.hearsPrimary,
    uptimeMs: status.uptimeMs,
    willing: status.willing,
    unwillingBecause: status.unwillingBecause,
    target: record.target ?? null,
    unhealthyBecause: status.unhealthyBecause,
    workload: {
      pid: workload.pid,
      state: workload.state,
      restarts: workload.restarts,
      health: workload.health,
    },
    transport: status.transport,
    lastSeenMs: null,
  };
}

const STEADY: ReadonlyMap<string, string> = new Map([
  ['serving', 'primary'],
  ['watching', 'secondary'],
]);

/** What the records alone tell of a node that does not answer. */
function silentEntry({ record, silence }: SeenNode, snapshot: GroupSnapshot): NodeEntry {
  const leads = leaseHolder(snapshot)?.record.run === record.run;
  const workload = record.sessions.find(({ kind }) => kind === 'workload');
  return {
    id: record.node,
    role: leads ? 'primary' : 'secondary',
    state: 'unresponsive',
    pid: record.supervisor.pid,
    host: record.host,
    version: record.version,
    epoch: leads ? snapshot.observation.epoch : null,
    standby: record.standby,
    since: null,
    reason: silence ?? 'it does not answer',
    strategy: null,
    priority: record.priority,
    preemptsInMs: null,
    lastHeartbeatMs: leads ? heardAgo(snapshot) : null,
    latenessMs: null,
    hearsPrimary: null,
    uptimeMs: uptimeOf(record.startedAt, snapshot),
    willing: null,
    unwillingBecause: null,
    target: record.target ?? null,
    unhealthyBecause: null,
    workload: { pid: workload?.process.pid ?? null, state: 'unknown', restarts: 0, health: null },
    transport: null,
    lastSeenMs: null,
  };
}

/** What the server of the lease alone tells of a node: it may be on any machine. */
function entryElsewhere(node: StoredSight, snapshot: GroupSnapshot): NodeEntry {
  const leads = holderElsewhere(snapshot)?.run === node.run;
  const { host, version, standby, priority, startedAt, seenAgoMs } = node;
  return {
    id: node.node,
    role: leads ? 'primary' : 'secondary',
    state: 'elsewhere',
    pid: node.pid ?? null,
    ...{ host, version, standby, priority },
    epoch: leads ? snapshot.observation.epoch : null,
    since: null,
    strategy: null,
    preemptsInMs: null,
    reason: `${snapshot.store?.kind === 'peers' ? 'a peer' : 'the lease server'} saw it on ${host}`,
    lastHeartbeatMs: null,
    latenessMs: null,
    hearsPrimary: null,
    uptimeMs: uptimeOf(startedAt, snapshot),
    willing: null,
    unwillingBecause: null,
    target: node.target ?? null,
    unhealthyBecause: null,
    workload: { pid: null, state: 'unknown', restarts: 0, health: null },
    transport: null,
    lastSeenMs: seenAgoMs,
  };
}

/** By the wall clock; 0 where that was set back, or where the record names no time. */
function uptimeOf(startedAt: string, { takenAtMs }: GroupSnapshot): number {
  const startedAtMs = Date.parse(startedAt);
  return Number.isNaN(startedAtMs) ? 0 : Math.max(0, takenAtMs - startedAtMs);
}

function heartbeatAge(status: NodeStatus, snapshot: GroupSnapshot): number | null {
  return status.role === 'primary' ? (heardAgo(snapshot) ?? 0) : status.lastHeartbeatMs;
}

/** Since the last heartbeat that any secondary heard of the holder of the lease, ms. */
function heardAgo(snapshot: GroupSnapshot): number | null {
  const holder = leaseHolder(snapshot);
  const ages = livingNodes(snapshot).flatMap(({ status }) => {
    if (status === null || status.primary !== holder?.record.node) return [];
    return status.role === 'secondary' ? (status.lastHeartbeatMs ?? []) : [];
  });
  return ages.length === 0 ? null : Math.min(...ages);
}
