// After how many results in a row health changes.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWavering, normalizedThresholds, observe, settled } from '../../src/core/hysteresis.ts';
import type { Hysteresis, Thresholds } from '../../src/core/hysteresis.ts';

describe('thresholds', () => {
  it.each([
    [3, 2, 3, 2],
    [0, 2, 1, 2],
    [3, 0, 3, 1],
    [-1, -5, 1, 1],
    [2.9, 0.5, 2, 1],
    [NaN, -Infinity, 1, 1],
  ])('(%d, %d) count as (%d, %d)', (fall, rise, countedFall, countedRise) => {
    expect(normalizedThresholds({ fall, rise })).toEqual({ fall: countedFall, rise: countedRise });
  });
});

/** The health after each letter: `F` a failure, anything else a success. */
function play(results: string, thresholds: Thresholds, first: Hysteresis = settled(true)): string {
  let state = first;
  return Array.from(results, (letter) => {
    const observed = observe(state, letter !== 'F', thresholds);
    expect(observed.flipped).toBe(observed.state.healthy !== state.healthy);
    state = observed.state;
    return state.healthy ? '+' : '-';
  }).join('');
}

describe('health', () => {
  it('falls with the third failure in a row, not before', () => {
    expect(play('FFF', { fall: 3, rise: 2 })).toBe('++-');
  });

  it('rises with the second success in a row, not before', () => {
    expect(play('FSS', { fall: 1, rise: 2 })).toBe('--+');
  });

  it('forgets failures with the first success after them', () => {
    expect(play('FFSFFF', { fall: 3, rise: 2 })).toBe('+++++-');
  });

  it('forgets successes with the first failure after them', () => {
    expect(play('SFSS', { fall: 3, rise: 2 }, settled(false))).toBe('---+');
  });

  it('follows each result where the thresholds are nothing or less', () => {
    expect(play('FSFS', { fall: 0, rise: -1 })).toBe('-+-+');
  });

  it('wavers from the first result against it to the one that decides', () => {
    const thresholds = { fall: 2, rise: 1 };
    const doubted = observe(settled(true), false, thresholds).state;
    expect(isWavering(settled(true))).toBe(false);
    expect(isWavering(doubted)).toBe(true);
    expect(isWavering(observe(doubted, true, thresholds).state)).toBe(false);
    expect(isWavering(observe(doubted, false, thresholds).state)).toBe(false);
  });
});

const someThresholds = fc.record({
  fall: fc.integer({ min: -1, max: 6 }),
  rise: fc.integer({ min: -1, max: 6 }),
});
const someResults = fc.array(fc.boolean(), { maxLength: 60 });

describe('any results', () => {
  it('change it exactly when the last ones agree against it, as many as the threshold', () => {
    fc.assert(
      fc.property(someThresholds, fc.boolean(), someResults, (thresholds, first, results) => {
        const { fall, rise } = normalizedThresholds(thresholds);
        let state = settled(first);
        let since = 0;
        results.forEach((success, index) => {
          const { healthy } = state;
          const needed = healthy ? fall : rise;
          const last = results.slice(Math.max(since, index + 1 - needed), index + 1);
          const expected = last.length === needed && last.every((result) => result !== healthy);
          const observed = observe(state, success, thresholds);
          expect(observed.flipped).toBe(expected);
          expect(observed.state.healthy).toBe(expected ? !healthy : healthy);
          if (expected) since = index + 1;
          state = observed.state;
        });
      }),
    );
  });

  it('keep the count below the threshold, however many they are', () => {
    fc.assert(
      fc.property(someThresholds, someResults, (thresholds, results) => {
        const { fall, rise } = normalizedThresholds(thresholds);
        let state = settled(true);
        for (const success of results) state = observe(state, success, thresholds).state;
        expect(state.contrary).toBeLessThan(state.healthy ? fall : rise);
      }),
    );
  });

  it('end in what the last ones say, once those are as many as either threshold', () => {
    fc.assert(
      fc.property(someThresholds, someResults, fc.boolean(), (thresholds, results, last) => {
        const { fall, rise } = normalizedThresholds(thresholds);
        let state = settled(true);
        const sure = Array<boolean>(Math.max(fall, rise)).fill(last);
        for (const success of [...results, ...sure]) {
          state = observe(state, success, thresholds).state;
        }
        expect(state).toEqual(settled(last));
      }),
    );
  });
});
