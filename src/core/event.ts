// Every cause of a decision, in the past tense. Each carries `at`, ms on the node's monotonic clock.
import type { CheckAnswer, HealthStatus, ToldDemotions } from './health.ts';
import type { Granted } from './lease-term.ts';
import type {
  LeaseObservation,
  Peer,
  StandbyInfo,
  Standing,
  StopOrder,
  Takeover,
} from './state.ts';

/** The kernel's and the process table's view of the holder of the lease. */
export interface HolderInspection {
  readonly observation: LeaseObservation;
  /**
   * none: nobody holds it. ours: a node of this group. foreign: somebody else's process. elsewhere: a node
   * on another machine, whose process can't be looked at.
   */
  readonly holder: 'none' | 'ours' | 'foreign' | 'elsewhere';
  readonly description: string;
  /** What the process is doing; null when there is none or it can't be looked at. */
  readonly process: 'running' | 'sleeping' | 'stopped' | 'uninterruptible' | 'ending' | null;
  /** CPU use since the sample before this one; null on the first look. */
  readonly sample: {
    readonly overMs: number;
    readonly onCpuMs: number;
    readonly waitingMs: number;
  } | null;
  /** Share of the time in which some task on the machine waited for the CPU (0..1); null: unknown. */
  readonly cpuPressure: number | null;
}

export type FenceOutcome =
  | 'killed'
  | 'gone'
  | 'stale'
  | 'spared-stopped'
  | 'not-permitted'
  | 'foreign'
  | 'elsewhere'
  | 'not-released';

export type DenialCause = 'held' | 'lost-race' | 'foreign-lockfile' | 'completed';

/** What was asked of the lease when it failed. */
export type LeaseOrder = 'acquire' | 'advance' | 'renew' | 'complete' | 'release' | 'observe';

export type Event = { readonly at: number } & EventBody;

export type EventBody =
  // The node's own life
  | { readonly type: 'started' }
  | { readonly type: 'time-passed' }
  | {
      readonly type: 'stop-requested';
      readonly order: StopOrder;
      readonly requestId: string | null;
    }
  | { readonly type: 'suspend-requested' }
  /** The process is to go on: it was continued after a suspension, or before it came to one. */
  | { readonly type: 'suspend-withdrawn' }
  | { readonly type: 'enabled-changed'; readonly enabled: boolean }
  // The lease
  | {
      readonly type: 'lease-observed';
      readonly observation: LeaseObservation;
      /** When the look was asked for, on this node's clock, ms; left out: just now. */
      readonly askedAt?: number;
    }
  | { readonly type: 'lease-changed' }
  /** The nodes on record, as far as the record can be read. */
  | { readonly type: 'peers-listed'; readonly peers: readonly Peer[] }
  | {
      readonly type: 'lease-granted';
      readonly epoch: number;
      readonly previous: string | null;
      /** When and for how long the lease was granted; null: it has no time to live. */
      readonly granted: Granted | null;
    }
  | ({ readonly type: 'lease-renewed' } & Granted)
  | {
      readonly type: 'lease-denied';
      readonly cause: DenialCause;
      /** The pids of those who hold lock files that were removed: with `held`, nobody can claim before they end. */
      readonly waitsFor: readonly number[];
      readonly observation: LeaseObservation;
    }
  | {
      readonly type: 'lease-failed';
      readonly order: LeaseOrder;
      /** Of the table of errors, to be told: nothing is decided by it. */
      readonly code: string;
      readonly message: string;
    }
  | { readonly type: 'epoch-advanced'; readonly epoch: number }
  | { readonly type: 'completion-recorded' }
  // withinMs: how long the workload may take to end before another may have the lease; 0: another may have it
  | { readonly type: 'lease-lost'; readonly cause: string; readonly withinMs: number }
  // heldBy: who has its lock all the same, a stranger or one that is taking it; null: it is proved free
  | { readonly type: 'lease-released'; readonly heldBy: string | null }
  | {
      readonly type: 'holder-inspected';
      readonly inspection: HolderInspection;
      /** When the look was asked for, as for `lease-observed`. */
      readonly askedAt?: number;
    }
  | { readonly type: 'fence-finished'; readonly outcome: FenceOutcome; readonly detail: string }
  | { readonly type: 'leftovers-cleared'; readonly ended: number }
  | { readonly type: 'leftovers-remain'; readonly detail: string }
  // The bus and the probes
  | {
      readonly type: 'heartbeat-received';
      readonly node: string;
      readonly run: string;
      readonly epoch: number;
      readonly phase: 'primary' | 'promoting';
      readonly succession: readonly string[];
      readonly lastTakeover: Takeover | null;
      /** Left out by a version that does not tell. */
      readonly standing?: Standing;
      /** Left out where the workload is not checked. */
      readonly health?: HealthStatus;
      readonly demotions?: ToldDemotions;
    }
  | {
      readonly type: 'promoted-received';
      readonly node: string;
      readonly run: string;
      readonly epoch: number;
    }
  | {
      readonly type: 'shutdown-received';
      readonly node: string;
      readonly run: string;
      readonly epoch: number;
      readonly reason: string;
      readonly successor: string | null;
      readonly completed: boolean;
      readonly planned: boolean;
      /** How long before this message the old workload had ended, ms; null: unknown. */
      readonly workloadEndedAgoMs: number | null;
      readonly demotions?: ToldDemotions;
    }
  | { readonly type: 'connection-lost'; readonly run: string }
  | {
      readonly type: 'probe-answered';
      readonly probe: number;
      readonly run: string;
      readonly epoch: number;
      readonly role: string;
      readonly version: string;
    }
  | { readonly type: 'probe-failed'; readonly probe: number; readonly cause: string }
  | { readonly type: 'standby-heard'; readonly standby: StandbyInfo }
  // A proxy forwards to the primary of this epoch, and says so again and again; then nothing is under way through it
  | { readonly type: 'proxy-attached'; readonly proxy: string; readonly epoch: number }
  | { readonly type: 'proxy-drained'; readonly proxy: string; readonly epoch: number }
  | { readonly type: 'demotion-answered'; readonly accepted: boolean; readonly detail: string }
  // The workload
  | { readonly type: 'workload-armed' }
  | { readonly type: 'workload-disarmed'; readonly detail: string }
  | { readonly type: 'workload-activated' }
  | { readonly type: 'workload-ready' }
  /** The code as that of a lease that failed. */
  | { readonly type: 'workload-failed'; readonly code: string; readonly message: string }
  | {
      readonly type: 'workload-ended';
      readonly exitCode: number | null;
      readonly signal: string | null;
    }
  | { readonly type: 'workload-stopped' }
  | { readonly type: 'workload-stop-failed'; readonly message: string }
  | { readonly type: 'workload-deactivated' }
  | {
      readonly type: 'hook-finished';
      readonly hook: 'promote' | 'demote';
      readonly ok: boolean;
      readonly detail: string;
    }
  /** The answer to the health check with this number. */
  | ({ readonly type: 'health-checked'; readonly number: number } & CheckAnswer)
  // Requests of people and other nodes
  | {
      readonly type: 'promote-requested';
      readonly requestId: string;
      readonly force: boolean;
      /** True: answer as soon as only the end of a lease is left to wait for. Left out: answer at the end. */
      readonly answerEarly?: boolean;
    }
  | {
      readonly type: 'demote-requested';
      readonly requestId: string;
      readonly successor: string | null;
      readonly holdMs: number | null;
      /** True: answer once the demotion has begun; false: once it has ended. */
      readonly answerEarly: boolean;
      /** The successor asks of its own accord (--preempt), as it goes before this node. */
      readonly preempting?: boolean;
    }
  | {
      readonly type: 'check-requested';
      readonly requestId: string;
      /** True: answer once the probes are done, even while it is not decided what follows from them. */
      readonly answerEarly: boolean;
    };
