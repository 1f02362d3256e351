// What happens when the state directory is removed under running nodes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { FileLease } from '../../../src/lease/file/file-lease.ts';
import { findFormerNotes } from '../../../src/lease/file/former-notes.ts';
import type { FormerNotes } from '../../../src/lease/file/former-notes.ts';
import { marksOf, readLockNote } from '../../../src/lease/file/lock-note.ts';
import {
  eventually,
  granted,
  openLease,
  ownRecord,
  temporaryDirectory,
} from '../support/fixtures.ts';

/** Else a lease of this process, which holds a removed file, would be waited for. */
const HOLDERS_HAVE_ENDED = {
  findDeletedHolders: (): [] => [],
  findFormerNotes: (directory: string): FormerNotes => ({
    ...findFormerNotes(directory),
    holders: [],
  }),
};

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
  expect(a.local.listNodes().map(({ node }) => node)).toEqual(['a']);
  expect(await granted(a.acquire(0))).toBe(2);
});

it('lets nobody in while the one of before still holds a deleted lock file', async () => {
  const stateDir = temporaryDirectory();
  const old = openLease(stateDir, 'old');
  await granted(old.acquire(0));
  rmSync(old.paths.directory, { recursive: true });
  const newcomer = openLease(stateDir, 'new');
  const third = openLease(stateDir, 'third');
  expect(newcomer.observe().waitsFor).toEqual([process.pid]);
  expect(await newcomer.acquire(1)).toMatchObject({
    type: 'denied',
    cause: 'held',
    waitsFor: [process.pid],
  });
  expect(await third.acquire(1)).toMatchObject({ type: 'denied', cause: 'held' });
  await old.release();
  expect(newcomer.observe().waitsFor).toBeUndefined();
  expect(await granted(newcomer.acquire(1))).toBe(2);
  expect(await third.acquire(1)).toMatchObject({ type: 'denied', cause: 'held', waitsFor: [] });
});

it('lets no newcomer repeat an epoch that is noted in the file which a stopped node has open', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  await granted(a.acquire(4));
  const onlooker = await startOnlooker(stateDir);
  expect(onlooker.epochs).toEqual([5]);
  onlooker.stop();
  // It never saw this one.
  expect(await a.advanceEpoch(6)).toBe(7);
  await a.close();
  rmSync(a.paths.directory, { recursive: true });
  const newcomer = openLease(stateDir, 'new');
  expect(newcomer.observe().epoch).toBe(7);
  expect(await granted(newcomer.acquire(0))).toBe(8);
});

it('lets a node of before, which saw less, claim above what another of before knows', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  await granted(a.acquire(0));
  rmSync(a.paths.directory, { recursive: true });
  const b = openLease(stateDir, 'b', { environment: HOLDERS_HAVE_ENDED });
  expect(await granted(b.acquire(6))).toBe(7);
  const onlooker = await startOnlooker(stateDir);
  onlooker.stop();
  await b.close();
  rmSync(a.paths.directory, { recursive: true });
  await a.release();
  // What it has open is of the directory before the last one.
  expect(await granted(a.acquire(0))).toBe(8);
});

it('goes on above the epochs of a directory that was moved away', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  await granted(a.acquire(6));
  await a.release();
  renameSync(a.paths.directory, `${a.paths.directory}.old`);
  const newcomer = openLease(stateDir, 'new');
  expect(await granted(newcomer.acquire(0))).toBe(8);
});

it('goes on above the epochs of a directory that has made way for an earlier one', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  const { directory } = a.paths;
  await granted(a.acquire(6));
  await a.release();
  renameSync(directory, `${directory}.first`);
  expect(await granted(a.acquire(0))).toBe(8);
  renameSync(directory, `${directory}.second`);
  renameSync(`${directory}.first`, directory);
  const newcomer = openLease(stateDir, 'new', { environment: HOLDERS_HAVE_ENDED });
  expect(newcomer.observe().epoch).toBe(8);
  expect(await granted(newcomer.acquire(0))).toBe(9);
});

it('repeats no epoch that was claimed, and removed with its directory, during its look', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  expect(await granted(a.acquire(6))).toBe(7);
  await a.release();
  let meanwhile = (): void => undefined;
  const environment = {
    ...HOLDERS_HAVE_ENDED,
    findFormerNotes: (directory: string): FormerNotes => {
      const noted = HOLDERS_HAVE_ENDED.findFormerNotes(directory);
      meanwhile();
      return noted;
    },
  };
  const b = openLease(stateDir, 'b', { environment });
  rmSync(b.paths.directory, { recursive: true });
  const claims: Promise<unknown>[] = [];
  meanwhile = () => {
    meanwhile = () => undefined;
    // Noted before it resolves.
    claims.push(a.acquire(0));
    rmSync(b.paths.directory, { recursive: true });
  };
  const first = await b.acquire(0);
  expect(claims).toHaveLength(1);
  await Promise.all(claims);
  await a.release();
  // It is told to come again, or has seen it.
  const epoch = first.type === 'granted' ? first.epoch : await granted(b.acquire(0));
  expect(epoch).toBe(9);
});

it('takes no epoch from another group whose directory was removed', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a', { record: { group: 'other' } });
  await granted(a.acquire(6));
  await a.release();
  rmSync(a.paths.directory, { recursive: true });
  expect(await granted(openLease(stateDir, 'new').acquire(0))).toBe(1);
});

/** A node in another process, which looks at the lease once; `stop` is a SIGSTOP. */
async function startOnlooker(
  stateDir: string,
): Promise<{ readonly epochs: number[]; readonly stop: () => void }> {
  const script = join(import.meta.dirname, '../support/onlooker.js');
  const child = spawn(process.execPath, [script, stateDir, 'onlooker'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  const epochs: number[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => epochs.push(Number(line)));
  await eventually(() => (epochs.length === 1 ? true : undefined));
  return { epochs, stop: () => child.kill('SIGSTOP') };
}

it('lets nobody in while a workload still holds the deleted workload lock', async () => {
  const stateDir = temporaryDirectory();
  const old = openLease(stateDir, 'old');
  await granted(old.acquire(0));
  const run = old.local.workloadLock.open();
  expect(run.tryLock()).toBe(true);
  await old.release();
  rmSync(old.paths.directory, { recursive: true });
  const newcomer = openLease(stateDir, 'new');
  expect(await newcomer.acquire(1)).toMatchObject({ type: 'denied', cause: 'held' });
  run.close();
  expect(await granted(newcomer.acquire(1))).toBe(2);
});

it.each([
  ['moved away', false, true],
  ['moved away and removed there', true, true],
  ['moved away, though its environment is scrubbed', false, false],
  ['moved away and removed there, though its environment is scrubbed', true, false],
])(
  'lets nobody in while a workload holds the lock of a directory that was %s',
  async (_how, isRemoved, isNamed) => {
    const stateDir = temporaryDirectory();
    const old = openLease(stateDir, 'old');
    await granted(old.acquire(0));
    const env = { FAILOVER_GROUP: 'web', FAILOVER_STATE_DIR: stateDir };
    const end = holdWorkloadLock(old, isNamed ? env : {});
    await old.release();
    renameSync(old.paths.directory, `${old.paths.directory}.old`);
    if (isRemoved) rmSync(`${old.paths.directory}.old`, { recursive: true });
    const newcomer = openLease(stateDir, 'new');
    expect(await newcomer.acquire(1)).toMatchObject({ type: 'denied', cause: 'held' });
    await end();
    expect(await granted(newcomer.acquire(1))).toBe(2);
  },
);

it('waits for no workload of a group that has the directory by another name since', async () => {
  const stateDir = temporaryDirectory();
  const web = openLease(stateDir, 'a');
  const { directory } = web.paths;
  await granted(web.acquire(0));
  await web.close();
  renameSync(directory, join(stateDir, 'api'));
  const api = openLease(stateDir, 'a', { record: { group: 'api' } });
  await granted(api.acquire(0));
  await eventually(() => (isOf(api.paths.workloadLock, api.paths.directory) ? true : undefined));
  expect(isOf(api.paths.primaryLock, api.paths.directory)).toBe(true);
  holdWorkloadLock(api, {});
  expect(await granted(openLease(stateDir, 'b').acquire(0))).toBe(1);
});

it('goes on above the epochs of a directory that had another name', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  await granted(a.acquire(6));
  await a.release();
  const { directory } = a.paths;
  const otherName = `${stateDir}/../${basename(stateDir)}/web`;
  rmSync(directory, { recursive: true });
  expect(findFormerNotes(otherName).epoch).toBe(7);
});

it('is searched for anew by a node that did not see it make way for another and come back', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  const { directory } = a.paths;
  await granted(a.acquire(0));
  await a.release();
  renameSync(directory, `${directory}.first`);
  const c = openLease(stateDir, 'c');
  expect(await granted(c.acquire(0))).toBe(2);
  const end = holdWorkloadLock(c, {});
  await c.release();
  renameSync(directory, `${directory}.second`);
  renameSync(`${directory}.first`, directory);
  expect(await a.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
  await end();
  expect(await granted(a.acquire(0))).toBe(3);
});

it('is searched for anew by a node that has not looked for a while', async () => {
  let now = 0;
  const findDeletedHolders = vi.fn(() => []);
  const environment = { findDeletedHolders, now: () => now };
  const a = openLease(temporaryDirectory(), 'a', { environment });
  expect(findDeletedHolders).toHaveBeenCalledTimes(1);
  for (now = 500; now < 5_000; now += 500) a.observe();
  await granted(a.acquire(0));
  for (; now < 10_000; now += 500) a.verify();
  await a.release();
  await granted(a.acquire(0));
  await a.release();
  expect(findDeletedHolders).toHaveBeenCalledTimes(1);
  now += 5_000;
  await granted(a.acquire(0));
  expect(findDeletedHolders).toHaveBeenCalledTimes(2);
});

/** A process of its own that has the lock, and an environment that says no more than that. */
function holdWorkloadLock(
  lease: FileLease,
  env: Readonly<Record<string, string>>,
): () => Promise<unknown> {
  const run = lease.local.workloadLock.open();
  expect(run.tryLock()).toBe(true);
  const workload = spawn('sleep', ['1000'], {
    stdio: ['ignore', 'ignore', 'ignore', run.fd],
    env: { PATH: process.env['PATH'], ...env },
  });
  run.close();
  const ended = once(workload, 'exit');
  const end = (): Promise<unknown> => {
    workload.kill('SIGKILL');
    return ended;
  };
  onTestFinished(() => void end());
  return end;
}

function isOf(path: string, directory: string): boolean {
  const fd = openSync(path, 'r');
  const note = readLockNote(fd);
  closeSync(fd);
  const { mark, place } = marksOf(directory);
  return note.mark === mark && note.place === place;
}

it('does not wait for a description that was never locked: an armed process', async () => {
  const stateDir = temporaryDirectory();
  const old = openLease(stateDir, 'old');
  const armed = old.local.workloadLock.open();
  onTestFinished(() => {
    armed.close();
  });
  rmSync(old.paths.directory, { recursive: true });
  const newcomer = openLease(stateDir, 'new');
  expect(await granted(newcomer.acquire(1))).toBe(2);
  // What it has open is not what the path names: locking it would keep nobody out.
  expect(armed.tryLock()).toBe(false);
});

it('has its lock files again after a look, for what stands by', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  rmSync(a.paths.directory, { recursive: true });
  expect(() => a.local.workloadLock.open()).toThrow('it was removed');
  a.observe();
  a.local.workloadLock.open().close();
  expect(a.local.listNodes().map(({ node }) => node)).toEqual(['a']);
  expect(await granted(a.acquire(0))).toBe(1);
});

it('has no lock files after a look while a workload holds a deleted one', async () => {
  const stateDir = temporaryDirectory();
  const old = openLease(stateDir, 'old');
  await granted(old.acquire(0));
  const run = old.local.workloadLock.open();
  expect(run.tryLock()).toBe(true);
  const standby = openLease(stateDir, 'standby');
  standby.observe();
  rmSync(old.paths.directory, { recursive: true });
  await old.release();
  standby.observe();
  old.observe();
  expect(existsSync(old.paths.workloadLock)).toBe(false);
  run.close();
  standby.observe();
  expect(existsSync(old.paths.workloadLock)).toBe(true);
});

it('has no lock files after a look of its holder: what it holds is lost', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  await granted(a.acquire(0));
  rmSync(a.paths.directory, { recursive: true });
  a.observe();
  expect(existsSync(a.paths.workloadLock)).toBe(false);
  expect(a.verify().type).toBe('lost');
});

it('stays away for a node that has left', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  await a.close();
  rmSync(a.paths.directory, { recursive: true });
  a.observe();
  expect(existsSync(a.paths.directory)).toBe(false);
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
  a.local.setSessions([session]);
  expect(a.local.removal).toBeNull();
  rmSync(stateDir, { recursive: true });
  a.local.setSessions([session, session]);
  expect(a.local.removal?.path).toBe(a.paths.directory);
  expect(a.local.listNodes()).toMatchObject([
    { node: 'a', alive: true, sessions: [session, session] },
  ]);
  expect(await granted(a.acquire(7))).toBe(8);
  a.local.setSessions([]);
});
