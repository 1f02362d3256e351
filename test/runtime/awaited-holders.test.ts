// A leftover that holds a deleted lock file is named, for as long as it is waited for.
import { expect, it } from 'vitest';
import type { Event } from '../../src/core/event.ts';
import type { LeaseObservation } from '../../src/core/state.ts';
import { AwaitedHolders } from '../../src/runtime/awaited-holders.ts';

const FREE: LeaseObservation = {
  epoch: 0,
  held: false,
  holder: null,
  recordUnreadable: false,
  touch: null,
  paused: false,
};

type Pids = readonly number[];

function denied(waitsFor: Pids, observation = FREE): Event {
  return { type: 'lease-denied', at: 0, cause: 'held', waitsFor, observation };
}

function observed(waitsFor: Pids, at = 0): Event {
  return { type: 'lease-observed', at, observation: { ...FREE, waitsFor } };
}

function awaited(): { holders: AwaitedHolders; warnings: string[] } {
  const warnings: string[] = [];
  const holders = new AwaitedHolders({
    describe: (pid) => `pid ${String(pid)} (sleep)`,
    warn: (message) => warnings.push(message),
  });
  return { holders, warnings };
}

it('says once whom it waits for, and what a person can do', () => {
  const { holders, warnings } = awaited();
  holders.after(denied([12]));
  holders.after(denied([12]));
  holders.after(observed([12]));
  const text =
    'no node starts until pid 12 (sleep) has exited: it holds a deleted lock file of this group. Stop it with `kill 12` if it is not needed';
  expect([holders.warning, warnings]).toEqual([text, [text]]);
});

it('says it without a claim once each look of a second has shown somebody', () => {
  const { holders, warnings } = awaited();
  for (const at of [0, 500, 999]) holders.after(observed([12], at));
  holders.after(observed([], 1_100));
  for (const at of [1_200, 2_199]) holders.after(observed([12], at));
  expect(warnings).toEqual([]);
  holders.after(observed([12], 2_200));
  expect(warnings).toHaveLength(1);
  holders.after(observed([], 2_300));
  expect(holders.warning).toBeNull();
});

it('says it again when others are waited for', () => {
  const { holders, warnings } = awaited();
  holders.after(denied([12, 13]));
  holders.after(observed([13]));
  expect(warnings).toHaveLength(2);
  expect(holders.warning).toBe(warnings[1]);
  expect(warnings[1]).toContain('pid 13 (sleep) has exited');
});

it('says nothing of those who may have ended when a claim is made', () => {
  const { holders, warnings } = awaited();
  holders.after(observed([12]));
  expect([holders.warning, warnings]).toEqual([null, []]);
});

it('names several, but not without end', () => {
  const { holders } = awaited();
  holders.after(denied([1, 2, 3, 4, 5, 6, 7]));
  expect(holders.warning).toContain(
    'pid 5 (sleep) and 2 more have exited: they hold deleted lock files',
  );
  expect(holders.warning).toContain('`kill 1 2 3 4 5`');
});

it.each([
  { type: 'lease-granted', at: 0, epoch: 1, previous: null, granted: null },
  { type: 'lease-observed', at: 0, observation: { ...FREE, held: true } },
  denied([12], { ...FREE, held: true }),
  denied([]),
  observed([]),
] as const)('is over with %j', (end) => {
  const { holders } = awaited();
  holders.after(denied([12]));
  expect(holders.warning).not.toBeNull();
  holders.after(end);
  expect(holders.warning).toBeNull();
});
