// Epochs, claims and marks as they are found in the directory.
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { peekGroup } from '../../../src/lease/file/peek.ts';
import { granted, openLease, temporaryDirectory } from '../support/fixtures.ts';

it('a corrupt record while the lock is held: denied, and said to be unreadable', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  const b = openLease(stateDir, 'b');
  await granted(a.acquire(0));
  writeFileSync(join(a.paths.epochs, '1'), '{"v":1,"node":');
  expect(await b.acquire(0)).toMatchObject({
    cause: 'held',
    observation: { held: true, holder: null, recordUnreadable: true, epoch: 1 },
  });
  expect(peekGroup(stateDir, 'web')?.observation).toMatchObject({
    held: true,
    recordUnreadable: true,
  });
  await a.release();
  expect(await b.acquire(0)).toEqual({ type: 'granted', epoch: 2, previous: null, granted: null });
});

it('an epoch from the future counts, and names that are no epoch do not', async () => {
  const a = openLease(temporaryDirectory(), 'a');
  for (const name of ['1000', 'x7', '-5', '007', '9007199254740993', '1e9']) {
    writeFileSync(join(a.paths.epochs, name), '');
  }
  expect(await granted(a.acquire(0))).toBe(1001);
  expect(readdirSync(a.paths.epochs)).toContain('x7');
});

it('refuses to claim when no number is left, and holds nothing then', async () => {
  const a = openLease(temporaryDirectory(), 'a');
  writeFileSync(join(a.paths.epochs, String(Number.MAX_SAFE_INTEGER)), '');
  await expect(a.acquire(0)).rejects.toMatchObject({ code: 'FAILOVER_RECORD_UNREADABLE' });
  expect(a.observe().held).toBe(false);
  expect(existsSync(a.paths.lockfile)).toBe(false);
});

it('gives the endpoints of the record, and the new ones after they changed', async () => {
  const stateDir = temporaryDirectory();
  const first = { bus: 'ipc:///x/1.bus', rpc: 'ipc:///x/1.rpc' };
  const second = { bus: 'ipc:///x/2.bus', rpc: 'ipc:///x/2.rpc' };
  const a = openLease(stateDir, 'a', { record: { endpoints: first } });
  const b = openLease(stateDir, 'b');
  await granted(a.acquire(0));
  expect(b.observe().holder?.endpoints).toEqual(first);
  a.local.updateEndpoints(second);
  expect(b.observe().holder?.endpoints).toEqual(second);
  expect(peekGroup(stateDir, 'web')?.observation.holder?.endpoints).toEqual(second);
  await a.release();
  await granted(a.acquire(0));
  rmSync(a.paths.nodes, { recursive: true });
  expect(b.observe().holder?.endpoints).toEqual(second);
});

it('pauses for the group, durably, and resumes', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  const b = openLease(stateDir, 'b');
  await a.setPaused(true, 'somebody');
  expect(b.observe().paused).toBe(true);
  expect(peekGroup(stateDir, 'web')?.pause?.by).toBe('somebody');
  await b.setPaused(false, 'somebody');
  await b.setPaused(false, 'somebody');
  expect(a.observe().paused).toBe(false);
});
