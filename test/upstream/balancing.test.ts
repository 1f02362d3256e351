// In turn, in the lowest tier that has a usable one.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LATENCY_TIERS_MS, nextInTurn, tierOf } from '../../src/upstream/balancing.ts';
import type { Candidate } from '../../src/upstream/balancing.ts';

const candidates = fc.array(
  fc.record({ isUsable: fc.boolean(), tier: fc.integer({ min: 0, max: 3 }) }),
  { minLength: 1, maxLength: 12 },
);

describe('the tier of a latency', () => {
  it.each([
    [0, 0],
    [0.09, 0],
    [0.1, 1],
    [0.99, 1],
    [1, 2],
    [9.9, 2],
    [10, 3],
    [100, 4],
    [999, 4],
    [1_000, 5],
    [60_000, 5],
  ])('of %d ms is %i', (latencyMs, tier) => {
    expect(tierOf(latencyMs, LATENCY_TIERS_MS)).toBe(tier);
  });

  it('is the only one where there is one', () => {
    expect([tierOf(0, [0]), tierOf(5_000, [0])]).toEqual([0, 0]);
  });
});

describe('the next in turn', () => {
  it('is none of none', () => {
    expect(nextInTurn([], -1)).toBe(-1);
    expect(nextInTurn([{ isUsable: false, tier: 0 }], 0)).toBe(-1);
  });

  it('is usable, and no usable one has a lower tier', () => {
    fc.assert(
      fc.property(candidates, fc.nat(12), (all, last) => {
        const chosen = all[nextInTurn(all, last % all.length)];
        const tiers = all.filter(({ isUsable }) => isUsable).map(({ tier }) => tier);
        return chosen === undefined
          ? tiers.length === 0
          : chosen.isUsable && chosen.tier === Math.min(...tiers);
      }),
    );
  });

  it('gives each usable one of the lowest tier the same share', () => {
    fc.assert(
      fc.property(candidates, fc.integer({ min: 1, max: 5 }), (all, rounds) => {
        const lowest = Math.min(...all.filter(isUsable).map(({ tier }) => tier));
        const sharing = all.filter((one) => one.isUsable && one.tier === lowest);
        const counts = new Map<Candidate | undefined, number>();
        let last = -1;
        for (let turn = 0; turn < rounds * sharing.length; turn += 1) {
          last = nextInTurn(all, last);
          counts.set(all[last], (counts.get(all[last]) ?? 0) + 1);
        }
        return sharing.every((one) => counts.get(one) === rounds);
      }),
    );
  });
});

function isUsable(one: Candidate): boolean {
  return one.isUsable;
}
