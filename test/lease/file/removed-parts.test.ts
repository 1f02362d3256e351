// What happens when a part of the state directory alone is removed under running nodes.
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { granted, openLease, temporaryDirectory } from '../support/fixtures.ts';

it('lets no newcomer repeat an epoch when the epochs are removed under a standby', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  const b = openLease(stateDir, 'b');
  await granted(a.acquire(2));
  expect(b.observe().epoch).toBe(3);
  await a.release();
  await a.close();
  rmSync(a.paths.epochs, { recursive: true });
  let now = 0;
  const newcomer = openLease(stateDir, 'new', { environment: { now: () => now } });
  expect(await newcomer.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
  now = 1_999;
  expect(await newcomer.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
  b.observe();
  expect(readdirSync(b.paths.epochs)).toEqual(['3']);
  expect(await granted(newcomer.acquire(0))).toBe(4);
});

it('does not wait for ever for a standby that does not look: it may be stopped', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  rmSync(a.paths.epochs, { recursive: true });
  let now = 0;
  const newcomer = openLease(stateDir, 'new', { environment: { now: () => now } });
  expect(await newcomer.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
  now = 2_000;
  expect(await granted(newcomer.acquire(0))).toBe(1);
});

it('takes the lease from a primary whose epochs went, and puts its epoch on record', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  expect(await granted(a.acquire(4))).toBe(5);
  renameSync(a.paths.epochs, `${stateDir}/elsewhere`);
  expect(a.verify()).toEqual({ type: 'lost', cause: `${a.paths.epochs} was removed or replaced` });
  expect(readdirSync(a.paths.epochs)).toEqual(['5']);
  expect(a.verify().type).toBe('lost');
  expect(a.directoryRemadeAtMs).toBeGreaterThan(0);
  await a.release();
  expect(await granted(a.acquire(0))).toBe(6);
  expect(a.verify().type).toBe('held');
});

it('lets a standby claim the next epoch when the epochs went under a primary that died', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  const b = openLease(stateDir, 'b');
  expect(await granted(a.acquire(2))).toBe(3);
  b.observe();
  rmSync(a.paths.epochs, { recursive: true });
  await a.close();
  rmSync(a.paths.epochs, { recursive: true, force: true });
  expect(await granted(b.acquire(0))).toBe(4);
});

it('puts a higher epoch on record beside one that another node has left', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  const b = openLease(stateDir, 'b');
  await granted(a.acquire(1));
  b.observe();
  expect(await a.advanceEpoch(6)).toBe(7);
  rmSync(a.paths.epochs, { recursive: true });
  b.observe();
  expect(readdirSync(a.paths.epochs)).toEqual(['2']);
  expect(a.verify().type).toBe('lost');
  expect(readdirSync(a.paths.epochs).sort()).toEqual(['2', '7']);
});

it('makes the marks anew at the next look, and to write one', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  rmSync(a.paths.marks, { recursive: true });
  a.observe();
  expect(readdirSync(a.paths.marks)).toEqual([]);
  const epoch = await granted(a.acquire(0));
  rmSync(a.paths.marks, { recursive: true });
  await a.setPaused(true, 'someone');
  expect(a.observe().paused).toBe(true);
  rmSync(a.paths.marks, { recursive: true });
  await a.markCompleted(epoch);
  expect(readdirSync(a.paths.marks)).toEqual(['completed']);
  expect(a.verify().type).toBe('held');
});

it('lets two that start a group at once do so without waiting for each other', async () => {
  const stateDir = temporaryDirectory();
  const environment = { now: (): number => 0 };
  const a = openLease(stateDir, 'a', { environment });
  const b = openLease(stateDir, 'b', { environment });
  expect(await granted(b.acquire(0))).toBe(1);
  expect(await a.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
});
