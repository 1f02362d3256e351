// The plan of a case: the same for the same seed, with a turn for every kind of fault.
import { describe, expect, it } from 'vitest';
import { drawCase, FAULT_KINDS, isPossible, ROUNDS } from './plan.ts';
import type { CasePlan } from './plan.ts';

const casesOf = (seed: number, count: number): CasePlan[] =>
  Array.from({ length: count }, (_, index) => drawCase({ seed, index, kinds: FAULT_KINDS }));

describe('the plan of a case', () => {
  it('is the same for the same seed and number, and another for another', () => {
    expect(casesOf(7, 12)).toStrictEqual(casesOf(7, 12));
    expect(casesOf(7, 12)).not.toStrictEqual(casesOf(8, 12));
    const [first, second] = casesOf(7, 2);
    expect(first?.rounds).not.toStrictEqual(second?.rounds);
  });

  it('gives every kind of fault its turn, unless the group promises nothing about it', () => {
    const enough = Math.ceil(FAULT_KINDS.length / ROUNDS);
    const cases = [1, 2, 3].flatMap((seed) => casesOf(seed, enough));
    const drawn = new Set(cases.flatMap(({ rounds }) => rounds.flat().map(({ kind }) => kind)));
    expect(FAULT_KINDS.filter((kind) => !drawn.has(kind))).toStrictEqual([]);
  });

  it('has every mode and every workload but the one that nothing holds', () => {
    const profiles = casesOf(3, 200).map(({ profile }) => profile);
    const seen = (key: 'standby' | 'fence' | 'orphan' | 'workload'): number =>
      new Set(profiles.map((profile) => profile[key])).size;
    expect([seen('standby'), seen('fence'), seen('orphan'), seen('workload')]).toStrictEqual([
      ...[3, 3, 3, 8],
    ]);
    expect(profiles.some(({ workload }) => workload === 'escaping')).toBe(false);
  });

  it('holds no fault of which nothing is promised, and asks for a small disk or a clock of its own only to use it', () => {
    for (const { profile, rounds, smallDisk, ownClock } of casesOf(5, 200)) {
      const kinds = rounds.flat().map(({ kind }) => kind);
      expect(kinds.filter((kind) => !isPossible(kind, profile))).toStrictEqual([]);
      expect(smallDisk).toBe(kinds.includes('fill-disk'));
      expect(ownClock).toBe(kinds.includes('set-clock'));
    }
  });
});
