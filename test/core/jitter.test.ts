// The pause between attempts: doubling, bounded, and never the same for two seeds.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextRandom, retryBackoff } from '../../src/core/jitter.ts';
import { DEFAULT_SETTINGS } from '../support/core-settings.ts';

describe('nextRandom', () => {
  it('stays within [0, 1) and never falls to the state that repeats itself', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffffffff }), (seed) => {
        const { value, random } = nextRandom(seed);
        return value >= 0 && value < 1 && random !== 0;
      }),
    );
  });

  it('spreads over the whole range', () => {
    let random = 7;
    const tenths = new Set<number>();
    for (let i = 0; i < 200; i += 1) {
      const next = nextRandom(random);
      random = next.random;
      tenths.add(Math.floor(next.value * 10));
    }
    expect(tenths.size).toBe(10);
  });
});

describe('retryBackoff', () => {
  it.each([
    [1, 1_000],
    [2, 2_000],
    [5, 16_000],
    [6, 30_000],
    [1_000, 30_000],
  ])('after %i failures waits %i ms, times a half to one and a half', (failures, baseMs) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffffffff }), (random) => {
        const { delayMs } = retryBackoff({ failures, random }, DEFAULT_SETTINGS);
        return delayMs >= baseMs * 0.5 && delayMs < baseMs * 1.5;
      }),
    );
  });
});
