// What is of a timed lease in files alone: the place where they are, the clocks of those that look, and full disks.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { RemoteStore } from '../../../src/lease/remote-store.ts';
import type { Perform } from '../../../src/lease/timed-file/file-link.ts';
import { timedFileLease } from '../../../src/lease/timed-file/timed-file-lease.ts';
import { timedDirectory, timedPaths } from '../../../src/lease/timed-file/timed-paths.ts';
import { monotonicNow } from '../../../src/runtime/clock.ts';
import { eventually, granted } from '../../contracts/support/claims.ts';
import { addressOf, ledBefore } from '../../contracts/support/shared-directory.ts';
import { recordOf } from '../../contracts/support/stage.ts';
import { canMount, fillBlocks, mountSmall, unmount } from '../../support/small-disk.ts';
import { failureOf } from '../../support/failover-error.ts';
import { openLease, temporaryDirectory } from '../support/fixtures.ts';

// Longer than what has to come is waited for, which says then what did not.
vi.setConfig({ testTimeout: 120_000 });

const GROUP = 'web';
const TTL_MS = 5_000;
const UNREACHABLE = { code: 'FAILOVER_STORE_UNREACHABLE' };
const REFUSED = { code: 'FAILOVER_STORE_REFUSED', exitCode: 2 };

interface Changes {
  readonly now?: () => number;
  readonly ttlMs?: number;
  readonly requestTimeoutMs?: number;
  readonly perform?: Perform;
}

function opened(directory: string, node: string, changes: Changes = {}): RemoteStore {
  const { perform, ...times } = changes;
  const options = { ttlMs: TTL_MS, requestTimeoutMs: 5_000, now: monotonicNow, ...times };
  const about = { address: addressOf(directory), group: GROUP, record: recordOf(node) };
  const store = timedFileLease({ ...about, ...options }, perform);
  onTestFinished(() => store.close().catch(() => undefined));
  return store;
}

async function begun(directory: string, node: string, changes?: Changes): Promise<RemoteStore> {
  const store = opened(directory, node, changes);
  await store.begin();
  return store;
}

describe('its directory', () => {
  it('is never made: a share that is not mounted would be taken for an empty one', async () => {
    const directory = join(temporaryDirectory(), 'share');
    const store = await begun(directory, 'a');
    await expect(store.acquire(0)).rejects.toMatchObject(UNREACHABLE);
    await expect(store.acquire(0)).rejects.toThrow(
      'the directory does not exist, and it is not created automatically',
    );
    expect(existsSync(directory)).toBe(false);
    mkdirSync(directory);
    ledBefore(directory, GROUP);
    expect(await store.acquire(0)).toMatchObject({ type: 'granted' });
  });

  it('is another one while its share is away: nothing is claimed, and nothing made there', async () => {
    const directory = join(temporaryDirectory(), 'share');
    mkdirSync(directory);
    ledBefore(directory, GROUP);
    const [a, b] = [await begun(directory, 'a'), await begun(directory, 'b')];
    await granted(a);
    renameSync(directory, `${directory}.away`);
    mkdirSync(directory);
    await expect(a.renew(5_000)).rejects.toMatchObject(UNREACHABLE);
    await expect(b.look()).rejects.toMatchObject(UNREACHABLE);
    await expect(b.acquire(0)).rejects.toMatchObject(UNREACHABLE);
    expect(a.verify()).toEqual({ type: 'held' });
    expect(readdirSync(directory)).toEqual([]);
    rmSync(directory, { recursive: true });
    renameSync(`${directory}.away`, directory);
    expect(await a.renew(5_000)).toMatchObject({ type: 'renewed' });
  });

  it('has nobody that leads by kernel locks, and is left by those that would', async () => {
    const [kernel, timed] = [temporaryDirectory(), temporaryDirectory()];
    const plain = openLease(kernel, 'a');
    const late = await begun(kernel, 'b').catch((error: unknown) => error);
    expect(late).toMatchObject(REFUSED);
    expect(String(late)).toContain('has used a lease of kernel locks');
    // One that was refused is in nobody's way.
    expect(await plain.acquire(0)).toMatchObject({ type: 'granted' });
    await plain.release();
    mkdirSync(timedDirectory(kernel, GROUP));
    await expect(plain.acquire(0)).rejects.toMatchObject({ code: 'FAILOVER_SETTINGS_CONFLICT' });
    await begun(timed, 'a');
    expect(failureOf(() => openLease(timed, 'b'))).toMatchObject({
      code: 'FAILOVER_SETTINGS_CONFLICT',
      hint: expect.stringContaining('Set --lease-ttl') as string,
    });
  });

  it('is refused where a file can not have two names, which is what decides', async () => {
    const directory = temporaryDirectory();
    const perform: Perform = () =>
      Promise.reject(Object.assign(new Error('EOPNOTSUPP'), { code: 'EOPNOTSUPP' }));
    await expect(begun(directory, 'a', { perform })).rejects.toMatchObject(REFUSED);
  });

  it.each(['turns', 'claims', 'beats', 'epochs'] as const)(
    'is whole again after the loss of its %s alone, and somebody leads',
    async (lost) => {
      const directory = temporaryDirectory();
      ledBefore(directory, GROUP);
      let at = 0;
      const a = await begun(directory, 'a', { now: () => at });
      await granted(a);
      await a.release();
      rmSync(timedPaths(directory, GROUP)[lost], { recursive: true });
      const types: string[] = [];
      for (let attempt = 0; attempt < 4 && !types.includes('granted'); attempt += 1) {
        at += TTL_MS;
        types.push(await a.acquire(0).then(({ type }) => type, String));
      }
      expect(types).toContain('granted');
      expect(await a.renew(5_000)).toMatchObject({ type: 'renewed' });
    },
  );

  it('may have names that nobody can have counted up to: they are not ours', async () => {
    const directory = temporaryDirectory();
    ledBefore(directory, GROUP);
    const { turns, starts } = timedPaths(directory, GROUP);
    const a = await begun(directory, 'a');
    await granted(a);
    for (const path of [turns, starts]) {
      writeFileSync(join(path, String(Number.MAX_SAFE_INTEGER)), '');
    }
    expect(await a.renew(5_000)).toMatchObject({ type: 'renewed' });
    const b = await begun(directory, 'b');
    expect(await b.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
    await a.release();
    await granted(b);
  });

  it('is refused with the name of the last turn that can be counted', async () => {
    const directory = temporaryDirectory();
    ledBefore(directory, GROUP);
    let at = 0;
    const a = await begun(directory, 'a', { now: () => at });
    const last = join(timedPaths(directory, GROUP).turns, String(2 ** 40));
    writeFileSync(last, '');
    await a.look();
    at = TTL_MS;
    const refused = await a.acquire(0).catch((error: unknown) => error);
    expect(refused).toMatchObject(REFUSED);
    expect(String(refused)).toContain(`there is no turn after ${last}`);
  });

  it('keeps a bounded number of files, however often the lease changes hands', async () => {
    const directory = temporaryDirectory();
    ledBefore(directory, GROUP);
    const a = await begun(directory, 'a');
    for (let round = 0; round < 75; round += 1) {
      await granted(a);
      if (round < 74) await a.release();
    }
    const { turns, epochs, beats, claims, events } = timedPaths(directory, GROUP);
    await eventually(() => Promise.resolve(readdirSync(beats).length <= 70));
    for (const path of [turns, epochs, claims, events]) {
      expect(readdirSync(path).length).toBeLessThanOrEqual(70);
    }
    expect(await a.renew(5_000)).toMatchObject({ type: 'renewed' });
    expect(await a.advanceEpoch(0)).toBe(76);
  });
});

describe('its time to live', () => {
  it('is that of its holder, by the clock of each that looks: one that is ahead takes nothing', async () => {
    const directory = temporaryDirectory();
    ledBefore(directory, GROUP);
    const a = await begun(directory, 'a');
    const ahead = await begun(directory, 'b', { now: () => monotonicNow() + 1e9, ttlMs: 100 });
    const behind = await begun(directory, 'c', { now: () => monotonicNow() - 1e9, ttlMs: 100 });
    await granted(a);
    for (const store of [ahead, behind]) {
      expect(await store.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
    }
    let at = 0;
    const waiting = await begun(directory, 'd', { now: () => at, ttlMs: 100 });
    expect(await waiting.look()).toMatchObject({ held: true });
    at = TTL_MS - 1;
    expect(await waiting.acquire(0)).toMatchObject({ type: 'denied' });
    at = TTL_MS;
    expect(await waiting.acquire(0)).toMatchObject({ type: 'granted', epoch: 2, previous: 'a' });
    expect(await a.renew(5_000)).toEqual({ type: 'lost', cause: 'd has it' });
  });

  it('has to pass once where nothing is known: the files of one that leads may have been removed', async () => {
    const directory = temporaryDirectory();
    let at = 0;
    const a = await begun(directory, 'a', { now: () => at });
    expect(await a.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
    at = TTL_MS - 1;
    expect(await a.acquire(0)).toMatchObject({ type: 'denied' });
    at = TTL_MS;
    expect(await a.acquire(0)).toMatchObject({ type: 'granted', epoch: 1 });
    rmSync(timedDirectory(directory, GROUP), { recursive: true });
    expect(await a.renew(5_000)).toMatchObject({ type: 'lost' });
  });

  it('is as long as it was seen to be where its files are removed: one with a shorter time waits too', async () => {
    const directory = temporaryDirectory();
    ledBefore(directory, GROUP);
    let at = 0;
    const a = await begun(directory, 'a', { now: () => at });
    const b = await begun(directory, 'b', { now: () => at, ttlMs: 100 });
    await granted(a);
    expect(await b.look()).toMatchObject({ held: true });
    rmSync(timedDirectory(directory, GROUP), { recursive: true });
    expect(await b.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
    await b.look();
    at = TTL_MS - 1;
    expect(await b.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
    expect(a.verify()).toEqual({ type: 'held' });
    at = TTL_MS;
    expect(await b.acquire(0)).toMatchObject({ type: 'granted', epoch: 2 });
  });

  it('is over for its holder at once where its directory was emptied, its mark too', async () => {
    const directory = temporaryDirectory();
    ledBefore(directory, GROUP);
    const a = await begun(directory, 'a');
    await granted(a);
    for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true });
    expect(await a.renew(5_000)).toMatchObject({ type: 'lost' });
  });

  it('is not over for those who can not read whose turn it is, as long as somebody renews it', async () => {
    const directory = temporaryDirectory();
    ledBefore(directory, GROUP);
    let at = 0;
    const a = await begun(directory, 'a', { now: () => at });
    const b = await begun(directory, 'b', { now: () => at });
    await granted(a);
    writeFileSync(join(timedPaths(directory, GROUP).turns, '2'), 'no turn');
    expect(await b.look()).toMatchObject({ held: true });
    at = TTL_MS - 1;
    expect(await a.renew(5_000)).toMatchObject({ type: 'renewed' });
    at = TTL_MS;
    expect(await b.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
    at = 2 * TTL_MS;
    expect(await b.acquire(0)).toMatchObject({ type: 'granted' });
  });

  it('is not gone on with by a renewal that was done too late, though nobody else has it yet', async () => {
    const directory = temporaryDirectory();
    ledBefore(directory, GROUP);
    let [at, stepMs] = [0, 0];
    const a = await begun(directory, 'a', { now: () => (at += stepMs) });
    await granted(a);
    // It is begun in time.
    [at, stepMs] = [TTL_MS - 3, 1];
    expect(await a.renew(5_000)).toMatchObject({ type: 'lost' });
  });
});

describe('a renewal of which nobody knows what became of it', () => {
  it('has been seen by others, perhaps: the next changes the file again', async () => {
    const directory = temporaryDirectory();
    ledBefore(directory, GROUP);
    let at = 0;
    const a = await begun(directory, 'a', { now: () => at });
    const b = await begun(directory, 'b', { now: () => at });
    await granted(a);
    const { turns } = timedPaths(directory, GROUP);
    renameSync(turns, `${turns}.away`);
    writeFileSync(turns, '');
    at = 1_000;
    await expect(a.renew(5_000)).rejects.toMatchObject(REFUSED);
    rmSync(turns);
    renameSync(`${turns}.away`, turns);
    expect(await b.look()).toMatchObject({ held: true });
    at = 2_000;
    expect(await a.renew(5_000)).toMatchObject({ type: 'renewed' });
    expect(await b.look()).toMatchObject({ held: true });
    at = 1_000 + TTL_MS;
    expect(await b.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
  });
});

describe('a file system that does not answer', () => {
  it('keeps nobody waiting, and one request at a time: what was given up is not done later', async () => {
    const directory = temporaryDirectory();
    ledBefore(directory, GROUP);
    let isHung = false;
    const hung: (() => void)[] = [];
    const perform: Perform = async (act) => {
      if (isHung) await new Promise<void>((resolve) => hung.push(resolve));
      return act();
    };
    const a = await begun(directory, 'a', { perform, requestTimeoutMs: 100 });
    // That may take more than one request, on a busy machine.
    await eventually(async () => {
      await a.look();
      return (await a.listNodes()).length === 1;
    });
    isHung = true;
    const asked = await Promise.allSettled([a.look(), a.acquire(0), a.look()]);
    for (const { status, ...how } of asked) {
      expect(status).toBe('rejected');
      expect(String(Object.values(how)[0])).toContain('it does not answer');
    }
    expect(hung).toHaveLength(1);
    isHung = false;
    for (const goOn of hung) goOn();
    await eventually(async () => !(await a.look()).held);
    expect(readdirSync(timedPaths(directory, GROUP).turns)).toEqual(['1']);
  });

  it.runIf(canMount())(
    'for want of room lets its holder go on, and give the lease back',
    async () => {
      const directory = join(temporaryDirectory(), 'small');
      mountSmall(directory);
      onTestFinished(() => {
        unmount(directory);
      });
      ledBefore(directory, GROUP);
      const [a, b] = [await begun(directory, 'a'), await begun(directory, 'b')];
      await granted(a);
      const filling = fillBlocks(directory);
      expect(await a.renew(5_000)).toMatchObject({ type: 'renewed' });
      expect(await b.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
      await a.release();
      expect(await b.look()).toMatchObject({ held: false });
      rmSync(filling);
      expect(await b.acquire(0)).toMatchObject({ type: 'granted' });
    },
  );
});

describe('one that only looks', () => {
  it('sees no lease of a group that was never there, and makes nothing', async () => {
    const directory = temporaryDirectory();
    expect(await opened(directory, 'client').look()).toMatchObject({ held: false, epoch: 0 });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('sees a holder that has died without a word for what it is', async () => {
    const directory = temporaryDirectory();
    ledBefore(directory, GROUP);
    const a = await begun(directory, 'a', { ttlMs: 100 });
    await granted(a);
    const client = opened(directory, 'client');
    await eventually(async () => !(await client.look()).held);
    expect(await client.listNodes()).toMatchObject([{ node: 'a' }]);
  });
});
