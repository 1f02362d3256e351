// How late a loop was of late: what is told is of about the last minute.
import { expect, it } from 'vitest';
import { RecentLateness } from '../../src/runtime/recent-lateness.ts';

it('tells the worst of the last minute, and forgets what is older', () => {
  const lateness = new RecentLateness();
  expect(lateness.worst(0)).toBe(0);
  lateness.note(1_000, 1_250);
  lateness.note(20_000, 20_003);
  expect(lateness.worst(20_003)).toBe(250);
  expect(lateness.worst(59_999)).toBe(250);
  expect(lateness.worst(60_000)).toBe(3);
  expect(lateness.worst(200_000)).toBe(0);
});

it('takes a timer that came early for one in time', () => {
  const lateness = new RecentLateness();
  lateness.note(1_000, 999);
  expect(lateness.worst(1_000)).toBe(0);
});
