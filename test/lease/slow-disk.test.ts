// A disk that takes its time over each flush: the loop that renews a lease with a time to live does not wait for it.
import { mkdirSync, writeFileSync } from 'node:fs';
import type fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { runOptionsOf } from '../../src/config/run-options.ts';
import { AnchoredLease } from '../../src/lease/anchored-lease.ts';
import { highestEpoch } from '../../src/lease/file/epoch.ts';
import { groupPaths } from '../../src/lease/file/group-paths.ts';
import { LocalGroup } from '../../src/lease/file/local-group.ts';
import { NO_WORD } from '../../src/lease/peers/about.ts';
import { GroupWords } from '../../src/lease/peers/group-words.ts';
import { KeptWord } from '../../src/lease/peers/kept-word.ts';
import { peersOpener } from '../../src/lease/peers/open-peers.ts';
import type { PeersLease } from '../../src/lease/peers/peers-lease.ts';
import type { RemoteStore } from '../../src/lease/remote-store.ts';
import { BootClock } from '../../src/runtime/boot-clock.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';
import { ownRecord, temporaryDirectory } from './support/fixtures.ts';

const disk = vi.hoisted(() => ({
  /** How often this thread was kept for a flush. */
  waits: 0,
  /** What waits for one on another; null: nothing does. */
  flushes: null as ((error: Error | null) => void)[] | null,
  /** Whether no name can be added. */
  isReadOnly: false,
}));

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof fs>();
  return {
    ...original,
    fsyncSync: (fd: number) => {
      disk.waits += 1;
      original.fsyncSync(fd);
    },
    fsync: (fd: number, done: (error: Error | null) => void) => {
      if (disk.flushes === null) original.fsync(fd, done);
      else disk.flushes.push(done);
    },
    linkSync: (...args: Parameters<typeof original.linkSync>) => {
      if (disk.isReadOnly) throw Object.assign(new Error('EROFS'), { code: 'EROFS' });
      original.linkSync(...args);
    },
  };
});

afterEach(() => {
  Object.assign(disk, { waits: 0, flushes: null, isReadOnly: false });
});

const TTL_MS = 600;
const GRANTED = {
  type: 'granted',
  epoch: 7,
  previous: null,
  granted: { askedAt: 0, ttlMs: 3_000 },
};

it('puts the epoch of a server on record on another thread', async () => {
  const { lease, local, warnings } = anchored();
  disk.waits = 0;
  const flushes: ((error: Error | null) => void)[] = [];
  disk.flushes = flushes;
  await lease.acquire(6);
  await until('it is flushed', () => flushes.length === 1);
  expect(highestEpoch(local.paths.epochs)).toBe(7);
  expect(disk.waits).toBe(0);
  flushes[0]?.(null);
  expect(warnings).toEqual([]);
});

it('says so where the epoch of a server can not be put on record, and goes on', async () => {
  const { lease, local, warnings } = anchored();
  disk.isReadOnly = true;
  expect(await lease.acquire(6)).toMatchObject({ type: 'granted' });
  await until('it is said', () => warnings.length > 0);
  expect(warnings).toEqual([
    'could not put epoch 7 on record, so epochs may go back: ' +
      `Cannot record epoch 7 in ${local.paths.epochs}: the file system is read-only`,
  ]);
});

it('counts a term among peers from when its epoch is on the disk, and not while it waits for that', async () => {
  const { lease, local } = await alone();
  disk.waits = 0;
  const flushes: ((error: Error | null) => void)[] = [];
  disk.flushes = flushes;
  const acquired = lease.acquire(0);
  await until('its epoch is flushed', () => flushes.length === 1);
  expect(lease.observe().held).toBe(true);
  const flushedAt = CLOCK.now();
  flushes[0]?.(null);
  const outcome = await acquired;
  if (outcome.type !== 'granted') throw new Error('it was denied');
  expect(outcome.granted?.askedAt).toBeGreaterThanOrEqual(flushedAt);
  expect(highestEpoch(local.paths.epochs)).toBe(outcome.epoch);
  const advanced = lease.advanceEpoch(0);
  await until('the next one is flushed', () => flushes.length === 2);
  flushes[1]?.(null);
  expect(await advanced).toBe(outcome.epoch + 1);
  expect(disk.waits).toBe(0);
});

it('gives a term among peers up whose epoch can not be put on record', async () => {
  const { lease } = await alone();
  disk.isReadOnly = true;
  await expect(lease.acquire(0)).rejects.toMatchObject({
    code: 'FAILOVER_STATE_DIR_NOT_WRITABLE',
    message: expect.stringContaining('Cannot record epoch 1 in ') as unknown,
  });
  expect(lease.observe().held).toBe(false);
  disk.isReadOnly = false;
  expect(await lease.acquire(0)).toMatchObject({ type: 'granted', epoch: 2 });
});

it('waits for no disk with a term among peers that is given up', async () => {
  const { lease } = await alone();
  const flushes: ((error: Error | null) => void)[] = [];
  disk.flushes = flushes;
  const acquired = lease.acquire(0);
  await until('its epoch is flushed', () => flushes.length === 1);
  await lease.release();
  expect(await acquired).toMatchObject({ type: 'denied', cause: 'lost-race' });
  flushes[0]?.(new Error('EIO'));
});

it('keeps what was said to a group on another thread, and the last of it', async () => {
  const paths = groupPaths(temporaryDirectory());
  mkdirSync(paths.marks);
  const kept = new KeptWord(paths);
  const words = new GroupWords(kept, 'a');
  const flushes: ((error: Error | null) => void)[] = [];
  disk.flushes = flushes;
  const peer = peerThatSays({ number: 1, node: 'b', pausedBy: 'first' });
  words.hear([peer], false);
  words.hear([peerThatSays({ number: 2, node: 'b', pausedBy: 'second' })], false);
  await until('the disk is asked', () => flushes.length === 1);
  words.hear([peerThatSays({ number: 3, node: 'b', pausedBy: 'third' })], false);
  const said = words.say({ completed: 4 });
  disk.flushes = null;
  flushes[0]?.(null);
  await said;
  expect(disk.waits).toBe(0);
  const last = { number: 4, node: 'a', pausedBy: 'third', completed: 4 };
  expect(words.latest).toEqual(last);
  expect(new KeptWord(paths).read()).toEqual(last);
});

it('says to a group what comes after what others have said meanwhile', async () => {
  const paths = groupPaths(temporaryDirectory());
  mkdirSync(paths.marks);
  const words = new GroupWords(new KeptWord(paths), 'a');
  const flushes: ((error: Error | null) => void)[] = [];
  disk.flushes = flushes;
  const said = words.say({ pausedBy: 'me' });
  await until('the disk is asked', () => flushes.length === 1);
  words.hear([peerThatSays({ number: 1, node: 'b', pausedBy: null })], false);
  disk.flushes = null;
  flushes[0]?.(null);
  await said;
  expect(words.latest).toMatchObject({ number: 2, pausedBy: 'me' });
});

const CLOCK = new BootClock();

function peerThatSays(word: object): Parameters<GroupWords['hear']>[0][number] {
  const about = JSON.stringify({ word: { ...NO_WORD, ...word } });
  // Nothing else of it is read here.
  return { node: 'b', run: 'b1', about } as Parameters<GroupWords['hear']>[0][number];
}

/** With a server that grants everything. */
function anchored(): {
  readonly lease: AnchoredLease;
  readonly local: LocalGroup;
  readonly warnings: readonly string[];
} {
  const record = ownRecord('a');
  const local = new LocalGroup({ stateDir: temporaryDirectory(), record, notesEpochs: false });
  const remote = {
    ...{ kind: 'redis', guards: [], learn: () => undefined },
    acquire: () => Promise.resolve(GRANTED),
    close: () => Promise.resolve(),
  };
  const keeper = { rest: () => undefined, isOver: () => false, close: () => undefined };
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  // Nothing else of it is used here.
  const store = remote as unknown as RemoteStore;
  const lease = new AnchoredLease({ local, remote: store, keeper, warn });
  onTestFinished(() => lease.close());
  return { lease, local, warnings };
}

/** The only node of a group of peers, which leads as soon as it has listened. */
async function alone(): Promise<{ readonly lease: PeersLease; readonly local: LocalGroup }> {
  const local = new LocalGroup({
    ...{ stateDir: temporaryDirectory(), record: ownRecord('a'), notesEpochs: false },
  });
  const address = `http://127.0.0.1:${String(await freePort())}`;
  const secretFile = join(temporaryDirectory(), 'secret');
  writeFileSync(secretFile, 'no stranger knows this', { mode: 0o600 });
  const options = runOptionsOf({
    ...{ lease: 'peers', peers: address, secretFile, leaseTtlMs: TTL_MS, leaseTickMs: 100 },
    command: ['true'],
  });
  const record = { ...ownRecord('a'), startedAt: '' };
  const now = (): number => CLOCK.now();
  const store = { group: 'g', record, ttlMs: TTL_MS, requestTimeoutMs: 100, now };
  const keepEpoch = (epoch: number): Promise<void> => local.foundation.keepEpoch(epoch);
  const lease = peersOpener(options, CLOCK)(store, { paths: local.paths, keepEpoch });
  onTestFinished(async () => {
    await lease.close();
    local.close();
  });
  await lease.begin();
  return { lease, local };
}
