// What a node knows and does: a union by role, and within a role by phase.
import { NEVER_ASKED } from './health.ts';
import type { HealthStatus, NodeHealth } from './health.ts';
import type { LastOrder } from './last-orders.ts';
import type { Standby } from './settings.ts';
import type {
  Demotion,
  Failure,
  FollowedPrimary,
  KnownProxy,
  LeaseTerm,
  Loss,
  OpenProbe,
  PendingRequest,
  StartPlan,
  Suspicion,
  WaitReason,
} from './state-parts.ts';

/** The addresses of one node's two sockets. */
export interface Endpoints {
  readonly bus: string;
  readonly rpc: string;
  /** The public key of the node that listens there, as text; left out where nothing is encrypted. */
  readonly key?: string;
}

/** The holder of the lease as its epoch record and registration name it. */
export interface LeaseHolder {
  readonly node: string;
  readonly run: string;
  readonly endpoints: Endpoints;
  /** Its sockets are not on the observer's machine, or cannot be seen there: nothing connects to them. */
  readonly apart?: true;
}

/** What a look at the lease store showed. */
export interface LeaseObservation {
  /** The highest epoch ever claimed; 0 when there was none. */
  readonly epoch: number;
  /** Whether a live process holds the lease now (the record may still be that of the holder before). */
  readonly held: boolean;
  /** The node whose record the highest epoch has; null when there is none or it cannot be read. */
  readonly holder: LeaseHolder | null;
  readonly recordUnreadable: boolean;
  /** A value that the holder changes with every heartbeat; compared, never interpreted. */
  readonly touch: string | null;
  readonly paused: boolean;
  /** The pids of those who hold lock files that were removed: nobody can claim before they end. */
  readonly waitsFor?: readonly number[];
  /** When this node can have it at the earliest, on its clock, ms: it may not know yet who has it. */
  readonly notBefore?: number;
}

/** Of a lease that was never looked at, or of a group that there is not. */
export const NOTHING_OBSERVED: LeaseObservation = {
  epoch: 0,
  held: false,
  holder: null,
  recordUnreadable: false,
  touch: null,
  paused: false,
};

/** The last change of primary, as measured by the one that took over. */
export interface Takeover {
  readonly kind: 'failover' | 'switchover' | 'start';
  readonly from: string | null;
  readonly to: string;
  readonly epoch: number;
  readonly reason: string;
  /** From the old workload's end where that is known, else from the last sign of it, to the new workload's start. */
  readonly gapMs: number | null;
}

/** A standby as the primary heard of it. */
export interface StandbyInfo {
  readonly node: string;
  readonly run: string;
  readonly willing: boolean;
  readonly priority: number;
  readonly standby: Standby;
  readonly version: string;
  /** For how long it has stood by, ms, when it said so. */
  readonly standingByMs: number;
  /** The health of what it checks; left out where nothing is checked, or by a version that does not say. */
  readonly health?: HealthStatus;
}

/** A node on record, as it is looked at when there is no primary to tell of it. */
export interface Peer {
  readonly node: string;
  readonly run: string;
  readonly priority: number;
  /** How long ago it gave a sign of life, ms; 0: it is known to live. */
  readonly seenAgoMs: number;
}

/** What a primary says of its claim to the lead. */
export interface Standing {
  readonly priority: number;
  /** Whether a person asked for it: nobody takes the lead from it then. */
  readonly chosen: boolean;
}

export interface KnownStandby extends StandbyInfo {
  readonly heardAt: number;
}

/** What every role carries. Times are milliseconds on the caller's monotonic clock. */
export interface Common {
  /** The time of the last event. */
  readonly at: number;
  readonly startedAt: number;
  /** Since when it has this role. */
  readonly since: number;
  /** The next beat of this node's own loop. */
  readonly pulseAt: number;
  /** The highest epoch ever confirmed: nothing older has authority, no claim is made below it. */
  readonly epochFloor: number;
  readonly paused: boolean;
  /** When the look was asked for whose answer counted last. */
  readonly lookedAt: number;
  /** False: the application has told this node not to take part. */
  readonly enabled: boolean;
  /** Not willing before this time (cool-off, `demote --hold`). */
  readonly heldOffUntil: number;
  /** Not willing until another has led an epoch above this one; 0: no such wait. */
  readonly heldOffUntilEpochAbove: number;
  /** Claims and promotions that failed in a row. */
  readonly failures: number;
  /** State of the deterministic jitter. */
  readonly random: number;
  readonly restarts: readonly number[];
  readonly restartCount: number;
  readonly coolOffMs: number;
  /** How often in a row it asked for the lead of another without then leading in peace. */
  readonly preemptions: number;
  /**
   * Until when it leaves a free lease to those that go before it; null: it has not had to since somebody led.
   * Those that fail to lead, one after the other, don't put it off.
   */
  readonly givesWayUntil: number | null;
  readonly lastTakeover: Takeover | null;
  readonly requests: readonly PendingRequest[];
  readonly warning: string | null;
  readonly lastReason: string;
  /** Messages dropped because their epoch was old. */
  readonly staleMessages: number;
  /** Probes sent so far: the number of one is never used again. */
  readonly probeCount: number;
  /** The worst lateness of this node's own loop, ms. */
  readonly worstLatenessMs: number;
  /** Whether a process for the next promotion is ready (armed or hot). */
  readonly armed: boolean;
  /** When to arm, again if an earlier order failed or was not answered; null: nothing to do. */
  readonly rearmAt: number | null;
  /**
   * When to give back, again, what may have been granted to a claim that was given up; null: nothing was.
   * Only one that claims nothing acts on it.
   */
  readonly releaseAt: number | null;
  /** Whether the process is to be suspended (SIGTSTP) once it holds nothing; false again when it goes on. */
  readonly suspend: boolean;
  /** The term of the lease; null: no lease is held, or one without a time to live. */
  readonly term: LeaseTerm | null;
  /** Whether the suspension was ordered: the process may be stopped at any moment. */
  readonly suspendOrdered: boolean;
  readonly health: NodeHealth;
}

export interface SecondaryBase extends Common {
  readonly role: 'secondary';
  /** When the holder of the lease last gave a sign of life here, or was first seen. */
  readonly heardAt: number;
  /** When a look last showed that it has the lease, or it was first seen. */
  readonly heldAt: number;
  readonly primary: FollowedPrimary | null;
  readonly probe: OpenProbe | null;
  readonly nextProbeAt: number;
  readonly backgroundFailures: number;
  readonly touch: { readonly value: string; readonly changedAt: number } | null;
  readonly observeAt: number | null;
  /** When it last ordered a regular look at the lease, whether or not that was answered. */
  readonly lookOrderedAt: number;
  /**
   * Its holder is silent on another machine, or can't be heard from here at all: only its lease, or a word of it,
   * tells more. Until then it is not doubted again.
   */
  readonly leftToLease: boolean;
  readonly loss: Loss | null;
  /** Since when this node has gone before the primary, and could lead; null: it does not. */
  readonly fitSince: number | null;
}

export type SecondaryState = SecondaryBase &
  (
    | { readonly phase: 'listening'; readonly until: number }
    | { readonly phase: 'watching' }
    | { readonly phase: 'suspecting'; readonly suspicion: Suspicion }
    | { readonly phase: 'fencing'; readonly forced: boolean; readonly until: number }
    | { readonly phase: 'waiting'; readonly until: number; readonly why: WaitReason }
    | {
        readonly phase: 'asking';
        readonly askedAt: number;
        /** When the answer of the primary is overdue, or once it has agreed, the end of its term. */
        readonly until: number;
        readonly agreed: boolean;
        readonly force: boolean;
        /** Whether nobody asked for it: this node goes before the primary. */
        readonly preempting: boolean;
        /** A person asked while the node's own wish was unanswered: a refusal of that wish may still come. */
        readonly overruled: boolean;
      }
  );

export interface CandidateBase extends Common {
  readonly role: 'candidate';
  readonly loss: Loss;
  /** The primary that this node followed when it began to claim: it follows it again when the claim is denied. */
  readonly followed: FollowedPrimary | null;
  /** A stop that arrived during the promotion: taken up once the lease is free again. */
  readonly stop: StopOrder | null;
  /**
   * Standbys that have probed already: they follow as soon as the lease is held, and probe again after one interval.
   */
  readonly standbys: readonly KnownStandby[];
}

export interface StopOrder {
  readonly exitCode: number;
  readonly reason: string;
  readonly immediate: boolean;
  /**
   * What a start as primary came to: another node has the lease. Left out: anything else; no exit code tells it, as a
   * workload may end with any.
   */
  readonly cause?: 'lease-held';
}

/** `until`: when the answer that the phase waits for is overdue. */
export type CandidateState = CandidateBase &
  (
    | {
        readonly phase: 'acquiring';
        readonly retries: number;
        /** Null: a claim is under way. */
        readonly retryAt: number | null;
        readonly until: number;
      }
    | {
        readonly phase: 'clearing';
        readonly epoch: number;
        readonly previous: string | null;
        readonly plan: StartPlan;
      }
    | {
        readonly phase: 'starting';
        readonly epoch: number;
        readonly previous: string | null;
        readonly activatedAt: number | null;
        readonly until: number;
      }
    | {
        readonly phase: 'promoting';
        readonly epoch: number;
        readonly previous: string | null;
        readonly activatedAt: number;
        readonly until: number;
      }
    | {
        readonly phase: 'unwinding';
        readonly epoch: number;
        readonly failure: Failure;
        readonly step: 'stop' | 'release';
        readonly until: number;
        /** Whether it was said why the step takes long. */
        readonly told: boolean;
      }
  );

export interface PrimaryBase extends Common {
  readonly role: 'primary';
  readonly epoch: number;
  readonly previous: string | null;
  /** Whether a person asked for this node to lead. */
  readonly chosen: boolean;
  readonly standbys: readonly KnownStandby[];
  /** Proxies through which something may be under way to its workload. */
  readonly proxies: readonly KnownProxy[];
  /** When a beat last looked at everything that its lease stands on. */
  readonly verifiedAt: number;
}

export type PrimaryState = PrimaryBase &
  (
    | { readonly phase: 'serving' }
    | {
        readonly phase: 'restarting';
        /** The end of the old workload, which comes first; null: it has ended. */
        readonly ending: Pick<LastOrder, 'until' | 'told'> | null;
        readonly plan: StartPlan;
        readonly activated: boolean;
        /** When the answer to the start is overdue; null until it is ordered. */
        readonly until: number | null;
      }
    | { readonly phase: 'demoting'; readonly demotion: Demotion }
  );

export type StoppedState = Common & {
  readonly role: 'stopped';
  readonly order: StopOrder;
} & (
    | {
        readonly phase: 'stopping';
        readonly until: number;
        /** Whether what stands by was told to end at once. */
        readonly urged: boolean;
      }
    | { readonly phase: 'stopped' }
  );

export type NodeState = SecondaryState | CandidateState | PrimaryState | StoppedState;

export type Role = NodeState['role'];
export type Phase = NodeState['phase'];

/** A node as it begins: it has heard nothing and claims nothing. */
export function initialState(at: number, seed: number): NodeState {
  return {
    role: 'secondary',
    phase: 'listening',
    // Until the runtime says that it has started.
    until: Infinity,
    at,
    startedAt: at,
    since: at,
    pulseAt: at,
    epochFloor: 0,
    paused: false,
    lookedAt: at,
    enabled: true,
    heldOffUntil: 0,
    heldOffUntilEpochAbove: 0,
    failures: 0,
    random: seed >>> 0 || 1,
    restarts: [],
    restartCount: 0,
    coolOffMs: 0,
    preemptions: 0,
    givesWayUntil: null,
    lastTakeover: null,
    requests: [],
    warning: null,
    lastReason: 'started',
    staleMessages: 0,
    worstLatenessMs: 0,
    armed: false,
    rearmAt: null,
    releaseAt: null,
    suspend: false,
    term: null,
    suspendOrdered: false,
    health: NEVER_ASKED,
    heardAt: at,
    heldAt: at,
    primary: null,
    probe: null,
    probeCount: 0,
    nextProbeAt: at,
    backgroundFailures: 0,
    touch: null,
    observeAt: null,
    lookOrderedAt: at,
    leftToLease: false,
    loss: null,
    fitSince: null,
  };
}
