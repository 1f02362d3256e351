import { describe, expect, it } from 'vitest';
import { Random } from '../../src/simulation/random.ts';
import { Timeline } from '../../src/simulation/timeline.ts';

describe('the timeline', () => {
  it('does what is due in the order of time, and of coming where the times are equal', () => {
    const timeline = new Timeline();
    const random = new Random(1);
    const done: { at: number; order: number }[] = [];
    for (let order = 0; order < 500; order += 1) {
      const at = random.below(50);
      timeline.schedule(at, null, () => done.push({ at, order }));
    }
    timeline.runUntil(100);
    expect(done).toHaveLength(500);
    expect(done).toEqual([...done].sort((a, b) => a.at - b.at || a.order - b.order));
    expect(timeline.at).toBe(100);
  });

  it('leaves what is due later, and does not go back for what is due earlier', () => {
    const timeline = new Timeline();
    const done: string[] = [];
    timeline.runUntil(10);
    timeline.schedule(5, null, () => done.push(`early at ${String(timeline.at)}`));
    timeline.schedule(30, null, () => done.push('late'));
    timeline.runUntil(20);
    expect(done).toEqual(['early at 10']);
  });

  it('hands what a stopped one planned back to it, and forgets what one that has ended planned', () => {
    const timeline = new Timeline();
    const deferred: (() => void)[] = [];
    const stopped = { alive: true, stopped: true, defer: (act: () => void) => deferred.push(act) };
    const ended = { alive: false, stopped: true, defer: () => deferred.push(() => undefined) };
    let done = 0;
    for (const doer of [stopped, ended]) timeline.schedule(1, doer, () => (done += 1));
    timeline.runUntil(2);
    expect(done).toBe(0);
    expect(deferred).toHaveLength(1);
    deferred[0]?.();
    expect(done).toBe(1);
  });
});

describe('chance', () => {
  it('is the same for the same seed', () => {
    const [a, b] = [new Random(5), new Random(5)];
    const drawn = Array.from({ length: 100 }, () => a.next());
    expect(Array.from({ length: 100 }, () => b.next())).toEqual(drawn);
    expect(new Set(drawn).size).toBe(100);
  });

  it('stays within its bounds and reaches all of them', () => {
    const random = new Random(9);
    const drawn = Array.from({ length: 1_000 }, () => random.below(4));
    expect(new Set(drawn)).toEqual(new Set([0, 1, 2, 3]));
    const between = Array.from({ length: 1_000 }, () => random.between(2, 3));
    expect(Math.min(...between)).toBeGreaterThanOrEqual(2);
    expect(Math.max(...between)).toBeLessThan(3);
  });
});
