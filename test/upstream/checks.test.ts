// When a list asks its upstreams, how many at a time, and what it makes of the answers.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LATENCY_TIERS_MS } from '../../src/upstream/balancing.ts';
import type { UpstreamCheck } from '../../src/upstream/check-queue.ts';
import { UpstreamList } from '../../src/upstream/upstream-list.ts';
import { failureOf } from '../support/failover-error.ts';
import { listOf, picks, scores, untilAborted } from './support/lists.ts';

const NAMES = ['one', 'two', 'three'];

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('checks', () => {
  it('leave only those that answer, and in time', async () => {
    const check = vi.fn<UpstreamCheck<string>>((name, signal) => {
      if (name === 'success') return true;
      if (name === 'fail') throw new Error('connect ECONNREFUSED');
      return untilAborted(signal);
    });
    const upstreams = ['fail', 'success', 'timeout'];
    const list = new UpstreamList({ check, upstreams, intervalMs: 10, timeoutMs: 1 });
    void list.start();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(picks(list, 10)).toBe('success '.repeat(10).trim());
    expect(list.status().map(({ failure }) => failure)).toEqual([
      'connect ECONNREFUSED',
      null,
      'it has not answered in 1 ms',
    ]);
    list.stop();
  });

  it('begin at once, and are made again about every interval', async () => {
    const check = vi.fn(() => true);
    const list = new UpstreamList({ check, upstreams: ['a'] });
    void list.start();
    expect(check).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(899);
    expect(check).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(9_200);
    expect(check.mock.calls.length).toBeGreaterThanOrEqual(10);
    expect(check.mock.calls.length).toBeLessThanOrEqual(12);
    list.stop();
  });

  it('are made at the same time, but no more than allowed', async () => {
    let underWay = 0;
    let most = 0;
    const check: UpstreamCheck<string> = async (_, signal) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await untilAborted(signal).catch(() => undefined);
      underWay -= 1;
      return false;
    };
    const upstreams = Array.from({ length: 20 }, (_, index) => String(index));
    const list = new UpstreamList({ check, upstreams, checksAtOnce: 5, intervalMs: 60_000 });
    const ready = track(list.start());
    await vi.advanceTimersByTimeAsync(399);
    expect([most, ready.isDone]).toEqual([5, false]);
    // Four times five of them, each for 100 ms: not twenty times.
    await vi.advanceTimersByTimeAsync(5);
    expect([most, ready.isDone]).toEqual([5, true]);
    list.stop();
  });

  it('are never two of one upstream, also when one does not end', async () => {
    const check = vi.fn<UpstreamCheck<string>>(() => new Promise(() => undefined));
    const list = new UpstreamList({ check, upstreams: ['deaf'] });
    void list.start();
    await vi.advanceTimersByTimeAsync(6_000);
    expect(check).toHaveBeenCalledTimes(1);
    expect(list.status()[0]).toMatchObject({ isUsable: false, score: -3 });
    expect(list.status()[0]?.failure).toContain('is still running');
    list.stop();
  });

  it('of a new one are made at once, and of one that has gone not again', async () => {
    const check = vi.fn<UpstreamCheck<string>>((_, signal) => untilAborted(signal));
    const list = new UpstreamList({ check, upstreams: ['old'] });
    void list.start();
    list.update(['new']);
    expect(check.mock.calls.map(([name]) => name)).toEqual(['old', 'new']);
    expect(check.mock.calls.map(([, signal]) => signal.aborted)).toEqual([true, false]);
    await vi.advanceTimersByTimeAsync(150);
    expect(list.status()).toMatchObject([{ upstream: 'new', score: 0 }]);
    list.stop();
  });

  it('end with a stop, also those that wait, and begin again with a start', async () => {
    const check = vi.fn<UpstreamCheck<string>>((_, signal) => untilAborted(signal));
    const list = new UpstreamList({ check, upstreams: NAMES, checksAtOnce: 1 });
    const ready = list.start();
    void list.start();
    list.stop();
    list.stop();
    await ready;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(check).toHaveBeenCalledTimes(1);
    expect(scores(list)).toEqual({ one: 1, two: 1, three: 1 });
    expect(vi.getTimerCount()).toBe(0);
    void list.start();
    await vi.advanceTimersByTimeAsync(350);
    expect(check).toHaveBeenCalledTimes(4);
    list.stop();
  });

  it('do not count a time in which the program itself stood still', async () => {
    let answer: (passed: boolean) => void = () => undefined;
    const check: UpstreamCheck<string> = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const list = new UpstreamList({ check, upstreams: ['a'], intervalMs: 60_000 });
    void list.start();
    // Its clock goes on, and no timer fires: it is asleep, or starved.
    const hrtime = vi.spyOn(process, 'hrtime');
    const [seconds, nanoseconds] = process.hrtime();
    hrtime.mockImplementation(() => [seconds + 5, nanoseconds]);
    await vi.advanceTimersByTimeAsync(101);
    hrtime.mockRestore();
    answer(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(list.status()[0]).toMatchObject({ score: 2, failure: null });
    list.stop();
  });
});

describe('what was not checked yet', () => {
  it('is not chosen where a check is waited for', async () => {
    const check: UpstreamCheck<string> = (name) => name === 'two';
    const list = listOf(NAMES, { check, waitForCheck: true });
    expect(failureOf(() => list.pick()).message).toContain('no check has finished yet');
    await list.start();
    expect(picks(list, 2)).toBe('two two');
    list.stop();
  });

  it('is waited for by `ready`, which an empty list does not keep waiting', async () => {
    const list = listOf([]);
    await list.start();
    list.stop();
    await list.ready;
  });

  it('comes after what was, where there are tiers', async () => {
    const check: UpstreamCheck<string> = (name, signal) =>
      name === 'old' ? true : untilAborted(signal);
    const list = listOf(['old'], { check, tiersMs: LATENCY_TIERS_MS });
    await list.start();
    list.update(['new', 'old']);
    expect(picks(list, 2)).toBe('old old');
    list.stop();
  });
});

function track(promise: Promise<void>): { isDone: boolean } {
  const tracked = { isDone: false };
  void promise.then(() => {
    tracked.isDone = true;
  });
  return tracked;
}
