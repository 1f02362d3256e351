// What a node answers to `instance.status`, and what every client reads.
import type { CoreReport, TakeoverBounds } from '../core/report.ts';
import type { Endpoints } from '../core/state.ts';
import type { TransportCounters } from '../transport/counters.ts';
import type { WorkloadDescription } from './ports.ts';

export interface NodeStatus extends CoreReport {
  readonly pid: number;
  readonly host: string;
  /** Wall clock, ISO 8601. */
  readonly startedAt: string;
  readonly endpoints: Endpoints;
  readonly workload: WorkloadDescription & {
    readonly restarts: number;
    /** Null: no health check is configured. */
    readonly health: null;
  };
  readonly lease: { readonly kind: 'file'; readonly guards: readonly string[] };
  readonly transport: TransportCounters;
  readonly takeover: TakeoverPrediction;
}

export interface TakeoverPrediction extends TakeoverBounds {
  /**
   * After a crash, from its being noticed to the new workload's start, ms, as this node measured it when
   * it rehearsed; null: it has not.
   */
  readonly crashMs: number | null;
}

/** How long a node tells of a removal, ms. */
const REMOVAL_TOLD_MS = 10 * 60 * 1000;

/** What to say of state that was removed while the node ran; null: nothing, or no longer. */
export function removalWarning(
  removal: { readonly path: string; readonly atMs: number } | null,
  nowMs: number,
): string | null {
  if (removal === null || nowMs - removal.atMs > REMOVAL_TOLD_MS) return null;
  return (
    `${removal.path} was removed while this node ran, and was made anew: ` +
    'exclude it from whatever deletes files here'
  );
}
