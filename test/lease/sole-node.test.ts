// Whether another of the same id lives, by what a node sees of it.
import { describe, expect, it } from 'vitest';
import { judgeRival, longestWatchMs } from '../../src/lease/sole-node.ts';
import type { Sighting, SoleRules } from '../../src/lease/sole-node.ts';

const RULES: SoleRules = { isGiven: true, quietMs: 2_000, signPauseMs: 1_000 };

const FIRST: Sighting = {
  run: 'r1',
  process: 'unknown',
  seenAgoMs: 200,
  quietMs: null,
  askedAt: 10_000,
  answeredAt: 10_010,
};

const WATCH_MS = longestWatchMs(FIRST, RULES);

/** So much later; one that leaves no sign was seen so much longer ago. */
function after(ms: number, others: Partial<Sighting> = {}): Sighting {
  const { seenAgoMs, askedAt, answeredAt } = FIRST;
  const times = { askedAt: askedAt + ms, answeredAt: answeredAt + ms };
  return { ...FIRST, ...times, seenAgoMs: seenAgoMs + ms, ...others };
}

describe('another node of the same id', () => {
  it('lives if its process is seen to, and is gone if that is: at the first look', () => {
    const alive = after(0, { process: 'alive' });
    expect(judgeRival(alive, alive, RULES)).toBe('taken');
    const gone = after(0, { process: 'gone' });
    expect(judgeRival(gone, gone, RULES)).toBe('gone');
  });

  it('on another machine is watched: nothing follows from one look', () => {
    expect(judgeRival(FIRST, FIRST, RULES)).toBe('unclear');
    const longAgo = after(0, { seenAgoMs: 29_000 });
    expect(judgeRival(longAgo, longAgo, RULES)).toBe('unclear');
  });

  it('lives if it has left a sign since the first look', () => {
    expect(judgeRival(FIRST, after(2_000, { seenAgoMs: 50 }), RULES)).toBe('taken');
    expect(judgeRival(FIRST, after(2_000, { seenAgoMs: 2_200 }), RULES)).toBe('unclear');
  });

  it('does not live for a clock of the store that was set back: its last sign may be yet to come', () => {
    const ahead = { ...FIRST, seenAgoMs: -30_000 };
    const later = (ms: number): Sighting => after(ms, { seenAgoMs: ms - 30_000 });
    expect(judgeRival(ahead, later(WATCH_MS), RULES)).toBe('unclear');
    expect(judgeRival(ahead, later(WATCH_MS + 10), RULES)).toBe('gone');
    // That sign is none of now: one that lives leaves another, which seems to be from before.
    expect(judgeRival(ahead, after(1_200, { seenAgoMs: 200 }), RULES)).toBe('taken');
    expect(judgeRival(ahead, after(WATCH_MS + 10, { seenAgoMs: 200 }), RULES)).toBe('taken');
  });

  it('does not live for an answer that took long, or a clock of whole seconds', () => {
    const slow = after(2_000, { answeredAt: FIRST.answeredAt + 4_000 });
    expect(judgeRival(FIRST, slow, RULES)).toBe('unclear');
    expect(judgeRival(FIRST, after(1_900, { seenAgoMs: 1_100 }), RULES)).toBe('unclear');
  });

  it('is gone once it was watched for long and has left no sign, not before', () => {
    expect(judgeRival(FIRST, after(WATCH_MS + 9), RULES)).toBe('unclear');
    expect(judgeRival(FIRST, after(WATCH_MS + 10), RULES)).toBe('gone');
  });

  it('that says it may be quiet for longer is watched for as long, within bounds', () => {
    const first = { ...FIRST, quietMs: 20_000 };
    const longer = WATCH_MS + 18_000;
    const latest = (ms: number): Sighting => ({ ...after(ms), quietMs: 20_000 });
    expect(judgeRival(first, latest(WATCH_MS + 10), RULES)).toBe('unclear');
    expect(judgeRival(first, latest(longer + 9), RULES)).toBe('unclear');
    expect(judgeRival(first, latest(longer + 10), RULES)).toBe('gone');
    expect(longestWatchMs({ quietMs: 1e12 }, RULES)).toBe(62_000);
  });

  it('that is never quiet for long is watched no shorter than this node may be quiet itself', () => {
    expect(longestWatchMs({ quietMs: 1 }, RULES)).toBe(WATCH_MS);
    expect(longestWatchMs({ quietMs: -1e12 }, RULES)).toBe(WATCH_MS);
    expect(longestWatchMs({ quietMs: null }, { ...RULES, quietMs: 90_000 })).toBe(92_000);
  });

  it('was started while this one looked if its run is another than at first', () => {
    const other = after(100, { run: 'r2', process: 'gone' });
    expect(judgeRival(FIRST, other, RULES)).toBe('taken');
  });

  it('has the id at once where that was made up: another does as well', () => {
    const rules = { ...RULES, isGiven: false };
    expect(judgeRival(FIRST, FIRST, rules)).toBe('taken');
    const gone = after(0, { process: 'gone' });
    expect(judgeRival(gone, gone, rules)).toBe('gone');
  });
});
