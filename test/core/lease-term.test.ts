// How long ahead a lease with a time to live may be asked for.
import { describe, expect, it } from 'vitest';
import { claimAheadMs } from '../../src/core/lease-term.ts';
import { DEFAULT_SETTINGS } from '../support/core-settings.ts';

const lease = (ttlMs: number, tickMs: number, requestMs: number, driftMs: number): number =>
  claimAheadMs({
    ...DEFAULT_SETTINGS,
    ...{ leaseTtlMs: ttlMs, leaseTickMs: tickMs },
    ...{ leaseRequestTimeoutMs: requestMs, leaseMaxDriftMs: driftMs },
  });

describe('what is granted ahead of a claim', () => {
  it('may be a tenth of its time old', () => {
    expect(lease(3_000, 500, 500, 1_500)).toBe(300);
  });

  it('leaves the first renewal the time that each has', () => {
    expect(lease(60_000, 500, 500, 1_300)).toBe(200);
    expect(lease(60_000, 500, 500, 1_100)).toBe(0);
  });
});
