// What tells a guard that its deadline has passed.
import { expect, it, onTestFinished, vi } from 'vitest';
import { DeadlineWatch } from '../../src/guard/deadline-watch.ts';
import type { Clock } from '../../src/runtime/ports.ts';

const NEVER_MS = 2 ** 30;
const LOOK_MS = 25;
/** What was said meanwhile is read first: a turn, which takes so long on a clock of fake timers. */
const TURN_MS = 1;

it('tells at once, and not with the next look', () => {
  const { watch, told, pass } = watching({ lookMs: NEVER_MS });
  watch.set(1_000);
  pass(999);
  expect(told()).toBe(0);
  pass(1 + TURN_MS);
  expect(told()).toBe(1);
});

it('tells at once also when its timer came early', () => {
  const early: Clock['wakeAt'] = (_at, callback) => {
    const timer = setTimeout(callback, 400);
    return () => {
      clearTimeout(timer);
    };
  };
  const { watch, told, pass } = watching({ lookMs: NEVER_MS, wakeAt: early });
  watch.set(1_000);
  pass(1_200 + TURN_MS);
  expect(told()).toBe(1);
});

it('tells nothing of a deadline that was put off, and has one timer however often it was', () => {
  const { watch, told, pass } = watching({ lookMs: NEVER_MS });
  for (let at = 1_000; at <= 2_000; at += 100) watch.set(at);
  // The look, and the deadline.
  expect(vi.getTimerCount()).toBe(2);
  pass(1_999);
  expect(told()).toBe(0);
  pass(1 + TURN_MS);
  expect(told()).toBe(1);
});

it('finds what a timer that stood still missed', () => {
  const { watch, told, pass } = watching({ lookMs: LOOK_MS, wakeAt: () => () => undefined });
  watch.set(1_000);
  pass(1_000 + LOOK_MS);
  expect(told()).toBeGreaterThan(0);
});

it('allows no start from the deadline on, before anything was told of it', () => {
  const { watch, told, pass } = watching({ lookMs: NEVER_MS, wakeAt: () => () => undefined });
  watch.set(1_000);
  pass(999);
  expect([watch.allowsStart(true), watch.allowsStart(false)]).toEqual([true, true]);
  pass(1);
  expect([watch.allowsStart(true), watch.allowsStart(false)]).toEqual([false, false]);
  expect(told()).toBe(0);
});

it('allows without a deadline only what does not lead', () => {
  const { watch } = watching({ lookMs: NEVER_MS });
  expect([watch.allowsStart(true), watch.allowsStart(false)]).toEqual([false, true]);
  watch.set(1_000);
  watch.clear();
  expect([watch.allowsStart(true), watch.allowsStart(false)]).toEqual([false, true]);
});

it('tells nothing when there is none any more', () => {
  const { watch, told, pass } = watching({ lookMs: LOOK_MS });
  watch.set(1_000);
  watch.clear();
  expect(vi.getTimerCount()).toBe(0);
  pass(2_000);
  expect(told()).toBe(0);
});

function watching({ lookMs, wakeAt }: { lookMs: number; wakeAt?: Clock['wakeAt'] }): {
  readonly watch: DeadlineWatch;
  readonly told: () => number;
  readonly pass: (ms: number) => void;
} {
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const startedAt = Date.now();
  const now = (): number => Date.now() - startedAt;
  const timed: Clock['wakeAt'] = (at, callback) => {
    if (at === Infinity) return () => undefined;
    const timer = setTimeout(callback, at - now());
    return () => {
      clearTimeout(timer);
    };
  };
  let count = 0;
  const onOver = (): void => {
    count += 1;
  };
  const watch = new DeadlineWatch({ now, wakeAt: wakeAt ?? timed }, onOver, lookMs);
  const pass = (ms: number): void => {
    vi.advanceTimersByTime(ms);
  };
  return { watch, told: () => count, pass };
}
