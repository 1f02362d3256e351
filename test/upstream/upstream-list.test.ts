// A list that is given what its checks would say: whom it chooses, and when it asks.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LATENCY_TIERS_MS } from '../../src/upstream/balancing.ts';
import type { UpstreamCheck } from '../../src/upstream/check-queue.ts';
import { UpstreamList } from '../../src/upstream/upstream-list.ts';
import { settingsOf } from '../../src/upstream/upstream-options.ts';
import type { UpstreamListOptions } from '../../src/upstream/upstream-options.ts';
import { failureOf } from '../support/failover-error.ts';
import { uncaught } from '../support/uncaught.ts';
import { listOf, never, picks, scores } from './support/lists.ts';

const NAMES = ['one', 'two', 'three'];

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a choice', () => {
  it('is none of an empty list', () => {
    const list = listOf([]);
    const { code, message } = failureOf(() => list.pick());
    expect(code).toBe('FAILOVER_NO_UPSTREAM');
    expect(message).toBe('Cannot choose an upstream: there is none');
    expect([list.usable, list.status()]).toEqual([[], []]);
  });

  it('is made in turn', () => {
    expect(picks(listOf(NAMES), 4)).toBe('one two three one');
  });

  it('is made in turn among those that may be taken', () => {
    const list = listOf(NAMES);
    const chosen = [1, 2, 3].map(() => list.pick((name) => name !== 'two'));
    expect(chosen).toEqual(['one', 'three', 'one']);
    report(list, 'three', -5);
    expect(failureOf(() => list.pick((name) => name === 'three')).code).toBe(
      'FAILOVER_NO_UPSTREAM',
    );
  });

  it('follows what is reported, with 0 still usable', () => {
    const list = listOf(NAMES);
    expect(picks(list, 1)).toBe('one');
    report(list, 'two', -2);
    report(list, 'three', -1);
    expect(picks(list, 3)).toBe('three one three');
    report(list, 'three', -1);
    report(list, 'two', 5);
    expect(picks(list, 3)).toBe('one two one');
    expect(scores(list)).toEqual({ one: 1, two: 3, three: -1 });
    report(list, 'two', -4);
    expect(scores(list)['two']).toBe(-1);
    expect(picks(list, 1)).toBe('one');
    report(list, 'two', -3);
    expect(scores(list)['two']).toBe(-3);
    expect(picks(list, 1)).toBe('one');
    report(list, 'two', 3);
    expect(scores(list)['two']).toBe(0);
    expect(picks(list, 1)).toBe('two');
  });

  it('says why there is none', () => {
    const list = listOf(['one']);
    report(list, 'one', -2);
    expect(failureOf(() => list.pick()).message).toContain(
      'none of 1 is usable: too many have failed',
    );
  });

  it('takes objects by their id', () => {
    const list = new UpstreamList({ check: never, upstreams: [{ id: 'a', weight: 1 }] });
    list.report({ id: 'a', weight: 2 }, false);
    expect(list.status()[0]).toMatchObject({ upstream: { id: 'a', weight: 1 }, score: 0 });
    expect(failureOf(() => new UpstreamList({ check: never, upstreams: [7] })).code).toBe(
      'FAILOVER_BAD_OPTION',
    );
  });
});

describe('the upstreams of a list', () => {
  it('keep what is known of them when others come and go', () => {
    const list = listOf(NAMES);
    report(list, 'two', -2);
    list.update(['two', 'four', 'one']);
    expect(scores(list)).toEqual({ two: -1, four: 1, one: 1 });
    expect(picks(list, 3)).toBe('four one four');
    list.update([]);
    list.update(['two']);
    expect(scores(list)).toEqual({ two: 1 });
  });

  it('go on in turn after a change', () => {
    const list = listOf(['a', 'b', 'c', 'd']);
    expect(picks(list, 3)).toBe('a b c');
    list.update(['a', 'b', 'd']);
    expect(picks(list, 2)).toBe('d a');
    list.update(['x', 'a', 'b', 'd']);
    expect(picks(list, 1)).toBe('b');
    list.update(['y', 'z']);
    expect(picks(list, 3)).toBe('y z y');
  });

  it('are told when the usable ones have changed, and not otherwise', async () => {
    const list = listOf(NAMES);
    const told = vi.fn<(usable: readonly string[]) => void>();
    const end = list.onChange(told);
    const toldAfter = async (change: () => void): Promise<readonly unknown[]> => {
      told.mockClear();
      change();
      await Promise.resolve();
      return told.mock.calls.flat();
    };
    expect(
      await toldAfter(() => {
        report(list, 'two', -1);
      }),
    ).toEqual([]);
    expect(
      await toldAfter(() => {
        list.update(NAMES);
      }),
    ).toEqual([]);
    expect(
      await toldAfter(() => {
        report(list, 'two', -1);
      }),
    ).toEqual([['one', 'three']]);
    expect(
      await toldAfter(() => {
        list.update(['one', 'two']);
      }),
    ).toEqual([['one']]);
    expect(
      await toldAfter(() => {
        report(list, 'two', 2);
      }),
    ).toEqual([['one', 'two']]);
    end();
    expect(
      await toldAfter(() => {
        list.update([]);
      }),
    ).toEqual([]);
  });

  it('may be changed by who is told of a change', async () => {
    const check = vi.fn<UpstreamCheck<string>>(() => new Promise(() => undefined));
    const list = listOf(NAMES, { check });
    list.onChange(() => {
      list.update(['four']);
      list.stop();
    });
    void list.start();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(list.status()).toMatchObject([{ upstream: 'four', score: 1 }]);
    expect(check.mock.calls.map(([name]) => name)).toEqual([...NAMES, 'four']);
  });

  it('count one id once, and are at most 1,000', () => {
    const list = listOf(['a', 'b', 'a']);
    expect(list.usable).toEqual(['a', 'b']);
    const many = Array.from({ length: 1_001 }, (_, index) => String(index));
    expect(
      failureOf(() => {
        list.update(many);
      }).code,
    ).toBe('FAILOVER_BAD_OPTION');
    expect(list.usable).toEqual(['a', 'b']);
  });
});

describe('tiers of latency', () => {
  it('give all to the lowest one with a usable upstream, which may fall and recover', async () => {
    const latencyMs: Record<string, number> = { near: 5, alsoNear: 6, far: 50, farther: 500 };
    const check: UpstreamCheck<string> = async (name) => {
      await new Promise((resolve) => setTimeout(resolve, Math.abs(latencyMs[name] ?? 0)));
      return (latencyMs[name] ?? 0) > 0;
    };
    const upstreams = Object.keys(latencyMs);
    const list = listOf(upstreams, { check, timeoutMs: 2_000, tiersMs: LATENCY_TIERS_MS });
    const ready = list.start();
    await vi.advanceTimersByTimeAsync(600);
    await ready;
    expect(list.status().map(({ tier }) => tier)).toEqual([2, 2, 3, 4]);
    expect(picks(list, 4)).toBe('near alsoNear near alsoNear');
    latencyMs['near'] = -5;
    latencyMs['alsoNear'] = 60;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(picks(list, 4)).toBe('far alsoNear far alsoNear');
    latencyMs['near'] = 5;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(picks(list, 2)).toBe('near near');
    list.stop();
  });
});

it('keeps the tiers as they were given, whatever becomes of the list', () => {
  const tiersMs = [0, 10];
  const settings = settingsOf({ check: never, tiersMs });
  tiersMs.push(5);
  expect(settings.tiersMs).toEqual([0, 10]);
});

it('tells each listener, also when another one throws, and the error is not lost', async () => {
  const thrown = uncaught();
  const list = listOf(['a', 'b']);
  let told = 0;
  const end = list.onChange(() => {
    throw new Error('of the program');
  });
  list.onChange(() => {
    told += 1;
  });
  list.update(['a']);
  await vi.waitUntil(() => thrown.length === 1);
  expect(told).toBe(1);
  end();
});

describe('an option', () => {
  it.each<[string, Partial<UpstreamListOptions<string>>]>([
    ['intervalMs', { intervalMs: 0 }],
    ['intervalMs', { intervalMs: -1 }],
    ['intervalMs', { intervalMs: NaN }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['timeoutMs', { timeoutMs: Infinity }],
    ['checksAtOnce', { checksAtOnce: 0 }],
    ['checksAtOnce', { checksAtOnce: 1.5 }],
    ['tiersMs', { tiersMs: [] }],
    ['tiersMs', { tiersMs: 5 as unknown as readonly number[] }],
    ['tiersMs', { tiersMs: [1, 2] }],
    ['tiersMs', { tiersMs: [0, 10, 10] }],
    ['scores.lowest', { scores: { lowest: 0 } }],
    ['scores.highest', { scores: { highest: -1 } }],
    ['scores.initial', { scores: { initial: 4 } }],
    ['scores.initial', { scores: { highest: 0 } }],
    ['scores.success', { scores: { success: 0 } }],
    ['scores.failure', { scores: { failure: 1 } }],
  ])('%s that makes no sense is refused: %o', (name, options) => {
    const { code, message } = failureOf(() => listOf([], options));
    expect(code).toBe('FAILOVER_BAD_OPTION');
    expect(message).toContain(`Cannot use ${name}: `);
  });

  it('that is undefined was left out', () => {
    // What a program without types may hand over.
    const limits = { lowest: undefined, highest: 9, initial: undefined } as object;
    expect(scores(listOf(['a'], { scores: limits }))).toEqual({ a: 1 });
  });

  it('that makes sense counts', () => {
    const list = listOf(['a'], { scores: { lowest: -1, highest: 9, initial: 8, success: 3 } });
    report(list, 'a', 1);
    expect(scores(list)).toEqual({ a: 9 });
  });
});

/** So many successes, or failures where it is below 0. */
function report(list: UpstreamList<string>, name: string, change: number): void {
  for (let left = Math.abs(change); left > 0; left -= 1) list.report(name, change > 0);
}

it('checks no more once its signal aborts, also where it has before the start', async () => {
  const controller = new AbortController();
  for (const signal of [controller.signal, AbortSignal.abort()]) {
    let checks = 0;
    const list = new UpstreamList({
      upstreams: ['one'],
      signal,
      check: () => {
        checks += 1;
        return Promise.resolve(true);
      },
    });
    await list.start();
    controller.abort();
    const before = checks;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(checks).toBe(before);
  }
});
