// What happens when the state directory is removed under running nodes.
import { rmSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { granted, openLease, ownRecord, temporaryDirectory } from '../support/fixtures.ts';

it('is looked at as an empty one at first; then the epochs go on in a new one', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  await granted(a.acquire(0));
  await a.release();
  rmSync(a.paths.directory, { recursive: true });
  expect(a.observe()).toEqual({
    epoch: 0,
    held: false,
    holder: null,
    recordUnreadable: false,
    touch: null,
    paused: false,
  });
  expect(a.observe().epoch).toBe(1);
  expect(a.listNodes().map(({ node }) => node)).toEqual(['a']);
  expect(await granted(a.acquire(0))).toBe(2);
});

it('lets nobody in while the one of before still holds a deleted lock file', async () => {
  const stateDir = temporaryDirectory();
  const old = openLease(stateDir, 'old');
  await granted(old.acquire(0));
  rmSync(old.paths.directory, { recursive: true });
  const newcomer = openLease(stateDir, 'new');
  const third = openLease(stateDir, 'third');
  expect(newcomer.deletedHolders().map(({ pid }) => pid)).toEqual([process.pid]);
  expect(await newcomer.acquire(1)).toMatchObject({ type: 'denied', cause: 'held' });
  expect(await third.acquire(1)).toMatchObject({ type: 'denied', cause: 'held' });
  await old.release();
  expect(newcomer.deletedHolders()).toEqual([]);
  expect(await granted(newcomer.acquire(1))).toBe(2);
});

it('lets nobody in while a workload still holds the deleted workload lock', async () => {
  const stateDir = temporaryDirectory();
  const old = openLease(stateDir, 'old');
  await granted(old.acquire(0));
  const run = old.workloadLock.open();
  expect(run.tryLock()).toBe(true);
  await old.release();
  rmSync(old.paths.directory, { recursive: true });
  const newcomer = openLease(stateDir, 'new');
  expect(await newcomer.acquire(1)).toMatchObject({ type: 'denied', cause: 'held' });
  run.close();
  expect(await granted(newcomer.acquire(1))).toBe(2);
});

it('does not wait for a description that was never locked: an armed process', async () => {
  const stateDir = temporaryDirectory();
  const old = openLease(stateDir, 'old');
  const armed = old.workloadLock.open();
  onTestFinished(() => {
    armed.close();
  });
  rmSync(old.paths.directory, { recursive: true });
  const newcomer = openLease(stateDir, 'new');
  expect(await granted(newcomer.acquire(1))).toBe(2);
  // What it has open is not what the path names: locking it would keep nobody out.
  expect(armed.tryLock()).toBe(false);
});

it('is made anew by a node that goes on, with its record and sessions', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  const session = {
    process: ownRecord('a').supervisor,
    kind: 'workload',
    active: true,
    keep: false,
    stopsWithSupervisor: false,
  } as const;
  a.setSessions([session]);
  expect(a.directoryRemadeAtMs).toBeNull();
  rmSync(stateDir, { recursive: true });
  a.setSessions([session, session]);
  expect(a.directoryRemadeAtMs).toBeGreaterThan(0);
  expect(a.listNodes()).toMatchObject([{ node: 'a', alive: true, sessions: [session, session] }]);
  expect(await granted(a.acquire(7))).toBe(8);
  a.setSessions([]);
});
