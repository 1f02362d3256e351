// A grant waits for its claim to be on the disk, and fails with it.
import type fs from 'node:fs';
import { beforeEach, expect, it, vi } from 'vitest';
import { until } from '../../support/until.ts';
import { granted, openLease, temporaryDirectory } from '../support/fixtures.ts';

/** What `fsync` waits for before it calls back; null: nothing. */
const disk = vi.hoisted(() => ({
  flushes: null as ((error: Error | null) => void)[] | null,
  refusesWrites: false,
}));

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof fs>();
  return {
    ...original,
    fsync: (fd: number, done: (error: Error | null) => void) => {
      if (disk.flushes === null) original.fsync(fd, done);
      else disk.flushes.push(done);
    },
    writeSync: (...args: Parameters<typeof original.writeSync>) => {
      if (disk.refusesWrites) throw Object.assign(new Error('EIO'), { code: 'EIO' });
      return original.writeSync(...args);
    },
  };
});

beforeEach(() => {
  disk.refusesWrites = false;
  disk.flushes = null;
});

it('nothing is granted before the claim is durable', async () => {
  const a = openLease(temporaryDirectory(), 'a');
  const flushes: ((error: Error | null) => void)[] = [];
  disk.flushes = flushes;
  let outcome: unknown = null;
  const acquired = a.acquire(0).then((value) => {
    outcome = value;
  });
  await until('the claim is flushed', () => flushes.length === 1);
  await new Promise(setImmediate);
  expect(outcome).toBeNull();
  flushes[0]?.(null);
  await acquired;
  expect(outcome).toMatchObject({ type: 'granted', epoch: 1 });
});

it('no new epoch is given out before it is durable', async () => {
  const a = openLease(temporaryDirectory(), 'a');
  await granted(a.acquire(0));
  const flushes: ((error: Error | null) => void)[] = [];
  disk.flushes = flushes;
  let epoch: number | null = null;
  const advanced = a.advanceEpoch(0).then((value) => {
    epoch = value;
  });
  await until('the claim is flushed', () => flushes.length === 1);
  await new Promise(setImmediate);
  expect(epoch).toBeNull();
  flushes[0]?.(null);
  await advanced;
  expect(epoch).toBe(2);
});

it('a claim that can not be made durable is no grant, and leaves the lease free', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  const b = openLease(stateDir, 'b');
  const flushes: ((error: Error | null) => void)[] = [];
  disk.flushes = flushes;
  const acquired = a.acquire(0);
  const refused = expect(acquired).rejects.toThrow(/make a claim in .* durable/);
  await until('the claim is flushed', () => flushes.length === 1);
  flushes[0]?.(Object.assign(new Error('input/output error'), { code: 'EIO' }));
  await refused;
  disk.flushes = null;
  expect(b.observe().held).toBe(false);
  expect(await granted(b.acquire(0))).toBe(2);
});

it('a claim that is given back before it is durable frees the lease at once', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  const b = openLease(stateDir, 'b');
  const flushes: ((error: Error | null) => void)[] = [];
  disk.flushes = flushes;
  const acquired = a.acquire(0);
  await until('the claim is flushed', () => flushes.length === 1);
  expect(b.observe().held).toBe(true);
  await a.release();
  expect(await acquired).toMatchObject({ type: 'denied', cause: 'lost-race' });
  expect(b.observe().held).toBe(false);
  disk.flushes = null;
  // The number is spent.
  expect(await granted(b.acquire(0))).toBe(2);
  flushes[0]?.(null);
});

it('a new epoch that is given back before it is durable is none', async () => {
  const a = openLease(temporaryDirectory(), 'a');
  await granted(a.acquire(0));
  const flushes: ((error: Error | null) => void)[] = [];
  disk.flushes = flushes;
  const advanced = a.advanceEpoch(0);
  await until('the claim is flushed', () => flushes.length === 1);
  await Promise.all([
    expect(advanced).rejects.toMatchObject({ code: 'FAILOVER_LEASE_LOST' }),
    a.release(),
  ]);
  expect(a.observe().held).toBe(false);
  disk.flushes = null;
  expect(await granted(a.acquire(0))).toBe(3);
  flushes[0]?.(new Error('EIO'));
});

it('a disk that takes no note of it keeps no lease from others', async () => {
  const stateDir = temporaryDirectory();
  const [a, b] = [openLease(stateDir, 'a'), openLease(stateDir, 'b')];
  await granted(a.acquire(0));
  a.cleared();
  disk.refusesWrites = true;
  await a.release();
  disk.refusesWrites = false;
  expect(b.observe().held).toBe(false);
});
