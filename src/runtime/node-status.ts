// What a node answers to `instance.status`, and what every client reads.
import type { HealthStatus } from '../core/health.ts';
import type { CoreReport, TakeoverBounds } from '../core/report.ts';
import type { Endpoints, LeaseObservation } from '../core/state.ts';
import type { LeaseKind } from '../lease/lease-store.ts';
import type { TransportCounters } from '../transport/counters.ts';
import type { NodeSetup } from './node-setup.ts';
import type { WorkloadDescription } from './ports.ts';

export interface NodeStatus extends CoreReport {
  readonly pid: number;
  readonly host: string;
  /** Wall clock, ISO 8601. */
  readonly startedAt: string;
  /** The most that its loop was late in the last minute, ms; null: of a version that does not say. */
  readonly latenessMs: number | null;
  readonly endpoints: Endpoints;
  /** Where its command is reached while it leads; null: it does not say. */
  readonly target?: string | null;
  readonly workload: WorkloadDescription & {
    readonly restarts: number;
    /** The health of what is checked; null: nothing is checked here at present. */
    readonly health: HealthStatus | null;
  };
  readonly lease: {
    readonly kind: LeaseKind;
    readonly guards: readonly string[];
    /** The lease as its server showed it last; null: it is in the state directory, where everyone can look. */
    readonly seen: LeaseObservation | null;
  };
  readonly transport: TransportCounters;
  readonly takeover: TakeoverPrediction;
  readonly setup: NodeSetup;
  readonly activation: Activation | null;
}

/** When its workload was last told to be active: its gate was opened, or its role changed to primary. */
export interface Activation {
  readonly epoch: number;
  /** Monotonic clock of the machine (since boot), ms. */
  readonly atMs: number;
}

export interface TakeoverPrediction extends TakeoverBounds {
  /**
   * After a crash, from its being noticed to the new workload's start, ms, as this node measured it when
   * it rehearsed; null: it has not.
   */
  readonly crashMs: number | null;
  /** Why there is no such time; null: there is. */
  readonly crashUnknownBecause: string | null;
}

/**
 * What a node expects of its own takeover.
 *
 * @param rehearsal What its rehearsal took, ms; null: it is still to come; `never`: what takes the lease is
 *   a program's own callback, and nobody but that program knows what it would do; `on-server`: the lease
 *   is not on this machine.
 */
export function predictionOf(
  bounds: TakeoverBounds,
  rehearsal: number | null | 'never' | 'on-server',
): TakeoverPrediction {
  if (typeof rehearsal === 'number') {
    return { ...bounds, crashMs: rehearsal, crashUnknownBecause: null };
  }
  return { ...bounds, crashMs: null, crashUnknownBecause: UNREHEARSED[rehearsal ?? 'not-yet'] };
}

const UNREHEARSED = {
  'not-yet': 'not rehearsed yet',
  never: "its program's callback is not rehearsed",
  'on-server': 'the time that a server takes is not rehearsed',
} as const;

/** How long a node tells of a removal, ms. */
const REMOVAL_TOLD_MS = 10 * 60 * 1000;

/** What to say of state that was removed while the node ran; null: nothing, or no longer. */
export function removalWarning(
  removal: { readonly path: string; readonly atMs: number } | null,
  nowMs: number,
): string | null {
  if (removal === null || nowMs - removal.atMs > REMOVAL_TOLD_MS) return null;
  return `${removal.path} was removed while this node was running and has been recreated: exclude it from whatever deletes files here`;
}

/** What is not promised together with nodes of other pid namespaces, and what to do; null: there are none. */
export function namespaceWarning(nodes: readonly string[]): string | null {
  if (nodes.length === 0) return null;
  const named = nodes.slice(0, NAMED_NODES).join(', ');
  const where =
    nodes.length === 1
      ? `node ${named} of this group is in another pid namespace of this machine.`
      : `nodes ${named} of this group are in another pid namespace of this machine.`;
  return `${where} Neither side sees the other's processes: a workload that closes the descriptor FAILOVER_LOCK_FD may run twice, and a hung primary is not fenced.  Run all nodes of a group in one pid namespace`;
}

/** The most nodes that one message names. */
const NAMED_NODES = 5;
