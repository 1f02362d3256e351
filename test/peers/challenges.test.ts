// What was offered is known again for as long as it may be repeated, and no longer.
import { expect, it } from 'vitest';
import { Challenges } from '../../src/peers/challenges.ts';

it('is the same within an interval and a new one in the next, each known with its time', () => {
  let at = 0;
  const challenges = new Challenges({ intervalMs: 100, validMs: 300, now: () => at });
  const first = challenges.offer();
  at = 99;
  expect(challenges.offer()).toBe(first);
  at = 100;
  const second = challenges.offer();
  expect(second).not.toBe(first);
  expect([challenges.sinceOf(first), challenges.sinceOf(second)]).toEqual([0, 100]);
});

it('is forgotten when it is too old, also where nothing was offered since', () => {
  let at = 0;
  const challenges = new Challenges({ intervalMs: 100, validMs: 300, now: () => at });
  const first = challenges.offer();
  at = 299;
  expect(challenges.sinceOf(first)).toBe(0);
  at = 300;
  expect(challenges.sinceOf(first)).toBeNull();
});

it('is nothing that another node has offered', () => {
  const now = (): number => 0;
  const times = { intervalMs: 100, validMs: 300, now };
  expect(new Challenges(times).sinceOf(new Challenges(times).offer())).toBeNull();
});
