// Every consequence of a decision, in the imperative. The runtime performs them in list order; what one
// learns comes back as an event. Nothing here waits: an effect that takes time answers later.
import type { HealthStatus, HealthSubject, ToldDemotions } from './health.ts';
import type { FenceMode } from './settings.ts';
import type { LeaseHolder, Standing, StopOrder, Takeover } from './state.ts';

/** The body of a bus message beside what the transport adds (version, group, node, run, seq, time). */
export type Announcement =
  | {
      readonly kind: 'heartbeat';
      readonly epoch: number;
      readonly phase: 'primary' | 'promoting';
      readonly uptimeMs: number;
      readonly succession: readonly string[];
      readonly lastTakeover: Takeover | null;
      /** Left out by a version that does not tell. */
      readonly standing?: Standing;
      /** Left out where the workload is not checked. */
      readonly health?: HealthStatus;
      /** Left out where the lead was not handed over for an unhealthy workload, or long ago. */
      readonly demotions?: ToldDemotions;
    }
  | {
      readonly kind: 'role';
      readonly epoch: number;
      readonly role: string;
      readonly reason: string;
    }
  | {
      readonly kind: 'promoted';
      readonly epoch: number;
      readonly previous: string | null;
      readonly reason: string;
    }
  | {
      readonly kind: 'shutdown';
      readonly epoch: number;
      readonly reason: string;
      readonly successor: string | null;
      readonly completed: boolean;
      readonly planned: boolean;
      readonly workloadEndedAgoMs: number | null;
      readonly demotions?: ToldDemotions;
    };

/** Why the core meets no request. The table of errors has a row for each: what hands one on does not compile otherwise. */
type CoreErrorCode = 'FAILOVER_REFUSED' | 'FAILOVER_NO_PRIMARY' | 'FAILOVER_PROMOTION_FAILED';

/** The answer to a client's request. */
export type RequestOutcome =
  | {
      readonly ok: true;
      readonly takeover: Takeover | null;
      readonly detail: string;
      /**
       * Of an early check: the primary answers no probe, and does not count as dead yet. Of an early promotion: the
       * end of its lease is waited for.
       */
      readonly undecided?: true;
    }
  | { readonly ok: false; readonly code: CoreErrorCode; readonly message: string };

/**
 * What a holder of the lease looks at. `lock`: whether its lock still has its place, where changes of the rest are told
 * as they happen; `all`: everything that the lease stands on.
 */
export type VerifyScope = 'all' | 'lock';

export type Effect =
  // The lease: answered by lease-granted | lease-denied | lease-failed
  | { readonly type: 'acquire-lease'; readonly floor: number }
  // A claim will follow soon: what takes long is done ahead (a process, a grant). Never answered
  | { readonly type: 'prepare-claim' }
  // epoch-advanced | lease-lost | lease-failed; the lease is held before and after
  | { readonly type: 'advance-epoch'; readonly floor: number }
  // lease-renewed | lease-lost | lease-failed; of a lease with a time to live
  | { readonly type: 'renew-lease'; readonly timeoutMs: number }
  // Tells the guard a time on this node's clock, at which it ends the workload, whoever still lives
  | { readonly type: 'extend-deadline'; readonly deadlineAt: number }
  // lease-lost when the lease is no longer ours, else nothing; also touches the lease: a sign of life
  | { readonly type: 'verify-lease'; readonly scope: VerifyScope }
  // lease-released, which says whether it is proved free | lease-failed
  | { readonly type: 'release-lease' }
  // lease-observed | lease-failed
  | { readonly type: 'observe-lease' }
  // peers-listed
  | { readonly type: 'list-peers' }
  // durable: nodes that started before it end, later ones may run again: completion-recorded | lease-failed
  | { readonly type: 'mark-completed'; readonly epoch: number }
  // holder-inspected
  | { readonly type: 'inspect-holder' }
  // fence-finished
  | {
      readonly type: 'fence-holder';
      readonly epoch: number;
      readonly run: string | null;
      readonly mode: FenceMode;
    }
  // leftovers-cleared | leftovers-remain
  | {
      readonly type: 'clear-leftovers';
      readonly fenceGraceMs: number;
      readonly stopGraceMs: number;
    }
  // The bus
  | { readonly type: 'follow'; readonly holder: LeaseHolder | null }
  | { readonly type: 'publish'; readonly announcement: Announcement }
  // probe-answered | probe-failed; carries this node's standby info to the primary
  | {
      readonly type: 'probe';
      readonly probe: number;
      readonly timeoutMs: number;
      readonly willing: boolean;
      readonly standingByMs: number;
      readonly health?: HealthStatus;
    }
  // demotion-answered
  | {
      readonly type: 'request-demotion';
      readonly successor: string;
      readonly preempting: boolean;
      readonly timeoutMs: number;
    }
  // The workload: workload-armed | workload-failed (a hot one runs as secondary from here on)
  | { readonly type: 'arm-workload' }
  // Never without a look at the lease right before it: lease-lost, and nothing is started | workload-activated |
  // workload-failed; then workload-ready, workload-ended
  | {
      readonly type: 'activate-workload';
      readonly epoch: number;
      readonly previous: string | null;
      readonly reason: string;
    }
  // Like activate-workload after a look at the lease: lease-lost, and nothing is run | hook-finished
  | {
      readonly type: 'run-hook';
      readonly hook: 'promote' | 'demote';
      readonly epoch: number;
      readonly previous: string | null;
      readonly reason: string;
      readonly timeoutMs: number;
    }
  // workload-stopped, once its session is empty and its lock proved free, or all was done that can be: what
  // outlives SIGKILL stays on record, so that whoever starts next waits for it | workload-stop-failed, also where
  // nobody could look who is left; also
  // ends hooks and an armed process, and what is still starting. `toRestart`: the term goes on, and with it what was
  // promoted, which is still to be demoted
  | { readonly type: 'stop-workload'; readonly graceMs: number; readonly toRestart?: true }
  // workload-deactivated: hot and confirmed; the workload goes on as secondary
  | { readonly type: 'deactivate-workload' }
  // health-checked, with its number, within the time or soon after it: one check at a time, which leaves nothing
  | {
      readonly type: 'check-health';
      readonly number: number;
      readonly subject: HealthSubject;
      readonly timeoutMs: number;
    }
  // The process
  | { readonly type: 'answer'; readonly requestId: string; readonly outcome: RequestOutcome }
  | { readonly type: 'suspend-process' }
  | { readonly type: 'exit'; readonly order: StopOrder };
