// What a simulated group is told and what its workload is like: drawn from a seed, then plain data.
import { ANSWER_LIMIT_MS } from '../core/settings.ts';
import type { Settings } from '../core/settings.ts';
import type { Random } from './random.ts';

/** What a node is given by its life; all else is the group's. */
type GroupSettings = Omit<Settings, 'nodeId' | 'run' | 'version' | 'priority' | 'startRole'>;

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
}

export function drawProfile(random: Random): Profile {
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
  return {
    settings,
    workload,
    clockDriftPpm: random.pick([0, 100, 500]),
    looksTakeTime: random.happens(0.3),
  };
}

/** The longest that a group of which nobody holds off may be without a primary once all trouble has ended, ms. */
export function recoveryBoundMs({ settings, workload }: Profile): number {
  const emptyingMs = Math.max(settings.fenceGraceMs, settings.stopGraceMs, workload.stopMs) + 2_500;
  const promotionMs = settings.readyTimeoutMs + settings.promoteTimeoutMs + 2 * emptyingMs;
  const demotionMs = settings.drainMs + settings.demoteTimeoutMs + emptyingMs;
  const doubtMs = settings.heartbeatTimeoutMs + settings.probeAttempts * settings.probeTimeoutMs;
  const waitsMs = 1.5 * settings.retryBackoffMaxMs + settings.successorWindowMs;
  return promotionMs + demotionMs + doubtMs + waitsMs + LOST_ANSWERS * ANSWER_LIMIT_MS + MARGIN_MS;
}

/** How many answers that never come, each waited for to its deadline, may delay a recovery. */
const LOST_ANSWERS = 3;

/** For what the machine itself takes, and for late answers that are still under way, ms. */
const MARGIN_MS = 5_000;
