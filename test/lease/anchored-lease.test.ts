// A lease on a server, with what its node's own machine knows.
import { expect, it, onTestFinished } from 'vitest';
import type { LeaseObservation } from '../../src/core/state.ts';
import { AnchoredLease } from '../../src/lease/anchored-lease.ts';
import { highestEpoch } from '../../src/lease/file/epoch.ts';
import type { FormerNotes } from '../../src/lease/file/former-notes.ts';
import { WHOLE_MACHINE } from '../../src/lease/file/foundation.ts';
import { LocalGroup } from '../../src/lease/file/local-group.ts';
import type { LeaseKind } from '../../src/lease/lease-store.ts';
import type { RemoteStore } from '../../src/lease/remote-store.ts';
import {
  eventually,
  granted,
  openLease,
  ownRecord,
  temporaryDirectory,
} from './support/fixtures.ts';

const GRANTED = { askedAt: 0, ttlMs: 3_000 };

it('claims above all epochs on record here, also those of another kind of lease', async () => {
  const stateDir = temporaryDirectory();
  const file = openLease(stateDir, 'file');
  await granted(file.acquire(41));
  await file.close();
  const { lease, floors } = anchored(stateDir);
  await lease.acquire(0);
  await lease.acquire(99);
  expect(floors).toEqual([42, 99]);
});

it('puts a granted epoch on record here, for the next claim of this machine', async () => {
  const stateDir = temporaryDirectory();
  const first = anchored(stateDir);
  await first.lease.acquire(6);
  await eventually(() => (highestEpoch(first.local.paths.epochs) === 7 ? true : undefined));
  await first.lease.close();
  const second = anchored(stateDir);
  await second.lease.acquire(0);
  expect(second.floors).toEqual([7]);
});

it('remembers what it has heard of, where there is no server', async () => {
  const { lease, local, remote } = anchored(temporaryDirectory(), { kind: 'peers' });
  remote.seen = { ...remote.seen, epoch: 9 };
  await lease.look();
  await eventually(() => (highestEpoch(local.paths.epochs) === 9 ? true : undefined));
});

it('believes no server that shows less than was seen before', async () => {
  const { lease, remote } = anchored(temporaryDirectory());
  remote.seen = { ...remote.seen, epoch: 8 };
  expect((await lease.look()).epoch).toBe(8);
  remote.seen = { ...remote.seen, epoch: 2 };
  expect((await lease.look()).epoch).toBe(8);
});

it('says of a holder that nothing connects to it from here', async () => {
  const { lease, remote } = anchored(temporaryDirectory());
  const endpoints = { bus: 'ipc:///nowhere/a.bus', rpc: 'ipc:///nowhere/a.rpc' };
  const holder = { node: 'z', run: 'z1', endpoints };
  remote.seen = { ...remote.seen, epoch: 3, held: true, holder };
  expect((await lease.look()).holder).toEqual({ ...holder, apart: true });
});

it('searches the machine for removed lock files once, however high the epochs of the server are', async () => {
  const stateDir = temporaryDirectory();
  const first = anchored(stateDir);
  await first.lease.acquire(6);
  await eventually(() => (highestEpoch(first.local.paths.epochs) === 7 ? true : undefined));
  const { lease, remote, searched } = anchored(stateDir, { node: 'b' });
  remote.seen = { ...remote.seen, epoch: 8 };
  for (let look = 0; look < 3; look += 1) await lease.look();
  await lease.acquire(8);
  expect(searched()).toBe(1);
});

it('does not search the machine when it steps down either', async () => {
  let nowMs = 0;
  const { lease, searched } = anchored(temporaryDirectory(), { now: () => nowMs });
  await lease.acquire(0);
  for (let beat = 0; beat < 10; beat += 1) {
    nowMs += 1_000;
    lease.verify();
  }
  await lease.look();
  expect(searched()).toBe(1);
});

it('is lost when the deadline of its guard has passed, whatever the server said last', async () => {
  const { lease, keeper } = anchored(temporaryDirectory());
  await lease.acquire(0);
  expect(lease.verify()).toEqual({ type: 'held' });
  keeper.over = true;
  expect(lease.verify()).toEqual({ type: 'lost', cause: 'its time to live is over' });
});

it('tells the guard that the term is over before it gives the lease back', async () => {
  const { lease, keeper, said } = anchored(temporaryDirectory());
  await lease.acquire(0);
  said.length = 0;
  keeper.over = false;
  await lease.release();
  expect(said).toEqual(['rest', 'release']);
});

interface Fake {
  readonly lease: AnchoredLease;
  readonly local: LocalGroup;
  readonly floors: number[];
  readonly said: string[];
  readonly keeper: { over: boolean };
  readonly remote: { seen: LeaseObservation };
  /** How often the machine was searched for files that were removed. */
  readonly searched: () => number;
}

/** With a server that grants everything. */
function anchored(
  stateDir: string,
  {
    node = 'a',
    kind = 'redis',
    ...clock
  }: { readonly node?: string; readonly kind?: LeaseKind; readonly now?: () => number } = {},
): Fake {
  let searches = 0;
  const findFormerNotes = (directory: string): FormerNotes => {
    searches += 1;
    return WHOLE_MACHINE.findFormerNotes(directory);
  };
  const record = ownRecord(node);
  const environment = { findFormerNotes, ...clock };
  const local = new LocalGroup({ stateDir, record, notesEpochs: false, environment });
  const said: string[] = [];
  const floors: number[] = [];
  const remote = {
    kind,
    guards: [kind],
    seen: {
      epoch: 0,
      held: false,
      holder: null,
      recordUnreadable: false,
      touch: null,
      paused: false,
    },
    acquire: (floor: number) => {
      floors.push(floor);
      return Promise.resolve({
        type: 'granted',
        epoch: floor + 1,
        previous: null,
        granted: GRANTED,
      });
    },
    look: () => Promise.resolve(remote.seen),
    learn: () => undefined,
    verify: () => ({ type: 'held' }),
    release: () => {
      said.push('release');
      return Promise.resolve({ heldBy: null });
    },
    close: () => Promise.resolve(),
  };
  const keeper = {
    over: false,
    rest: () => said.push('rest'),
    isOver: () => keeper.over,
    close: () => said.push('close'),
  };
  // Nothing else of it is used here.
  const store = remote as unknown as RemoteStore;
  const warn = (): void => undefined;
  const lease = new AnchoredLease({ local, remote: store, keeper, warn });
  onTestFinished(() => lease.close());
  return { lease, local, floors, said, keeper, remote, searched: () => searches };
}
