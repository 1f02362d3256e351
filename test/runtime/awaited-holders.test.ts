// A leftover that holds a deleted lock file is named, for as long as it is waited for.
import { expect, it } from 'vitest';
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

const DENIED = { type: 'lease-denied', cause: 'held', waitsFor: [], observation: FREE } as const;

function awaited(): { holders: AwaitedHolders; pids: number[]; warnings: string[] } {
  const pids: number[] = [];
  const warnings: string[] = [];
  const holders = new AwaitedHolders({
    find: () => pids.map((pid) => ({ pid })),
    describe: (pid) => `pid ${String(pid)} (sleep)`,
    warn: (message) => warnings.push(message),
  });
  return { holders, pids, warnings };
}

it('says once whom it waits for, and what a person can do', () => {
  const { holders, pids, warnings } = awaited();
  pids.push(12);
  holders.after(DENIED);
  holders.after(DENIED);
  const text =
    'nobody starts until pid 12 (sleep) has ended: it holds a lock file of this group that was deleted. ' +
    'End it with `kill 12` if it is not to go on';
  expect([holders.warning, warnings]).toEqual([text, [text]]);
});

it('names several, but not without end', () => {
  const { holders, pids } = awaited();
  pids.push(1, 2, 3, 4, 5, 6, 7);
  holders.after(DENIED);
  expect(holders.warning).toContain('pid 5 (sleep) and 2 more have ended: they hold lock files');
  expect(holders.warning).toContain('`kill 1 2 3 4 5`');
});

it('is over when they have ended, when somebody holds the lease, and with a grant', () => {
  const { holders, pids } = awaited();
  const held = { ...FREE, held: true };
  for (const end of [
    { type: 'lease-granted', epoch: 1, previous: null, granted: null },
    { type: 'lease-observed', observation: held },
    { ...DENIED, observation: held },
    { ...DENIED, cause: 'lost-race' },
  ] as const) {
    pids.splice(0, pids.length, 12);
    holders.after(DENIED);
    expect(holders.warning).not.toBeNull();
    holders.after(end);
    expect(holders.warning).toBeNull();
  }
  holders.after(DENIED);
  pids.length = 0;
  holders.after(DENIED);
  expect(holders.warning).toBeNull();
});

it('keeps what it said where it can not look: the node goes on', () => {
  const holders = new AwaitedHolders({
    find: () => {
      throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    },
    describe: String,
    warn: () => undefined,
  });
  expect(() => {
    holders.after(DENIED);
  }).not.toThrow();
  expect(holders.warning).toBeNull();
});
