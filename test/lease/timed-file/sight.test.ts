// When one node may take a lease for over that another renews in time, by no clock but its own.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Sight } from '../../../src/lease/timed-file/sight.ts';

const TTL_MS = 1_000;

function looks(...seen: readonly (readonly [string, number, number])[]): readonly number[] {
  const sight = new Sight();
  return seen.map(([mark, beganAt, endedAt]) =>
    sight.leftMs({ mark, ttlMs: TTL_MS, beganAt, endedAt }),
  );
}

it('is held for its whole time when it is seen first, however old it is', () => {
  expect(looks(['1', 0, 5])).toEqual([TTL_MS]);
});

it('counts from the end of the look that saw it change', () => {
  expect(looks(['1', 0, 400], ['1', 1_000, 1_001], ['1', 1_400, 1_401])).toEqual([
    ...[TTL_MS, 400, 0],
  ]);
});

it('begins anew with each change', () => {
  expect(looks(['1', 0, 5], ['2', 1_004, 1_005], ['2', 1_505, 1_506])).toEqual([
    ...[TTL_MS, TTL_MS, 500],
  ]);
});

it('goes by the look that finds it unchanged, not by when it was due: a machine may have stood still', () => {
  expect(looks(['1', 0, 5], ['2', 90_000, 90_001])).toEqual([TTL_MS, TTL_MS]);
});

it('is never over while a renewal still counts for its holder, whatever the two clocks say', () => {
  const step = fc.record({ pauseMs: fc.nat(700), tookMs: fc.nat(300), isRenewal: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: -1e9, max: 1e9 }),
      (steps, skewMs) => {
        const sight = new Sight();
        let [at, beat, heldUntil] = [0, 0, TTL_MS];
        for (const { pauseMs, tookMs, isRenewal } of steps) {
          at += pauseMs;
          const beganAt = at;
          at += tookMs;
          if (isRenewal) {
            // One that is done after the lease was over counts no more, and is not begun any more.
            if (beganAt >= heldUntil) continue;
            beat += 1;
            if (at < heldUntil) heldUntil = beganAt + TTL_MS;
            continue;
          }
          const look = { beganAt: beganAt + skewMs, endedAt: at + skewMs };
          const leftMs = sight.leftMs({ mark: String(beat), ttlMs: TTL_MS, ...look });
          if (leftMs === 0) expect(beganAt).toBeGreaterThanOrEqual(heldUntil);
        }
      },
    ),
  );
});
