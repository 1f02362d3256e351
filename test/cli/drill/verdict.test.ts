// The judgement of one fault: what holds is silent, and what does not is said once.
import { describe, expect, it } from 'vitest';
import { forbidsMore, notesOn, problemsOf } from '../../../src/cli/drill/verdict.ts';
import { outcomeWith } from '../support/drilled.ts';

const before = { node: 'a', run: 'run-a', epoch: 7 };

describe('a takeover', () => {
  it('holds within its bound', () => {
    expect(problemsOf(outcomeWith())).toEqual([]);
    expect(notesOn(outcomeWith())).toEqual([]);
  });

  it('that took longer than its bound does not hold, by the time from the fault on', () => {
    const late = outcomeWith({ tookMs: 10_300, downtimeMs: 5 });
    expect(problemsOf(late)).toEqual(['took 10.3 s, longer than the bound of 10.2 s']);
  });

  it('that was down for longer than is allowed does not hold, within its bound or not', () => {
    const late = outcomeWith({ fault: 'switchover', tookMs: 9_000, downtimeMs: 12, withinMs: 10 });
    expect(problemsOf(late)).toEqual(['down for 12 ms, longer than the 10 ms allowed']);
  });

  it('that did not come does not hold', () => {
    const none = outcomeWith({ after: null, tookMs: null, downtimeMs: null, waitedMs: 70_000 });
    expect(problemsOf(none)).toEqual(['no node was serving within 1m 10s']);
  });

  it('by the old primary does not hold', () => {
    expect(problemsOf(outcomeWith({ after: { ...before, epoch: 9 } }))).toEqual([
      'nobody took over: a is serving again',
    ]);
  });

  it('at no higher epoch does not hold', () => {
    const same = outcomeWith({ after: { node: 'b', run: 'run-b', epoch: 7 } });
    expect(problemsOf(same)).toEqual(['the epoch did not rise: 7, then 7']);
  });

  it('that left the hung process running does not hold', () => {
    expect(problemsOf(outcomeWith({ isGone: false }))).toEqual([
      'the process of a was left running',
    ]);
  });

  it('of which nobody said when it was does not hold', () => {
    expect(problemsOf(outcomeWith({ tookMs: null }))).toEqual([
      'no node reported when its workload started',
    ]);
  });

  it('beside which two were active does not hold', () => {
    expect(problemsOf(outcomeWith({ overlaps: ['two at once'] }))).toEqual(['two at once']);
  });

  it('that was refused is told with the refusal alone', () => {
    const refusal = 'b was not promoted: its hook failed';
    const back = outcomeWith({ refusal, after: { ...before, epoch: 9 } });
    expect(problemsOf(back)).toEqual([refusal]);
    expect(problemsOf(outcomeWith({ refusal }))).toEqual([]);
  });

  it('on a second attempt holds, with a note', () => {
    const after = { node: 'c', run: 'run-c', epoch: 9 };
    expect(problemsOf(outcomeWith({ after }))).toEqual([]);
    expect(notesOn(outcomeWith({ after }))).toEqual([
      '1 start on the way did not last: epoch 9 is the first that did',
    ]);
  });
});

describe('a restart in place', () => {
  const restart = { fault: 'workload-crash', expected: 'same-node', isGone: null } as const;

  it('holds with the same node at a higher epoch', () => {
    expect(problemsOf(outcomeWith({ ...restart, after: { ...before, epoch: 8 } }))).toEqual([]);
  });

  it('is as good as a takeover where the workload is hot', () => {
    for (const after of [
      { ...before, epoch: 8 },
      { node: 'b', run: 'run-b', epoch: 8 },
    ]) {
      const either = outcomeWith({ ...restart, expected: 'either-node', after });
      expect([...problemsOf(either), ...notesOn(either)]).toEqual([]);
    }
  });

  it('that another node took over from holds, with a note', () => {
    expect(problemsOf(outcomeWith(restart))).toEqual([]);
    expect(notesOn(outcomeWith(restart))).toEqual([
      'the workload was not restarted on a: b took over',
    ]);
  });
});

describe('a starved machine', () => {
  const starved = {
    fault: 'starve',
    expected: 'no-change',
    tookMs: null,
    downtimeMs: null,
    bound: null,
    isGone: null,
    after: before,
  } as const;

  it('holds when nothing has changed', () => {
    expect(problemsOf(outcomeWith(starved))).toEqual([]);
  });

  it.each([
    [{ node: 'b', run: 'run-b', epoch: 8 }, 'b took over from a'],
    [{ ...before, epoch: 8 }, 'the workload was restarted: epoch 7 became 8'],
    [null, 'no node was serving at the end'],
  ])('does not when the role has: %o', (after, problem) => {
    expect(problemsOf(outcomeWith({ ...starved, after }))).toEqual([problem]);
  });
});

describe('more trouble', () => {
  it('may be made after what only took too long', () => {
    expect(forbidsMore(outcomeWith())).toBe(false);
    expect(forbidsMore(outcomeWith({ tookMs: 99_000, downtimeMs: 99_000, withinMs: 1 }))).toBe(
      false,
    );
  });

  it.each([
    { after: null },
    { refusal: 'b was not promoted', after: { ...before, epoch: 9 } },
    { overlaps: ['two at once'] },
    { isGone: false },
  ])('is not made after %o', (change) => {
    expect(forbidsMore(outcomeWith(change))).toBe(true);
  });
});
