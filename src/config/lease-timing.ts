// The times of a lease with a time to live, and what must hold between them.
import { FailoverError } from '../errors.ts';
import { formatDuration } from './duration.ts';

export interface LeaseTiming {
  readonly leaseTtlMs: number;
  /** Between two renewals, give or take a fifth. */
  readonly leaseTickMs: number;
  readonly leaseRequestTimeoutMs: number;
  /** How long it may go without a renewal before its holder steps down. */
  readonly leaseMaxDriftMs: number;
}

/** What was given; null: what follows from the time to live. */
export type GivenTiming = { readonly [Key in keyof LeaseTiming]: LeaseTiming[Key] | null };

const DEFAULT_TTL_MS = 3_000;

/** The longest tick by default, ms. */
const LONGEST_TICK_MS = 500;

/** By how much a tick may be longer than it is set to. */
const TICK_SPREAD = 1.2;

/** A sixth of the time to live for a tick, as much for an answer, and half of it without a renewal. */
export function timingOf(given: GivenTiming): LeaseTiming {
  const leaseTtlMs = given.leaseTtlMs ?? DEFAULT_TTL_MS;
  const leaseTickMs = given.leaseTickMs ?? Math.min(LONGEST_TICK_MS, leaseTtlMs / 6);
  return {
    leaseTtlMs,
    leaseTickMs,
    leaseRequestTimeoutMs: given.leaseRequestTimeoutMs ?? leaseTickMs,
    leaseMaxDriftMs: given.leaseMaxDriftMs ?? leaseTtlMs / 2,
  };
}

/**
 * One renewal that is not answered must not cost the lease, and its holder has to notice the loss while the
 * lease is still its own.
 *
 * @param show an option with its value for a message
 * @throws FAILOVER_SETTINGS_CONFLICT, with the options and their values
 */
export function checkTiming(timing: LeaseTiming, show: (key: string) => string): void {
  const { leaseTtlMs, leaseTickMs, leaseRequestTimeoutMs, leaseMaxDriftMs } = timing;
  const needed = leaseTickMs * TICK_SPREAD + leaseRequestTimeoutMs;
  if (needed >= leaseMaxDriftMs) {
    throw conflict(
      `${show('leaseTick')} × 1.2 + ${show('leaseRequestTimeout')} is not shorter than ` +
        show('leaseMaxDrift'),
      `Set --lease-max-drift to more than ${formatDuration(needed)}, or shorten the tick or the timeout.`,
    );
  }
  if (leaseMaxDriftMs >= leaseTtlMs) {
    throw conflict(
      `${show('leaseMaxDrift')} is not shorter than ${show('leaseTtl')}`,
      `Set --lease-max-drift to less than ${formatDuration(leaseTtlMs)}, or raise --lease-ttl.`,
    );
  }
}

function conflict(fact: string, hint: string): FailoverError {
  return new FailoverError('FAILOVER_SETTINGS_CONFLICT', `Cannot run: ${fact}`, { hint });
}
