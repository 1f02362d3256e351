// The times of a lease: what follows from its time to live, and what contradicts what.
import { describe, expect, it } from 'vitest';
import { checkTiming, timingOf } from '../../src/config/lease-timing.ts';
import type { GivenTiming } from '../../src/config/lease-timing.ts';
import { failureOf } from '../support/failover-error.ts';

describe('the times of a lease', () => {
  it('follow from its time to live', () => {
    expect(given({})).toEqual({
      leaseTtlMs: 3_000,
      leaseTickMs: 500,
      leaseRequestTimeoutMs: 500,
      leaseMaxDriftMs: 1_500,
    });
    expect(given({ leaseTtlMs: 60_000 }).leaseTickMs).toBe(500);
    expect(given({ leaseTtlMs: 120 })).toMatchObject({ leaseTickMs: 20, leaseMaxDriftMs: 60 });
  });

  it('hold for each time to live by themselves', () => {
    for (const leaseTtlMs of [100, 101, 3_000, 3_600_000]) checkTiming(given({ leaseTtlMs }), show);
  });

  it.each([
    [{ leaseTickMs: 900, leaseRequestTimeoutMs: 420 }, '<leaseTick> × 1.2 + <leaseRequestTimeout>'],
    [{ leaseMaxDriftMs: 1_100 }, 'is not shorter than <leaseMaxDrift>'],
    [{ leaseMaxDriftMs: 3_000 }, '<leaseMaxDrift> is not shorter than <leaseTtl>'],
  ])('are refused by name where they contradict each other: %j', (some, fact) => {
    const failure = failureOf(() => {
      checkTiming(given(some), show);
    });
    expect(failure.code).toBe('FAILOVER_SETTINGS_CONFLICT');
    expect(failure.message).toContain(fact);
  });
});

function given(some: Partial<GivenTiming>): ReturnType<typeof timingOf> {
  const nothing = { leaseTickMs: null, leaseRequestTimeoutMs: null, leaseMaxDriftMs: null };
  return timingOf({ leaseTtlMs: 3_000, ...nothing, ...some });
}

function show(key: string): string {
  return `<${key}>`;
}
