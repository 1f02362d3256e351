// The parts that the states of a node are made of: a loss, a doubt, a wait, a plan, a step down.
import type { HealthStatus } from './health.ts';
import type { LeaseHolder, Standing, StopOrder } from './state.ts';

/** A proxy that forwards to this primary. */
export interface KnownProxy {
  /** Random, new for each life of its process. */
  readonly proxy: string;
  readonly heardAt: number;
}

/** A client's request that waits for an outcome. */
export interface PendingRequest {
  readonly id: string;
  /**
   * `check-early` is also answered while it is not decided yet whether the primary lives, `promote-early` when the end of
   * its lease is waited for.
   */
  readonly kind: 'promote' | 'promote-early' | 'demote' | 'check' | 'check-early';
}

/** How the loss of the old primary was noticed; carried into the new term. */
export interface Loss {
  readonly kind: 'failover' | 'switchover' | 'start';
  readonly reason: string;
  /** When, on this node's clock (ms): the end of the old workload if it is known. */
  readonly at: number;
  readonly from: string | null;
  /** A person asked for this node to lead. */
  readonly chosen?: true;
}

/** The term of a lease with a time to live, on this node's clock, ms. */
export interface LeaseTerm {
  /** Just before the request was sent whose answer last granted or renewed the lease. */
  readonly since: number;
  /** When the next renewal is asked for. */
  readonly renewAt: number;
  /** When this node steps down without another renewal. */
  readonly endsAt: number;
  /** When its workload is gone, whoever still lives: the guard sees to that. */
  readonly deadlineAt: number;
  /** Whether a warning has said that the lease is not renewed. */
  readonly isWarned: boolean;
}

/** The primary that a secondary follows. */
export interface FollowedPrimary extends LeaseHolder {
  readonly epoch: number;
  readonly succession: readonly string[];
  readonly version: string | null;
  /** What the primary said of its claim to the lead; null: nothing. */
  readonly standing: Standing | null;
  /** The health of its workload; null: it has not said. */
  readonly health: HealthStatus | null;
}

/** The probe that is under way. */
export interface OpenProbe {
  readonly number: number;
  readonly sentAt: number;
}

export type SuspicionCause = 'silence' | 'probe' | 'check' | 'claim-denied';

export interface Suspicion {
  readonly cause: SuspicionCause;
  readonly since: number;
  readonly attempts: number;
  readonly judging: boolean;
  /** Whether its process has answered a probe, saying that it does not lead. */
  readonly answered: boolean;
  /** How often in a row its process was seen to be ending. */
  readonly endingLooks: number;
  /** Whether this node has let the ranks before it act on the verdict. */
  readonly deferred: boolean;
  /** When to look at the holder again; null: a probe or an inspection is under way. */
  readonly nextLookAt: number | null;
}

export type WaitReason =
  | 'turn'
  | 'backoff'
  | 'successor'
  | 'not-willing'
  | 'free-lease'
  | 'removed-locks'
  /** For the end of the lease: a person wants this node to lead, and the silent holder is on another machine. */
  | 'lease-end'
  /** For the list of nodes on record, some of which may go first. */
  | 'peers'
  /** For the nodes of that list that go before this one. */
  | 'better'
  /** For healthy nodes, as this one is not. */
  | 'healthier';

/** What must be true before the workload may start; each comes back as an event. */
export interface StartPlan {
  readonly armed: boolean;
  readonly cleared: boolean;
  readonly epoch: number | null;
  readonly clearAgainAt: number | null;
  /** How often the process for the workload ended before it was needed. */
  readonly disarmings: number;
  readonly armAgainAt: number | null;
  /** When an answer that is still missing is overdue. */
  readonly until: number;
}

/** Why a promotion is undone, as its transition tells it. */
export interface Failure {
  /**
   * failed: a step of it, whatever it failed of. interrupted: it was told to end. lease-lost: by an event of the lease, and
   * by nothing else: what failed may say so of a file that the lease does not stand on.
   */
  readonly kind: 'failed' | 'interrupted' | 'lease-lost';
  readonly message: string;
}

export interface Demotion {
  readonly why: DemotionReason;
  readonly reason: string;
  readonly step: 'drain' | 'hook' | 'stop' | 'complete' | 'release';
  /** When it began to drain. */
  readonly drainFrom: number;
  /** Until when it drains even if nothing is under way: --drain. */
  readonly drainUntil: number;
  /** When the drain is over, or the answer to the step's order is overdue. */
  readonly until: number;
  /** Whether it was said why this step takes long. */
  readonly told: boolean;
  readonly successor: string | null;
  readonly holdMs: number | null;
  readonly stop: StopOrder | null;
  readonly workloadEndedAt: number | null;
  /** The workload is being stopped already, to be started again: when that is overdue; null: it is not, or it has ended. */
  readonly stoppingUntil: number | null;
  /** How long the workload of a lost lease may take to end, ms; null: the lease is not lost. */
  readonly withinMs: number | null;
  /** Whether the demote command confirmed that a hot workload obeys. */
  readonly confirmed: boolean;
  readonly completed: boolean;
}

type DemotionReason =
  | 'switchover'
  | 'demote'
  | 'stop'
  | 'suspend'
  | 'lease-lost'
  | 'workload-failed'
  /** The workload runs and does not serve. */
  | 'unhealthy'
  | 'start-failed'
  | 'completed';
