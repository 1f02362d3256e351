// What a node says of itself when it is asked, made from its state alone.
import { isApart } from './apart.ts';
import { successionOf, unwillingBecause } from './election-order.ts';
import { epochOf } from './invariants.ts';
import { preemptAt } from './preemption.ts';
import { recentRestarts } from './restart-policy.ts';
import type { HealthStatus } from './health.ts';
import { yieldsBecause } from './yielding.ts';
import { STARVATION_LIMIT } from './settings.ts';
import type { Settings, Standby, Strategy } from './settings.ts';
import type { NodeState, Phase, Role, Takeover } from './state.ts';

export interface CoreReport {
  readonly id: string;
  readonly run: string;
  readonly role: Role;
  readonly phase: Phase;
  /** The epoch it acts under, or the highest it has seen. */
  readonly epoch: number;
  readonly version: string;
  readonly standby: Standby;
  readonly strategy: Strategy;
  readonly priority: number;
  /** How long until it asks for the lead of the primary it goes before, ms; null: it will not, as things are. */
  readonly preemptsInMs: number | null;
  readonly willing: boolean;
  /** Why it would not claim the lease; null when it would. */
  readonly unwillingBecause: string | null;
  /** The health of what is checked here at present; null: nothing is. */
  readonly health: HealthStatus | null;
  /** Why it is not healthy, or leaves the lead to healthy nodes; null: it is healthy as far as is known. */
  readonly unhealthyBecause: string | null;
  readonly paused: boolean;
  readonly reason: string;
  readonly warning: string | null;
  /** How long it has had this role, ms. */
  readonly roleForMs: number;
  readonly uptimeMs: number;
  /** How long ago the primary was heard, ms; 0 on the primary itself, null when nobody is followed or can be heard. */
  readonly lastHeartbeatMs: number | null;
  /** The node that it follows; on the primary itself. */
  readonly primary: string | null;
  /** False: the sockets of the primary are not on this node's machine, and the lease alone tells of it. */
  readonly hearsPrimary: boolean;
  readonly succession: readonly string[];
  readonly lastTakeover: Takeover | null;
  readonly restarts: number;
  /** How often its workload may still end within the window before this node steps down over it. */
  readonly restartsLeft: number;
  readonly staleMessages: number;
  readonly worstLatenessMs: number;
  readonly takeover: TakeoverBounds;
}

/** How long it takes at most until this node has taken over, as its settings say. */
export interface TakeoverBounds {
  /**
   * After a hang, ms: timeout, probes, and the grace of the workload that is emptied, or the end of a
   * lease that ends by itself; null with `--fence none`, when a hung primary keeps its lease.
   */
  readonly hangMs: number | null;
  /** The same bound while the primary gets no CPU on a busy machine, ms. */
  readonly starvedMs: number | null;
}

export function reportOf(state: NodeState, settings: Settings): CoreReport {
  const unwilling = unwillingBecause(state, settings);
  const followed = state.role === 'secondary' ? state.primary : null;
  const leads = state.role === 'primary';
  return {
    id: settings.nodeId,
    run: settings.run,
    role: state.role,
    phase: state.phase,
    epoch: epochOf(state) ?? state.epochFloor,
    version: settings.version,
    standby: settings.standby,
    strategy: settings.strategy,
    priority: settings.priority,
    preemptsInMs: preemptsInMs(state, settings),
    willing: unwilling === null,
    unwillingBecause: unwilling,
    health: state.health.subject === null ? null : state.health.status,
    unhealthyBecause: unhealthyBecause(state, settings),
    paused: state.paused,
    reason: state.lastReason,
    warning: state.warning,
    roleForMs: Math.round(state.at - state.since),
    uptimeMs: Math.round(state.at - state.startedAt),
    lastHeartbeatMs: leads ? 0 : lastHeartbeatMs(state),
    primary: leads ? settings.nodeId : (followed?.node ?? null),
    hearsPrimary: !isApart(state),
    succession: leads
      ? successionOf(state.standbys, state.at, settings)
      : (followed?.succession ?? []),
    lastTakeover: state.lastTakeover,
    restarts: state.restartCount,
    restartsLeft: Math.max(0, settings.restartLimit - recentRestarts(state, settings).length),
    staleMessages: state.staleMessages,
    worstLatenessMs: Math.round(state.worstLatenessMs),
    takeover: boundsOf(settings),
  };
}

function unhealthyBecause(state: NodeState, settings: Settings): string | null {
  const { subject, status, fault } = state.health;
  if (state.role === 'secondary') return yieldsBecause(state, settings);
  return subject !== null && status === 'unhealthy' ? fault : null;
}

function lastHeartbeatMs(state: NodeState): number | null {
  if (state.role !== 'secondary' || state.primary === null || isApart(state)) return null;
  return Math.round(state.at - state.heardAt);
}

function preemptsInMs(state: NodeState, settings: Settings): number | null {
  if (state.role !== 'secondary') return null;
  const at = preemptAt(state, settings);
  return at === null ? null : Math.max(0, Math.round(at - state.at));
}

function boundsOf(settings: Settings): TakeoverBounds {
  if (settings.leaseTtlMs > 0) {
    // Nobody is fenced: the lease ends by itself, and the next look finds it free. A timeout is at least two looks.
    const endMs =
      settings.leaseTtlMs + settings.heartbeatTimeoutMs + settings.leaseRequestTimeoutMs;
    return { hangMs: endMs, starvedMs: endMs };
  }
  if (settings.fence === 'none') return { hangMs: null, starvedMs: null };
  const probesMs = settings.probeAttempts * settings.probeTimeoutMs;
  // Its third sign of life, the lock file, is looked at once in a heartbeat interval.
  const lookMs = probesMs < settings.heartbeatIntervalMs ? settings.heartbeatIntervalMs : 0;
  const graceMs = Math.max(settings.fenceGraceMs, settings.stopGraceMs);
  const hangMs = settings.heartbeatTimeoutMs + probesMs + lookMs + graceMs;
  return {
    hangMs,
    starvedMs: hangMs + (STARVATION_LIMIT - 1) * settings.heartbeatTimeoutMs,
  };
}
