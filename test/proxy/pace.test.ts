// How many may be under way to a primary, by its answers and by the time.
import { describe, expect, it } from 'vitest';
import {
  freshPace,
  paceAfterAnswer,
  paceAfterReach,
  paceAfterRefusal,
  paceAt,
} from '../../src/proxy/pace.ts';

describe('the pace', () => {
  it('begins with few, however many may go', () => {
    expect(freshPace(0, 256).slots).toBe(16);
    expect(freshPace(0, 4).slots).toBe(4);
  });

  it('grows with each answer, up to the limit', () => {
    let pace = freshPace(0, 20);
    for (let answers = 0; answers < 10; answers += 1) pace = paceAfterAnswer(pace, 0, 20);
    expect(pace.slots).toBe(20);
  });

  it('doubles in time where answers are slow', () => {
    const pace = freshPace(0, 100);
    expect(paceAt(pace, 249, 100).slots).toBe(16);
    const grown = paceAt(pace, 250, 100);
    expect([grown.slots, grown.growsMs]).toEqual([32, 500]);
    expect(paceAt(paceAt(grown, 500, 100), 750, 100)).toMatchObject({ slots: 100, growsMs: null });
  });

  it('lets one alone try after a refusal, later each time', () => {
    let pace = freshPace(0, 100);
    const waits: number[] = [];
    for (let nowMs = 0, tries = 0; tries < 7; tries += 1) {
      pace = paceAfterRefusal(pace, nowMs);
      waits.push(pace.notBeforeMs - nowMs);
      expect(pace.slots).toBe(1);
      nowMs = pace.notBeforeMs;
    }
    expect(waits).toEqual([20, 40, 80, 160, 320, 500, 500]);
  });

  it('counts several refusals at once as one', () => {
    const pace = paceAfterRefusal(freshPace(0, 100), 0);
    expect(paceAfterRefusal(pace, 10)).toBe(pace);
  });

  it('does not grow in time while nobody can be reached', () => {
    const pace = paceAfterRefusal(freshPace(0, 100), 0);
    expect(paceAt(pace, 10_000, 100)).toBe(pace);
  });

  it('begins anew when the primary is reached, or answers', () => {
    const pace = paceAfterRefusal(freshPace(0, 100), 0);
    expect(paceAfterReach(pace, 100, 100)).toEqual(freshPace(100, 100));
    expect(paceAfterAnswer(pace, 100, 100)).toEqual(freshPace(100, 100));
    expect(paceAfterReach(freshPace(0, 100), 100, 100)).toEqual(freshPace(0, 100));
  });
});
