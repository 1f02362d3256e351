// Two nodes that agree on a lease over HTTP: who has it, who is denied, and what a good-bye in the name of one does.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { runOptionsOf } from '../../../src/config/run-options.ts';
import { FailoverError } from '../../../src/errors.ts';
import { giveBack } from '../../../src/guard/give-back.ts';
import { groupPaths } from '../../../src/lease/file/group-paths.ts';
import { peersOpener } from '../../../src/lease/peers/open-peers.ts';
import type { PeersLease } from '../../../src/lease/peers/peers-lease.ts';
import { BootClock } from '../../../src/runtime/boot-clock.ts';
import { freePort } from '../../support/free-port.ts';

const TTL_MS = 3_000;
const REQUEST_MS = 500;

it('keep one lease: by what they hear, and by a good-bye that somebody else says for one of them', async () => {
  const { a, b, open } = await pairOfPeers();
  await Promise.all([a.begin(), b.begin()]);
  const second = open('a', {
    run: 'a2',
    peerAddress: `http://127.0.0.1:${String(await freePort())}`,
  });
  await expect(second.begin()).rejects.toThrow('has that id');
  expect(a.observe()).toMatchObject({ held: false, holder: null, epoch: 0 });
  expect(a.observe().notBefore).toBeGreaterThan(0);

  // Both claim while they only listen yet: the lower id has it.
  const [ofB, ofA] = await Promise.all([b.acquire(0), a.acquire(4)]);
  expect(ofA).toMatchObject({ type: 'granted', epoch: 5, granted: { ttlMs: TTL_MS } });
  expect(ofB).toMatchObject({ type: 'denied', cause: 'held' });
  expect(await b.acquire(0)).toMatchObject({
    observation: { held: true, holder: { node: 'a', run: 'a1', endpoints: { bus: 'ipc://a' } } },
  });
  expect(await a.renew(REQUEST_MS)).toMatchObject({ type: 'renewed', ttlMs: TTL_MS });
  expect([a.verify().type, b.verify().type]).toEqual(['held', 'lost']);
  expect(await a.advanceEpoch(0)).toBe(6);
  expect(await a.listNodes()).toMatchObject([{ node: 'a' }, { node: 'b', host: 'h' }]);

  await b.setPaused(true, 'me@here');
  expect(a.observe().paused).toBe(true);
  await a.setPaused(false, '');
  expect(b.observe().paused).toBe(false);

  // An order of a term that was given up since changes nothing.
  const old = a.returnOrder();
  await a.release();
  expect(a.returnOrder()).toBeNull();
  const again = await a.acquire(0);
  expect(again).toMatchObject({ type: 'granted', epoch: 7 });
  if (old === null) throw new Error('there was no order');
  await giveBack(old);
  expect(await b.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });

  // That of the present one is heard by all, as if the node had left.
  const order = a.returnOrder();
  if (order === null) throw new Error('there is no order');
  expect(await giveBack(order)).toBe(true);
  expect(await b.acquire(0)).toMatchObject({ type: 'granted', epoch: 8, previous: 'a' });
  expect(await a.renew(REQUEST_MS)).toEqual({ type: 'lost', cause: 'b leads' });
  await expect(a.advanceEpoch(0)).rejects.toThrow(FailoverError);
  await a.release();
  expect(await a.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
  const events = (await b.readEvents(20)).map(({ node, action, epoch }) => [node, action, epoch]);
  expect(events).toContainEqual(['a', 'advanced', 6]);
  expect(events).toContainEqual(['a', 'left', 7]);
  expect(events).toContainEqual(['b', 'granted', 8]);

  // All of it is over, and a node that comes later has nothing to do with it.
  await b.markCompleted(8);
  expect(await a.acquire(0)).toMatchObject({ type: 'denied', cause: 'completed' });
});

it('keep the lease where the next epoch can not be put on record: what runs under the last is still to be stopped', async () => {
  const disk = { isFull: false };
  const keepEpoch = (): Promise<void> =>
    disk.isFull ? Promise.reject(new Error('ENOSPC')) : Promise.resolve();
  const { a, b } = await pairOfPeers({ keepEpoch });
  await Promise.all([a.begin(), b.begin()]);
  expect(await a.acquire(0)).toMatchObject({ type: 'granted', epoch: 1 });
  disk.isFull = true;
  await expect(a.advanceEpoch(0)).rejects.toThrow('ENOSPC');
  disk.isFull = false;
  expect(a.verify()).toEqual({ type: 'held' });
  expect(await b.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
  await a.release();
  expect(await b.acquire(0)).toMatchObject({ type: 'granted', epoch: 3, previous: 'a' });
});

it('advance no epoch of a term that is over by the time the disk has it', async () => {
  const disk = { hangs: false, answer: (): void => undefined };
  const keepEpoch = (): Promise<void> =>
    disk.hangs ? new Promise((resolve) => (disk.answer = resolve)) : Promise.resolve();
  const { a, b } = await pairOfPeers({ keepEpoch });
  await Promise.all([a.begin(), b.begin()]);
  expect(await a.acquire(0)).toMatchObject({ type: 'granted', epoch: 1 });
  disk.hangs = true;
  const advanced = a.advanceEpoch(0);
  disk.hangs = false;
  // Somebody says good-bye for it meanwhile.
  const order = a.returnOrder();
  if (order === null) throw new Error('there is no order');
  expect(await giveBack(order)).toBe(true);
  expect(await b.acquire(0)).toMatchObject({ type: 'granted', previous: 'a' });
  disk.answer();
  await expect(advanced).rejects.toMatchObject({ code: 'FAILOVER_LEASE_LOST' });
});

interface Pair {
  readonly a: PeersLease;
  readonly b: PeersLease;
  /** Another that shares their group, at the address of the node with that id unless one is given. */
  readonly open: (
    node: 'a' | 'b',
    as?: { readonly run?: string; readonly peerAddress?: string },
  ) => PeersLease;
}

/** Two that know each other's addresses, and have not begun yet. */
async function pairOfPeers({
  keepEpoch = () => Promise.resolve(),
}: { readonly keepEpoch?: (epoch: number) => Promise<void> } = {}): Promise<Pair> {
  const directory = mkdtempSync(join(tmpdir(), 'fo-'));
  const secretFile = join(directory, 'secret');
  writeFileSync(secretFile, 'no stranger knows this', { mode: 0o600 });
  const ports = { a: await freePort(), b: await freePort() };
  const urls = {
    a: `http://127.0.0.1:${String(ports.a)}`,
    b: `http://127.0.0.1:${String(ports.b)}`,
  };
  const open: Pair['open'] = (node, { run = `${node}1`, peerAddress = urls[node] } = {}) => {
    const peers = `${urls.a},${urls.b}`;
    const options = { lease: 'peers', peers, peerAddress, secretFile };
    const clock = new BootClock();
    const opener = peersOpener(runOptionsOf({ ...options, command: ['true'] }), clock);
    const paths = groupPaths(join(directory, run));
    mkdirSync(paths.marks, { recursive: true });
    const record = {
      ...({ node, run, host: 'h', version: '1', standby: 'cold', priority: 100 } as const),
      ...{ endpoints: { bus: `ipc://${node}`, rpc: `ipc://${node}` }, startedAt: '' },
    };
    const now = (): number => clock.now();
    const times = { ttlMs: TTL_MS, requestTimeoutMs: REQUEST_MS, now };
    return opener({ group: 'g', record, ...times }, { paths, keepEpoch });
  };
  const [a, b] = [open('a'), open('b')];
  onTestFinished(async () => {
    await Promise.all([a.close(), b.close()]);
    rmSync(directory, { recursive: true });
  });
  return { a, b, open };
}
