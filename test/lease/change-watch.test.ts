// When the watcher of a lease on a server is told of a change.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ChangeWatch } from '../../src/lease/change-watch.ts';

let told = 0;
let watch = new ChangeWatch();

beforeEach(() => {
  vi.useFakeTimers();
  told = 0;
  watch = new ChangeWatch();
  watch.add(() => {
    told += 1;
  });
});

afterEach(() => {
  watch.close();
  vi.useRealTimers();
});

it('tells of the first change at once, and of all that follow soon only once more', () => {
  for (let change = 0; change < 5; change += 1) watch.changed();
  expect(told).toBe(1);
  vi.advanceTimersByTime(1_000);
  expect(told).toBe(2);
  watch.changed();
  expect(told).toBe(3);
});

it('tells when a lease ends that was not seen to be renewed', () => {
  watch.endsIn(500);
  vi.advanceTimersByTime(499);
  watch.endsIn(500);
  vi.advanceTimersByTime(499);
  expect(told).toBe(0);
  vi.advanceTimersByTime(10);
  expect(told).toBe(1);
});

it('tells nothing of a lease that nobody has, nor after it was closed', () => {
  watch.endsIn(500);
  watch.endsIn(null);
  vi.advanceTimersByTime(1_000);
  watch.endsIn(500);
  watch.close();
  watch.changed();
  watch.endsIn(500);
  vi.advanceTimersByTime(1_000);
  expect(told).toBe(0);
});
