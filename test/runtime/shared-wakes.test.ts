// Wakes of many nodes that are done together: none early, none lost, none late by more than a step.
import { expect, it } from 'vitest';
import { SharedWakes } from '../../src/runtime/shared-wakes.ts';
import type { Clock } from '../../src/runtime/ports.ts';

/** Time that stands still until it is moved on. */
class TestClock implements Clock {
  at = 1_003;
  timers: { readonly at: number; readonly callback: () => void }[] = [];

  now(): number {
    return this.at;
  }

  wakeAt(at: number, callback: () => void): () => void {
    const timer = { at, callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  passTo(at: number): void {
    for (;;) {
      const [next] = this.timers.filter((timer) => timer.at <= at).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.at = next.at;
      next.callback();
    }
    this.at = at;
  }
}

function nodes(): { readonly time: TestClock; readonly clock: Clock } {
  const time = new TestClock();
  return { time, clock: new SharedWakes(time).over(time) };
}

it('wakes those that are due at about one time with one timer', () => {
  const { time, clock } = nodes();
  const woken: [string, number][] = [];
  for (const [name, at] of [
    ['a', 1_501],
    ['b', 1_510],
    ['c', 1_525],
    ['d', 1_526],
  ] as const) {
    clock.wakeAt(at, () => woken.push([name, time.at]));
  }
  expect(time.timers.map(({ at }) => at)).toEqual([1_525, 1_550]);
  time.passTo(2_000);
  expect(woken).toEqual([
    ['a', 1_525],
    ['b', 1_525],
    ['c', 1_525],
    ['d', 1_550],
  ]);
});

it('wakes what is due soon on time', () => {
  const { time, clock } = nodes();
  const woken: number[] = [];
  clock.wakeAt(1_008.5, () => woken.push(time.at));
  clock.wakeAt(990, () => woken.push(time.at));
  time.passTo(1_100);
  expect(woken).toEqual([990, 1_008.5]);
});

it('wakes nobody who has taken it back, and keeps no timer for nobody', () => {
  const { time, clock } = nodes();
  const woken: string[] = [];
  const cancels = ['a', 'b'].map((name) => clock.wakeAt(1_600, () => woken.push(name)));
  cancels[0]?.();
  expect(time.timers).toHaveLength(1);
  cancels[1]?.();
  expect(time.timers).toHaveLength(0);
  cancels[1]?.();
  clock.wakeAt(1_600, () => woken.push('c'));
  time.passTo(2_000);
  expect(woken).toEqual(['c']);
});

it('wakes each node once for each time that it asks, however often, and one with two wakes for both', () => {
  const time = new TestClock();
  const wakes = new SharedWakes(time);
  const [one, other] = [wakes.over(time), wakes.over(time)];
  const woken: string[] = [];
  const again = (clock: Clock, name: string) => (): void => {
    woken.push(`${name} ${String(time.at)}`);
    if (time.at < 2_500) clock.wakeAt(time.at + 500, again(clock, name));
  };
  one.wakeAt(1_503, again(one, 'one'));
  other.wakeAt(1_510, again(other, 'other'));
  one.wakeAt(1_520, () => woken.push('once'));
  time.passTo(3_000);
  expect(woken).toEqual([
    ...['one 1525', 'other 1525', 'once', 'one 2025', 'other 2025'],
    ...['one 2525', 'other 2525'],
  ]);
  expect(time.timers).toHaveLength(0);
});

it('loses none of those that stay, however often others are taken back and asked for again', () => {
  const time = new TestClock();
  const wakes = new SharedWakes(time);
  const clocks = Array.from({ length: 5 }, () => wakes.over(time));
  const woken: number[] = [];
  const ask = (node: number): (() => void) | undefined =>
    clocks[node]?.wakeAt(1_600, () => woken.push(node));
  const cancels = clocks.map((_, node) => ask(node));
  for (const node of [0, 4, 2, 0, 1, 1, 4]) {
    cancels[node]?.();
    cancels[node] = ask(node);
  }
  cancels[3]?.();
  cancels[0]?.();
  expect(time.timers).toHaveLength(1);
  time.passTo(2_000);
  expect(woken.sort()).toEqual([1, 2, 4]);
});

it('begins no round with what one that was given up has left', () => {
  const { time, clock } = nodes();
  const woken: string[] = [];
  clock.wakeAt(1_600, () => woken.push('given up'))();
  clock.wakeAt(1_700, () => woken.push('later'));
  time.passTo(1_650);
  expect(woken).toEqual([]);
  clock.wakeAt(2_100, () => woken.push('last'));
  time.passTo(3_000);
  expect(woken).toEqual(['later', 'last']);
});

it('lets those who are woken ask for the next time, and take back others', () => {
  const { time, clock } = nodes();
  const woken: string[] = [];
  let cancel = (): void => undefined;
  clock.wakeAt(1_600, () => {
    woken.push('a');
    cancel();
    clock.wakeAt(2_100, () => woken.push('a again'));
  });
  cancel = clock.wakeAt(1_600, () => woken.push('b'));
  time.passTo(3_000);
  expect(woken).toEqual(['a', 'a again']);
});

it('goes by the time of the clock that it is given', () => {
  const time = new TestClock();
  const ahead: Clock = { now: () => time.at + 50_000, wakeAt: () => () => undefined };
  const clock = new SharedWakes(time).over(ahead);
  const woken: number[] = [];
  clock.wakeAt(51_503, () => woken.push(time.at));
  time.passTo(3_000);
  expect(woken).toEqual([1_525]);
});
