// What a simulated group is told and what its workload is like: drawn from a seed, then plain data.
import { drainLimitMs } from '../core/attached-proxies.ts';
import { ANSWER_LIMIT_MS, OVERDUE_MS, PRIORITY_RANKS_LIMIT } from '../core/settings.ts';
import type { HealthSettings, Settings } from '../core/settings.ts';
import type { Random } from './random.ts';

/** What a node is given by its life; all else is the group's. */
type GroupSettings = Omit<
  Settings,
  | 'nodeId'
  | 'run'
  | 'version'
  | 'strategy'
  | 'priority'
  | 'preempt'
  | 'priorityWindowMs'
  | 'preemptDelayMs'
  | 'startRole'
  | 'leaseTtlMs'
  | 'leaseTickMs'
  | 'leaseRequestTimeoutMs'
  | 'leaseMaxDriftMs'
  | keyof HealthSettings
>;

/** What keeps two apart: a lock of one machine's kernel, or a server's lease with a time to live. */
export type LeaseKind = 'file' | 'timed';

/** A lease of a server for nodes of several machines, one each. */
export interface TimedLease {
  readonly ttlMs: number;
  readonly tickMs: number;
  readonly requestTimeoutMs: number;
  readonly maxDriftMs: number;
  /** By how much the server's clock runs fast, parts per million. */
  readonly storeDriftPpm: number;
}

/** How the nodes of a group go before each other. */
export interface Order {
  /** mixed: every second node races. */
  readonly strategy: Settings['strategy'] | 'mixed';
  readonly preempt: boolean;
  readonly priorityWindowMs: number;
  readonly preemptDelayMs: number;
  /** The priority of the last node is 0, where there are three of them or more. */
  readonly lastNeverLeads: boolean;
}

/** What forwards requests to whoever leads. */
export interface Proxies {
  readonly count: number;
  /** The share of drains of which one never says that it is over. */
  readonly silent: number;
}

/** The traits of a workload that make it easy or hard to look after. */
export interface WorkloadTraits {
  /** False: it closes the descriptors it inherited, as npm and sudo do; only its session is known. */
  readonly keepsDescriptor: boolean;
  /** What becomes of it when its supervisor dies. */
  readonly orphan: 'stop' | 'kill' | 'keep';
  /** The share of runs that ignore SIGTERM. */
  readonly stubborn: number;
  /** The share of runs that start a process of their own, which outlives a crash of the first. */
  readonly helpers: number;
  /** The longest a run takes to end when it is told to, ms. */
  readonly stopMs: number;
  /** The longest a run takes until it is ready, ms. */
  readonly readyMs: number;
}

/** Everything about a group that no fault changes. */
export interface Profile {
  readonly settings: GroupSettings;
  readonly workload: WorkloadTraits;
  /** The most by which the clock of a node runs fast or slow, parts per million. */
  readonly clockDriftPpm: number;
  /** Whether looks at the lease are answered at once, as a file's, or after a while, as a server's. */
  readonly looksTakeTime: boolean;
  /** Null: all nodes are on one machine, and its kernel keeps them apart. */
  readonly lease: TimedLease | null;
  /** Null: they race, and whatever their priorities are, none waits for another. */
  readonly order: Order | null;
  /** Null: nothing is in front of the group. */
  readonly proxies: Proxies | null;
  /** Null: nothing is asked. */
  readonly health: HealthSettings | null;
}

export function drawProfile(random: Random, kind: LeaseKind = 'file'): Profile {
  const heartbeatIntervalMs = random.pick([100, 250, 500]);
  const settings: GroupSettings = {
    standby: random.pick(['cold', 'cold', 'armed', 'hot']),
    hasWorkload: true,
    hasReadyCheck: random.happens(0.4),
    hasPromoteCommand: random.happens(0.4),
    hasDemoteCommand: random.happens(0.4),
    fence: random.pick(['kill', 'kill', 'kill', 'kill-unless-stopped', 'none']),
    restart: random.pick(['always', 'always', 'always', 'on-failure', 'never']),
    exitOnDemote: random.happens(0.1),
    heartbeatIntervalMs,
    heartbeatTimeoutMs: 4 * heartbeatIntervalMs,
    probeIntervalMs: 10 * heartbeatIntervalMs,
    probeTimeoutMs: heartbeatIntervalMs,
    probeAttempts: random.pick([1, 2, 3]),
    retryBackoffMinMs: random.pick([200, 1_000]),
    retryBackoffMaxMs: random.pick([2_000, 5_000]),
    readyTimeoutMs: random.pick([1_000, 3_000]),
    promoteTimeoutMs: random.pick([1_000, 3_000]),
    demoteTimeoutMs: random.pick([1_000, 3_000]),
    stopGraceMs: random.pick([500, 2_000]),
    fenceGraceMs: random.pick([300, 1_000]),
    drainMs: random.pick([0, 0, 300]),
    successorWindowMs: random.pick([1_000, 2_000]),
    restartLimit: random.pick([1, 3]),
    restartWindowMs: random.pick([3_000, 10_000]),
    coolOffMs: random.pick([1_000, 3_000]),
  };
  const workload: WorkloadTraits = {
    keepsDescriptor: random.happens(0.5),
    orphan: random.pick(['stop', 'stop', 'kill', 'keep']),
    stubborn: random.pick([0, 0, 0.2]),
    helpers: random.pick([0, 0.3]),
    stopMs: random.pick([5, 50, 800]),
    readyMs: random.pick([5, 200]),
  };
  const machine = {
    clockDriftPpm: random.pick([0, 100, 500]),
    looksTakeTime: random.happens(0.3),
  };
  if (kind === 'file')
    return {
      ...{ settings, workload, ...machine },
      ...{ lease: null, order: null, proxies: null, health: null },
    };
  // What may never be signalled could not be ended before another has the lease.
  const orphan = workload.orphan === 'keep' ? 'stop' : workload.orphan;
  const lease = drawLease(random);
  return {
    settings,
    workload: { ...workload, orphan },
    ...machine,
    lease,
    order: null,
    proxies: null,
    health: null,
  };
}

/** Of half of the groups. */
export function drawOrder(random: Random): Order | null {
  if (random.happens(0.5)) return null;
  return {
    strategy: random.pick(['race', 'priority', 'priority', 'priority', 'mixed']),
    preempt: random.happens(0.6),
    priorityWindowMs: random.pick([200, 1_000]),
    preemptDelayMs: random.pick([500, 2_000]),
    lastNeverLeads: random.happens(0.3),
  };
}

/** Of a quarter of the groups. */
export function drawProxies(random: Random): Proxies | null {
  if (!random.happens(0.25)) return null;
  return { count: random.pick([1, 2, 3]), silent: random.pick([0, 0.3, 1]) };
}

/** What is asked of workloads, where that is: of few enough groups that the others are as they were. */
export function drawHealth(random: Random): HealthSettings {
  const healthIntervalMs = random.pick([400, 1_000]);
  const hasHealthCheck = random.happens(0.9);
  return {
    hasHealthCheck,
    hasStandbyHealthCheck: !hasHealthCheck || random.happens(0.5),
    healthIntervalMs,
    healthTimeoutMs: random.pick([100, 400]),
    healthFastIntervalMs: healthIntervalMs / 4,
    healthFall: random.pick([1, 2, 3]),
    healthRise: random.pick([1, 2]),
    healthGraceMs: random.pick([0, 500, 3_000]),
    healthHoldMs: random.pick([1_000, 4_000, 20_000]),
  };
}

/** The longest that a workload which does not serve goes unnoticed, where it is asked, ms. */
export function noticeBoundMs(health: HealthSettings): number {
  const { healthIntervalMs, healthTimeoutMs, healthFall, healthGraceMs } = health;
  return healthGraceMs + (healthFall + 2) * (healthIntervalMs + healthTimeoutMs + OVERDUE_MS);
}

function drawLease(random: Random): TimedLease {
  const ttlMs = random.pick([1_000, 3_000, 6_000]);
  const tickMs = Math.min(500, ttlMs / 6);
  return {
    ttlMs,
    tickMs,
    requestTimeoutMs: tickMs,
    maxDriftMs: ttlMs / 2,
    storeDriftPpm: random.pick([0, 500, 2_000]),
  };
}

/** The longest that a group of which nobody holds off may be without a primary once all trouble has ended, ms. */
export function recoveryBoundMs(profile: Profile): number {
  const { settings, workload, lease, order, proxies, health } = profile;
  const emptyingMs = Math.max(settings.fenceGraceMs, settings.stopGraceMs, workload.stopMs) + 2_500;
  const promotionMs = settings.readyTimeoutMs + settings.promoteTimeoutMs + 2 * emptyingMs;
  const drainMs = proxies === null ? settings.drainMs : drainLimitMs(settings);
  const demotionMs = drainMs + settings.demoteTimeoutMs + emptyingMs;
  const doubtMs = settings.heartbeatTimeoutMs + settings.probeAttempts * settings.probeTimeoutMs;
  const waitsMs = 1.5 * settings.retryBackoffMaxMs + settings.successorWindowMs;
  // A claim may find a lease that nobody knows of, and the next one again.
  const leaseMs = lease === null ? 0 : 2 * (lease.ttlMs + lease.tickMs + lease.requestTimeoutMs);
  const lostMs = LOST_ANSWERS * ANSWER_LIMIT_MS;
  const takeoverMs = promotionMs + demotionMs + doubtMs + waitsMs + leaseMs + lostMs + MARGIN_MS;
  // Unhealthy ones wait for the others, once to fence and once to claim.
  const yieldMs = health === null ? 0 : 2 * settings.heartbeatTimeoutMs;
  return takeoverMs + yieldMs + orderMs(order, promotionMs + demotionMs);
}

/** What the nodes leave to each other, and one change more to the one that goes first. */
function orderMs(order: Order | null, changeMs: number): number {
  if (order === null) return 0;
  const windowsMs = (1 + PRIORITY_RANKS_LIMIT) * order.priorityWindowMs + 2 * OVERDUE_MS;
  return windowsMs + (order.preempt ? 2 * order.preemptDelayMs + changeMs : 0);
}

/** How many answers that never come, each waited for to its deadline, may delay a recovery. */
const LOST_ANSWERS = 3;

/** For what the machine itself takes, and for late answers that are still under way, ms. */
const MARGIN_MS = 5_000;
