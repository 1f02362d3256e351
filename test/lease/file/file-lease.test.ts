// One term after the other, and what each of several nodes sees of it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findLockHolders } from '../../../src/fence/lock-holders.ts';
import { peekGroup } from '../../../src/lease/file/peek.ts';
import { eventually, granted, openLease, temporaryDirectory } from '../support/fixtures.ts';

describe('taking the lease', () => {
  it('grants the first one epoch 1 and tells the second in line who has it', async () => {
    const stateDir = temporaryDirectory();
    const a = openLease(stateDir, 'a');
    const b = openLease(stateDir, 'b');
    expect(await a.acquire(0)).toEqual({
      type: 'granted',
      epoch: 1,
      previous: null,
      granted: null,
    });
    const outcome = await b.acquire(0);
    expect(outcome).toMatchObject({
      type: 'denied',
      cause: 'held',
      observation: { epoch: 1, held: true, holder: { node: 'a' }, recordUnreadable: false },
    });
    expect(a.guards).toEqual(['kernel', 'lockfile', 'epoch']);
  });

  it('after a release the file still exists, reads as no primary, and can be taken again', async () => {
    const stateDir = temporaryDirectory();
    const a = openLease(stateDir, 'a');
    const b = openLease(stateDir, 'b');
    await granted(a.acquire(0));
    await a.release();
    expect(existsSync(a.paths.primaryLock)).toBe(true);
    expect(JSON.parse(readFileSync(a.paths.primaryLock, 'utf8'))).toMatchObject({
      epoch: 1,
      lockfile: { state: 'none' },
    });
    expect(existsSync(a.paths.lockfile)).toBe(false);
    expect(b.observe()).toMatchObject({ held: false, epoch: 1, holder: { node: 'a' } });
    expect(await b.acquire(0)).toEqual({ type: 'granted', epoch: 2, previous: 'a', granted: null });
  });

  it('claims above the floor, so that an epoch known from elsewhere never comes again', async () => {
    const a = openLease(temporaryDirectory(), 'a');
    expect(await granted(a.acquire(41))).toBe(42);
    expect(await a.advanceEpoch(0)).toBe(43);
    expect(await a.advanceEpoch(99)).toBe(100);
    expect(a.observe().epoch).toBe(100);
  });

  it('advances no epoch without the lease', async () => {
    const a = openLease(temporaryDirectory(), 'a');
    await expect(a.advanceEpoch(0)).rejects.toMatchObject({ code: 'FAILOVER_LEASE_LOST' });
    await granted(a.acquire(0));
    await a.release();
    await expect(a.advanceEpoch(0)).rejects.toMatchObject({ code: 'FAILOVER_LEASE_LOST' });
  });

  it('releases what it does not hold without a word, and a second time', async () => {
    const a = openLease(temporaryDirectory(), 'a');
    await a.release();
    await granted(a.acquire(0));
    await Promise.all([a.release(), a.release()]);
    expect(a.observe().held).toBe(false);
  });

  it('ends a release only when a copy of the descriptor, in a child, is closed', async () => {
    const a = openLease(temporaryDirectory(), 'a');
    await granted(a.acquire(0));
    const child = spawn('cat', [], {
      stdio: ['pipe', 'ignore', 'ignore', lockedOn(a.paths.primaryLock)],
    });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    await once(child, 'spawn');
    let ended = false;
    const released = a.release().then(() => (ended = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(a.observe().held).toBe(true);
    expect(ended).toBe(false);
    child.stdin?.end();
    await released;
    await eventually(() => (a.observe().held ? undefined : true));
  });

  it('is one group under six spellings of the state directory', async () => {
    const stateDir = temporaryDirectory();
    const plain = join(stateDir, 'state');
    mkdirSync(plain);
    symlinkSync(plain, join(stateDir, 'link'));
    symlinkSync('state', join(stateDir, 'relative-link'));
    const spellings = [
      plain,
      `${plain}/`,
      `${plain}/.`,
      `${stateDir}//state`,
      join(stateDir, 'link'),
      join(stateDir, 'relative-link'),
    ];
    const leases = spellings.map((spelling, index) => openLease(spelling, `n${String(index)}`));
    expect(new Set(leases.map((lease) => lease.paths.directory)).size).toBe(1);
    const outcomes = [];
    for (const lease of leases) outcomes.push((await lease.acquire(0)).type);
    expect(outcomes.filter((type) => type === 'granted')).toHaveLength(1);
  });

  it('is denied to a node that started before the group completed, and open to a later one', async () => {
    const stateDir = temporaryDirectory();
    const a = openLease(stateDir, 'a');
    const b = openLease(stateDir, 'b');
    await granted(a.acquire(0));
    await a.markCompleted(1);
    await a.release();
    expect(await b.acquire(0)).toMatchObject({ type: 'denied', cause: 'completed' });
    expect(b.observe().held).toBe(false);
    const later = openLease(stateDir, 'c');
    expect(await granted(later.acquire(0))).toBe(2);
  });

  it('forgets the completion of an earlier boot', async () => {
    const stateDir = temporaryDirectory();
    const a = openLease(stateDir, 'a');
    writeFileSync(a.paths.completed, JSON.stringify({ epoch: 1, atMs: 1e15, bootId: 'earlier' }));
    expect(await granted(a.acquire(0))).toBe(1);
  });
});

describe('verifying', () => {
  it('holds, and changes the touch that others see', async () => {
    const stateDir = temporaryDirectory();
    const a = openLease(stateDir, 'a');
    const b = openLease(stateDir, 'b');
    await granted(a.acquire(0));
    const before = b.observe().touch;
    const after = await eventually(() => {
      expect(a.verify()).toEqual({ type: 'held' });
      const { touch } = b.observe();
      return touch === before ? undefined : touch;
    });
    expect(after).toMatch(/^\d+$/);
  });

  it.each([
    ['primary.lock', /primary\.lock was removed or replaced/],
    ['workload.lock', /workload\.lock was removed or replaced/],
  ])('tells that %s was replaced, also under the same name', async (name, cause) => {
    const a = openLease(temporaryDirectory(), 'a');
    await granted(a.acquire(0));
    const path = join(a.paths.directory, name);
    rmSync(path);
    writeFileSync(path, '');
    const outcome = a.verify();
    expect(outcome.type === 'lost' && outcome.cause).toMatch(cause);
    await expect(a.advanceEpoch(0)).rejects.toMatchObject({ code: 'FAILOVER_LEASE_LOST' });
  });

  it('looks at its lock alone where that is enough, and where it is told of all else', async () => {
    const a = openLease(temporaryDirectory(), 'a');
    a.watch(() => undefined);
    await granted(a.acquire(0));
    await new Promise((resolve) => setImmediate(resolve));
    const touchedAt = (): number => statSync(a.paths.primaryLock).mtimeMs;
    const before = touchedAt();
    await eventually(() => {
      expect(a.verify('lock')).toEqual({ type: 'held' });
      return touchedAt() > before ? true : undefined;
    });
    // Nothing is told before this test waits for something.
    rmSync(a.paths.workloadLock);
    expect(a.verify('lock')).toEqual({ type: 'held' });
    expect(a.verify().type).toBe('lost');
    rmSync(a.paths.primaryLock);
    writeFileSync(a.paths.primaryLock, '');
    expect(a.verify('lock')).toEqual({
      type: 'lost',
      cause: 'primary.lock was removed or replaced',
    });
  });

  it('looks at everything where nothing is told', async () => {
    const a = openLease(temporaryDirectory(), 'a');
    await granted(a.acquire(0));
    rmSync(a.paths.workloadLock);
    expect(a.verify('lock').type).toBe('lost');
  });

  it('tells that the directory was removed or replaced, and releases all the same', async () => {
    const stateDir = temporaryDirectory();
    const a = openLease(stateDir, 'a');
    await granted(a.acquire(0));
    rmSync(a.paths.directory, { recursive: true });
    const removed = a.verify();
    expect(removed.type === 'lost' && removed.cause).toMatch(/was removed$/);
    // It was made anew, so that the epochs go on in it.
    const replaced = a.verify();
    expect(replaced.type === 'lost' && replaced.cause).toMatch(
      /was replaced by another directory$/,
    );
    await a.release();
    expect(await granted(a.acquire(1))).toBe(2);
  });

  it('tells that a higher epoch was recorded: by a node that knew of it before a removal', async () => {
    const stateDir = temporaryDirectory();
    const former = openLease(stateDir, 'former');
    await granted(former.acquire(6));
    await former.release();
    rmSync(former.paths.directory, { recursive: true });
    // It knows of nothing, and is first.
    const environment = { findFormerNotes: () => ({ epoch: 0, lockfile: null, holders: [] }) };
    const newcomer = openLease(stateDir, 'newcomer', { environment });
    expect(await granted(newcomer.acquire(0))).toBe(1);
    expect(newcomer.verify()).toEqual({ type: 'held' });
    former.observe();
    const outcome = newcomer.verify();
    expect(outcome).toEqual({
      type: 'lost',
      cause: 'epoch 7 was recorded while this node held 1',
    });
    await expect(newcomer.advanceEpoch(0)).rejects.toMatchObject({ code: 'FAILOVER_LEASE_LOST' });
    await newcomer.release();
    expect(await granted(newcomer.acquire(0))).toBe(8);
  });
});

describe('the lockfile', () => {
  it('of somebody else denies the lease and is left alone', async () => {
    const stateDir = temporaryDirectory();
    const a = openLease(stateDir, 'a');
    mkdirSync(a.paths.lockfile);
    expect(await a.acquire(0)).toMatchObject({ type: 'denied', cause: 'foreign-lockfile' });
    expect(existsSync(a.paths.lockfile)).toBe(true);
    expect(a.observe()).toMatchObject({ held: false, epoch: 0 });
    rmSync(a.paths.lockfile, { recursive: true });
    expect(await granted(a.acquire(0))).toBe(1);
  });

  it('of somebody else goes after it was seen unchanged for long on the own clock', async () => {
    let now = 0;
    const a = openLease(temporaryDirectory(), 'a', { environment: { now: () => now } });
    mkdirSync(a.paths.lockfile);
    expect((await a.acquire(0)).type).toBe('denied');
    now = 29_999;
    expect((await a.acquire(0)).type).toBe('denied');
    now = 30_000;
    expect((await a.acquire(0)).type).toBe('granted');
  });
});

describe('a lost race', () => {
  it('leaves nothing held when the claim can not be linked', async () => {
    const a = openLease(temporaryDirectory(), 'a');
    const moved = `${a.paths.epochs}.moved`;
    renameSync(a.paths.epochs, moved);
    // A name that leads nowhere: nothing can be made there.
    symlinkSync('nowhere', a.paths.epochs);
    expect(await a.acquire(0)).toMatchObject({ type: 'denied', cause: 'lost-race' });
    expect(a.observe().held).toBe(false);
    expect(existsSync(a.paths.lockfile)).toBe(false);
    rmSync(a.paths.epochs);
    renameSync(moved, a.paths.epochs);
    expect(await granted(a.acquire(0))).toBe(1);
  });

  it('keeps the last 16 epochs and never gives a number twice', async () => {
    const a = openLease(temporaryDirectory(), 'a');
    await granted(a.acquire(0));
    for (let epoch = 2; epoch <= 20; epoch += 1) expect(await a.advanceEpoch(0)).toBe(epoch);
    const kept = (): number[] => readdirSync(a.paths.epochs).map(Number);
    // The oldest go when the claims are over.
    await eventually(() => (kept().length <= 16 ? true : undefined));
    expect(kept().sort((x, y) => x - y)).toEqual(
      Array.from({ length: 16 }, (_, index) => index + 5),
    );
    // A number below the newest that was pruned is free again as a name, not as an epoch.
    linkSync(join(a.paths.claims, readdirSync(a.paths.claims)[0] ?? ''), join(a.paths.epochs, '3'));
    expect(await a.advanceEpoch(0)).toBe(21);
  });
});

describe('closing', () => {
  it('forgets the node and gives the lease back', async () => {
    const stateDir = temporaryDirectory();
    const a = openLease(stateDir, 'a');
    await granted(a.acquire(0));
    await a.close();
    await a.close();
    expect(a.local.listNodes()).toEqual([]);
    expect(readdirSync(a.paths.claims)).toEqual([]);
    expect(peekGroup(stateDir, 'web')?.observation).toMatchObject({ held: false, epoch: 1 });
  });

  it('leaves no descriptor open', async () => {
    const stateDir = temporaryDirectory();
    const before = readdirSync('/proc/self/fd').length;
    const a = openLease(stateDir, 'a');
    await granted(a.acquire(0));
    await a.advanceEpoch(0);
    a.observe();
    await a.release();
    await a.close();
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
  });
});

/** The descriptor with which this process has a file locked. */
function lockedOn(path: string): number {
  const found = findLockHolders(path, [process.pid])[0];
  if (found === undefined) throw new Error(`${path} is not locked`);
  return found.fd;
}
