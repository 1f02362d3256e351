// What a monitor of health is told, and how that is checked.
import type { Thresholds } from '../core/hysteresis.ts';
import { lookOverNetwork } from './attempt.ts';
import type { CheckResult, Fault } from './check-result.ts';
import { checkedConcurrency, checkedTime } from '../config/checked-number.ts';
import { networkCheckOf } from './health-target.ts';
import type { HealthTarget } from './health-target.ts';
import { CHECK_TIMEOUT_MS } from './single-checks.ts';
import type { HealthCounts } from './tracker.ts';

/**
 * A check of a program's own: true or a healthy result passes, all else, and what it throws, does not; a result that is
 * `cancelled` counts for nothing. When its signal aborts its time is over; it is not waited for then, but not called
 * again for this target before it has ended.
 */
export type HealthCheck<T extends HealthTarget = HealthTarget> = (
  target: T,
  signal: AbortSignal,
) => Promise<CheckResult | boolean>;

export interface HealthMonitorOptions<
  T extends HealthTarget = HealthTarget,
> extends Partial<Thresholds> {
  readonly targets?: readonly T[];
  /** From the beginning of a round of checks to that of the next, ms, give or take a tenth; by default 15 s. */
  readonly intervalMs?: number;
  /** How long one check may take, ms; by default 5 s. */
  readonly timeoutMs?: number;
  /** How many checks are under way at most; by default 10. */
  readonly concurrency?: number;
  /** By default the address is asked over HTTP, or connected to. With another an address is any text. */
  readonly check?: HealthCheck<T>;
  /**
   * Other targets are healthy than before: after a round, at most once each, or by `setTargets`. What it throws is an
   * uncaught exception, as of a listener.
   */
  readonly onChange?: (healthy: readonly T[], counts: HealthCounts) => void;
  /** What each check has found, when its round is over. */
  readonly onCheck?: (target: T, result: CheckResult) => void;
  /** Stops the monitor for good when it aborts. */
  readonly signal?: AbortSignal;
}

/** The same, checked, with all that was left out. */
export interface MonitorTerms<T extends HealthTarget> {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly look: (target: T, signal: AbortSignal) => Promise<Fault | null>;
  /** @throws FAILOVER_BAD_OPTION for a target that can't be checked */
  readonly requireTargets: (targets: readonly T[]) => void;
}

/** @throws FAILOVER_BAD_OPTION */
export function monitorTermsOf<T extends HealthTarget>(
  options: HealthMonitorOptions<T>,
): MonitorTerms<T> {
  const { intervalMs = 15_000, timeoutMs = CHECK_TIMEOUT_MS, concurrency = 10, check } = options;
  return {
    intervalMs: checkedTime('intervalMs', intervalMs, LEAST_INTERVAL_MS),
    timeoutMs: checkedTime('timeoutMs', timeoutMs),
    concurrency: checkedConcurrency(concurrency),
    look:
      check === undefined ? lookAt : async (target, signal) => faultIn(await check(target, signal)),
    requireTargets: (targets) => {
      if (check === undefined)
        for (const target of targets) networkCheckOf(target.address, 'address');
    },
  };
}

/** More often it would be no check but a load. */
const LEAST_INTERVAL_MS = 10;

/** Async, so that what it throws is a rejection. */
async function lookAt({ address }: HealthTarget, signal: AbortSignal): Promise<Fault | null> {
  return lookOverNetwork(networkCheckOf(address, 'address'), signal);
}

function faultIn(found: CheckResult | boolean): Fault | null {
  if (typeof found === 'boolean') {
    return found ? null : { reason: 'failed', error: 'the check did not pass' };
  }
  return found.healthy ? null : found;
}
