// What one node was told: the constants that every decision reads. Durations are milliseconds.

/** How a secondary stands by, from the slowest takeover to the fastest. */
export type Standby = 'cold' | 'armed' | 'hot';

/** What may be done to a primary that is silent on every channel. */
export type FenceMode = 'kill' | 'kill-unless-stopped' | 'none';

/** What the end of the workload means. */
type RestartMode = 'always' | 'on-failure' | 'never';

/** Who leads when several could: whoever is first, or the one with the lowest priority number. */
export type Strategy = 'race' | 'priority';

/** What a node is asked to be when it starts. */
type StartRole = 'auto' | 'primary' | 'secondary';

/** Which health checks a node makes, and how often. */
export interface HealthSettings {
  /** Whether the workload that runs here is checked. */
  readonly hasHealthCheck: boolean;
  /** Whether it is checked, while nothing runs here, that the workload could. */
  readonly hasStandbyHealthCheck: boolean;
  readonly healthIntervalMs: number;
  readonly healthTimeoutMs: number;
  /** Between two checks while it is not decided whether the status changes. */
  readonly healthFastIntervalMs: number;
  /** Failures in a row. */
  readonly healthFall: number;
  /** Successes in a row. */
  readonly healthRise: number;
  /** How long after a start of the workload failures do not count, until a check has passed. */
  readonly healthGraceMs: number;
  /** How long the lead stays after it was handed over for an unhealthy workload; doubles, up to 60 times. */
  readonly healthHoldMs: number;
}

/** The settings of one node of one group; relations between them are checked by the caller. */
export interface Settings extends HealthSettings {
  readonly nodeId: string;
  /** Random, new for each life of the process: tells two lives of one node id apart. */
  readonly run: string;
  readonly version: string;
  readonly startRole: StartRole;
  readonly standby: Standby;
  /** False: a watcher, which only runs hooks. */
  readonly hasWorkload: boolean;
  readonly hasReadyCheck: boolean;
  readonly hasPromoteCommand: boolean;
  readonly hasDemoteCommand: boolean;
  readonly fence: FenceMode;
  readonly restart: RestartMode;
  readonly exitOnDemote: boolean;
  readonly strategy: Strategy;
  /** A lower number goes first; 0: this node never leads. */
  readonly priority: number;
  /** Whether it takes the lead from a primary that it goes before. */
  readonly preempt: boolean;
  /** Whether of two nodes with one priority the lower id goes before the other even when that one leads. */
  readonly preemptsById?: boolean;

  readonly heartbeatIntervalMs: number;
  readonly heartbeatTimeoutMs: number;
  readonly probeIntervalMs: number;
  readonly probeTimeoutMs: number;
  readonly probeAttempts: number;
  readonly retryBackoffMinMs: number;
  readonly retryBackoffMaxMs: number;
  readonly readyTimeoutMs: number;
  readonly promoteTimeoutMs: number;
  readonly demoteTimeoutMs: number;
  readonly stopGraceMs: number;
  readonly fenceGraceMs: number;
  readonly drainMs: number;
  readonly successorWindowMs: number;
  readonly restartLimit: number;
  readonly restartWindowMs: number;
  readonly coolOffMs: number;
  readonly priorityWindowMs: number;
  readonly preemptDelayMs: number;

  /** 0: the lease has no time to live, the kernel frees it. */
  readonly leaseTtlMs: number;
  /** Between two renewals. */
  readonly leaseTickMs: number;
  readonly leaseRequestTimeoutMs: number;
  /** How long a lease may go without a renewal before this node steps down. */
  readonly leaseMaxDriftMs: number;
}

/** How long one rank waits for the rank before it, ms: longer than a claim takes. */
export const RANK_STEP_MS = 5;

/** The most nodes that a claim without a primary is left to, one window each. */
export const PRIORITY_RANKS_LIMIT = 10;

/** The longest that a node waits before it asks for the lead again after it could not keep it, ms. */
export const PREEMPT_DELAY_LIMIT_MS = 3_600_000;

/** How often a claim is repeated while the lost primary's process is still closing its files. */
export const CLAIM_RETRIES = 6;

/** The first pause between such claims, ms; doubles. */
export const CLAIM_RETRY_MS = 2;

/**
 * As `RANK_STEP_MS` where the better one is to lead, ms: longer than all its claims together, which find the
 * lease taken while the lost primary's process is still closing its files.
 */
export const PRIORITY_STEP_MS = 200;

/** How often a process for the workload may end before it is needed, until its start has failed. */
export const DISARMING_LIMIT = 2;

/** How long to wait before looking again at leftovers that may not be signalled, ms. */
export const CLEAR_RETRY_MS = 250;

/** A starved primary is believed alive for this many heartbeat timeouts, then it counts as hung. */
export const STARVATION_LIMIT = 5;

/** A standby that has not been heard for this many probe intervals leaves the succession. */
export const STANDBY_FORGOTTEN_AFTER = 3;

/** The most standbys a primary keeps in the order of succession. */
export const SUCCESSION_LIMIT = 256;

/** The most proxies that a primary waits for before a planned end. */
export const PROXY_LIMIT = 64;

/** A proxy that has not been heard for so long is not waited for, ms. */
export const PROXY_FORGOTTEN_MS = 6_000;

/** How long a planned end waits for what is under way through proxies, unless --drain is longer, ms. */
export const PROXY_DRAIN_MS = 5_000;

/** The most requests of clients that wait for an outcome at one node. */
export const REQUEST_LIMIT = 16;

/** Lateness of a node's own loop from which it doubts itself, ms. */
export function latenessToleranceMs(settings: Settings): number {
  return Math.max(20, settings.heartbeatTimeoutMs / 4, settings.heartbeatIntervalMs / 2);
}

/** How long a free lease is left alone when nothing was announced, ms: a shutdown may be on its way. */
export const FREE_LEASE_GRACE_MS = 50;

/** How long after a change of the lease a secondary looks, ms: the new primary has the machine first. */
export const OBSERVE_DELAY_MS = 40;

/** How much later each rank of the succession looks, ms: the looks of many are spread. */
export const OBSERVE_STEP_MS = 5;

/** The first pause before looking again at a holder whose process is ending, ms; doubles. */
export const ENDING_LOOK_MS = 5;

/** The longest such pause, ms. */
export const ENDING_LOOK_LIMIT_MS = 1_000;

/** How long an answer of an adapter may be overdue before the core goes on without it, ms. */
export const OVERDUE_MS = 1_000;

/** How long an order may take beyond the time it allows itself, ms: a slow disk flushes for seconds. */
export const ANSWER_LIMIT_MS = 10_000;

/** How soon an order that failed and has to succeed is given again, ms. */
export const ORDER_RETRY_MS = 1_000;
