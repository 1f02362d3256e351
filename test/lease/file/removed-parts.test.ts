// What happens when a part of the state directory alone is removed under running nodes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { FileLease } from '../../../src/lease/file/file-lease.ts';
import { writeLockNote } from '../../../src/lease/file/lock-note.ts';
import { listNodes } from '../../../src/lease/file/node-registry.ts';
import { PrimaryLock } from '../../../src/lease/file/primary-lock.ts';
import type { SessionRecord } from '../../../src/lease/lease-store.ts';
import { granted, openLease, ownRecord, temporaryDirectory } from '../support/fixtures.ts';

const CONTENDER = join(import.meta.dirname, '../support/contender.js');

it('lets no newcomer repeat an epoch when the epochs are removed', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  await granted(a.acquire(2));
  expect(await a.advanceEpoch(0)).toBe(4);
  await a.close();
  rmSync(a.paths.epochs, { recursive: true });
  const newcomer = openLease(stateDir, 'new');
  expect(newcomer.observe().epoch).toBe(4);
  expect(await granted(newcomer.acquire(0))).toBe(5);
});

it('lets nobody repeat an epoch whose record alone was removed', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  await granted(a.acquire(2));
  await a.close();
  rmSync(join(a.paths.epochs, '3'));
  expect(await granted(openLease(stateDir, 'new').acquire(0))).toBe(4);
});

it('goes by what was noted in the moment before it had the lock, though its record is gone', async () => {
  const lease = openLease(temporaryDirectory(), 'a');
  const take = vi.spyOn(PrimaryLock.prototype, 'take').mockImplementationOnce(() => {
    const fd = openSync(lease.paths.primaryLock, 'r+');
    writeLockNote(fd, { epoch: 7 });
    closeSync(fd);
    take.mockRestore();
    return new PrimaryLock(lease.paths.primaryLock).take();
  });
  expect(await granted(lease.acquire(0))).toBe(8);
});

it('lets a standby that saw only an earlier epoch claim none that it missed', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  const late = openLease(stateDir, 'late');
  expect(await granted(a.acquire(2))).toBe(3);
  late.observe();
  expect(await a.advanceEpoch(6)).toBe(7);
  for (const path of [a.paths.epochs, a.paths.primaryLock]) rmSync(path, { recursive: true });
  late.observe();
  expect(readdirSync(a.paths.epochs)).toEqual(['7']);
  await a.close();
  expect(await granted(late.acquire(0))).toBe(8);
});

it('goes on above an epoch that is noted only in a lock file which is gone by its name', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  openLease(stateDir, 'b');
  expect(await granted(a.acquire(2))).toBe(3);
  await a.close();
  const { epochs, primaryLock, workloadLock } = a.paths;
  for (const path of [epochs, primaryLock, workloadLock]) rmSync(path, { recursive: true });
  expect(await granted(openLease(stateDir, 'new').acquire(0))).toBe(4);
});

it('reads nothing from a note that was written by somebody else’s hand', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  for (const text of ['', 'x'.repeat(300), '{"epoch":-1}', '{"epoch":1e300}', '{"epoch":"9"}']) {
    writeFileSync(a.paths.primaryLock, text);
    const epoch = await granted(a.acquire(0));
    expect(epoch).toBeLessThan(10);
    await a.release();
  }
});

it('takes the lease from a primary whose epochs went, and puts its epoch on record', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  expect(await granted(a.acquire(4))).toBe(5);
  renameSync(a.paths.epochs, `${stateDir}/elsewhere`);
  expect(a.verify()).toEqual({ type: 'lost', cause: `${a.paths.epochs} was removed or replaced` });
  expect(readdirSync(a.paths.epochs)).toEqual(['5']);
  expect(a.verify().type).toBe('lost');
  expect(a.local.removal?.path).toBe(a.paths.epochs);
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

it.each(['nodes', 'claims'] as const)(
  'puts the record of a node back at its next beat when the %s were removed',
  async (part) => {
    const stateDir = temporaryDirectory();
    const primary = openLease(stateDir, 'a');
    const standby = openLease(stateDir, 'b');
    const epoch = await granted(primary.acquire(0));
    primary.local.setSessions([workloadOf(primary)]);
    rmSync(primary.paths[part], { recursive: true });
    expect(primary.verify().type).toBe('held');
    standby.observe();
    const found = listNodes(primary.paths);
    expect(found.map(({ node, alive }) => ({ node, alive }))).toEqual(
      expect.arrayContaining([
        { node: 'a', alive: true },
        { node: 'b', alive: true },
      ]),
    );
    expect(found.find(({ node }) => node === 'a')?.sessions).toHaveLength(1);
    expect(await primary.advanceEpoch(0)).toBe(epoch + 1);
  },
);

function workloadOf(lease: FileLease): SessionRecord {
  const [own] = lease.local.listNodes();
  if (own === undefined) throw new Error('it is not registered');
  const { supervisor: process } = own;
  return { process, kind: 'workload', active: true, keep: false, stopsWithSupervisor: true };
}

describe('the record of the last run that started something', () => {
  it('is not missed while it is there, nor after that run has left in order', async () => {
    const stateDir = temporaryDirectory();
    const a = openLease(stateDir, 'a');
    await granted(a.acquire(0));
    // Nobody was noted in the new file: earlier ones may have been removed.
    expect(a.missesRecordIn(a.local.listNodes())).toBe(true);
    a.cleared();
    expect(a.missesRecordIn(a.local.listNodes())).toBe(false);
    await a.release();
    const b = openLease(stateDir, 'b');
    await granted(b.acquire(0));
    expect(b.missesRecordIn(b.local.listNodes())).toBe(false);
    expect(await b.advanceEpoch(0)).toBe(3);
    expect(b.missesRecordIn(b.local.listNodes())).toBe(false);
  });

  it('is missed by all who hold the lease until one has cleared', async () => {
    const stateDir = temporaryDirectory();
    const child = spawn(process.execPath, [CONTENDER, stateDir, 'dead', '1', 'hold'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const a = openLease(stateDir, 'a');
    expect(readdirSync(a.paths.nodes)).toHaveLength(2);
    await granted(a.acquire(0));
    expect(a.missesRecordIn(a.local.listNodes())).toBe(false);
    await a.release();
    // Its record alone, not ours.
    for (const name of readdirSync(a.paths.nodes)) {
      if (name.startsWith('run-')) rmSync(join(a.paths.nodes, name));
    }
    await granted(a.acquire(0));
    expect(a.missesRecordIn(a.local.listNodes())).toBe(true);
    await a.release();
    expect(a.missesRecordIn(a.local.listNodes())).toBe(false);
    const b = openLease(stateDir, 'b');
    await granted(b.acquire(0));
    expect(b.missesRecordIn(b.local.listNodes())).toBe(true);
    b.cleared();
    await b.release();
    await granted(a.acquire(0));
    expect(a.missesRecordIn(a.local.listNodes())).toBe(false);
  });

  it('is not known where a higher epoch is than is noted in the file: others led by other ones', async () => {
    const stateDir = temporaryDirectory();
    const a = openLease(stateDir, 'a');
    await granted(a.acquire(0));
    a.cleared();
    await a.release();
    expect(await granted(a.acquire(6))).toBe(7);
    expect(a.missesRecordIn(a.local.listNodes())).toBe(true);
    await a.release();
    // It has looked for nothing, so the next one has to.
    const b = openLease(stateDir, 'b');
    await granted(b.acquire(0));
    expect(b.missesRecordIn(b.local.listNodes())).toBe(true);
    b.cleared();
    await b.release();
    await granted(a.acquire(0));
    expect(a.missesRecordIn(a.local.listNodes())).toBe(false);
  });

  it('is missed after a run that left sessions behind', async () => {
    const stateDir = temporaryDirectory();
    const a = openLease(stateDir, 'a');
    await granted(a.acquire(0));
    a.cleared();
    const left = {
      kind: 'workload',
      active: true,
      keep: false,
      stopsWithSupervisor: false,
    } as const;
    a.local.setSessions([{ process: ownRecord('a').supervisor, ...left }]);
    await a.release();
    const b = openLease(stateDir, 'b');
    for (const { run, node } of b.local.listNodes()) {
      if (node === 'a') rmSync(join(a.paths.nodes, `${run}.json`));
    }
    await granted(b.acquire(0));
    expect(b.missesRecordIn(b.local.listNodes())).toBe(true);
    a.local.setSessions([]);
  });
});
