// A score falls after so many failures, comes back after so many successes, and does not come and go in between.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SCORES, freshScore, scored } from '../../src/upstream/score.ts';
import type { Score } from '../../src/upstream/score.ts';

const results = fc.array(fc.boolean(), { maxLength: 60 });

describe('the score of an upstream', () => {
  it.each([
    ['one that nothing is known of', '', 2],
    ['one at its highest', 'SSSSS', 4],
  ])('of %s falls below 0 after so many failures', (_, before, failures) => {
    const begun = after(before);
    expect(after('F'.repeat(failures - 1), begun).isUsable).toBe(true);
    expect(after('F'.repeat(failures), begun)).toMatchObject({ value: -1, isUsable: false });
  });

  it('at its lowest is usable again at 0, after three successes', () => {
    const lowest = after('FFFFFFFF');
    expect(lowest.value).toBe(-3);
    expect(after('SS', lowest).isUsable).toBe(false);
    expect(after('SSS', lowest)).toMatchObject({ value: 0, isUsable: true });
  });

  it('stays within its limits', () => {
    fc.assert(
      fc.property(results, (sequence) => {
        const { value } = play(sequence);
        return value >= DEFAULT_SCORES.lowest && value <= DEFAULT_SCORES.highest;
      }),
    );
  });

  it('is never usable below 0', () => {
    fc.assert(
      fc.property(results, (sequence) => !play(sequence).isUsable || valueOf(sequence) >= 0),
    );
  });

  it('brings nothing back that has not succeeded twice in a row', () => {
    fc.assert(
      fc.property(results, (sequence) => {
        const before = play(sequence.slice(0, -1));
        const comesBack = !before.isUsable && play(sequence).isUsable;
        return !comesBack || (sequence.at(-1) === true && sequence.at(-2) === true);
      }),
    );
  });

  it.each(['FFSFSFSFSFSF', 'FSFSFSFSFSFS'])('changes at most once over %s', (sequence) => {
    const usable = sequence
      .split('')
      .map((_, index) => after(sequence.slice(0, index + 1)).isUsable);
    const changes = usable.filter((now, index) => now !== (usable[index - 1] ?? true));
    expect(changes.length).toBeLessThanOrEqual(1);
  });
});

describe('a score with limits of its own', () => {
  it('begins unusable below 0, and moves by what it is given', () => {
    const limits = { lowest: -10, highest: 5, initial: -1, success: 4, failure: -8 };
    const begun = freshScore(limits);
    expect(begun.isUsable).toBe(false);
    const once = scored(begun, true, limits);
    expect(once).toMatchObject({ value: 3, isUsable: false });
    const twice = scored(once, true, limits);
    expect(twice).toMatchObject({ value: 5, isUsable: true });
    expect(scored(twice, false, limits)).toMatchObject({ value: -3, isUsable: false });
  });
});

/** `S` is a success, `F` a failure. */
function after(letters: string, begun?: Score): Score {
  return play(
    letters.split('').map((letter) => letter === 'S'),
    begun,
  );
}

function play(sequence: readonly boolean[], begun: Score = freshScore(DEFAULT_SCORES)): Score {
  return sequence.reduce((score, success) => scored(score, success, DEFAULT_SCORES), begun);
}

function valueOf(sequence: readonly boolean[]): number {
  return play(sequence).value;
}
