// A simulated server of leases that loses what it knew: what it gives to whom after that, and what it learns anew.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { transition } from '../../src/core/transition.ts';
import type { Life } from '../../src/simulation/life.ts';
import type { TimedStore } from '../../src/simulation/timed-store.ts';
import { readTranscript } from '../../src/simulation/transcript.ts';
import { World } from '../../src/simulation/world.ts';

const KEPT = join(import.meta.dirname, 'regressions', 'granted-within-a-tick-of-a-thaw.jsonl');

/** By then the first node leads. */
const LEADS_MS = 2_000;

interface Scene {
  readonly world: World;
  readonly store: TimedStore;
  /** Leads, and stands still from then on. */
  readonly a: Life;
  readonly b: Life;
  readonly ttlMs: number;
}

function scene(): Scene {
  const world = new World({
    plan: readTranscript(readFileSync(KEPT, 'utf8')),
    transition,
    tell: null,
  });
  world.start(0);
  world.timeline.runUntil(LEADS_MS);
  const [a, store] = [present(world.life(0)), present(world.store)];
  expect(store.holder).toBe(a);
  a.stop(Infinity, { uninterruptible: false });
  world.start(1);
  const b = present(world.life(1));
  b.stop(Infinity, { uninterruptible: false });
  return { world, store, a, b, ttlMs: present(world.timedLease).ttlMs };
}

describe('a simulated store that is started without its data', () => {
  it('gives nobody a lease for as long as one could last that it has forgotten', () => {
    const { world, store, b, ttlMs } = scene();
    store.forgetSince(Number.NEGATIVE_INFINITY);
    const asked = { floor: 0, ttlMs, said: 0 };
    expect(store.claim(b, store.newToken(), asked)).toEqual({ type: 'denied', cause: 'held' });
    expect(store.holder).toBeNull();
    // The clock of the server may run fast or slow.
    world.timeline.runUntil(world.at + 0.99 * ttlMs);
    expect(store.claim(b, store.newToken(), asked)).toMatchObject({ type: 'denied' });
    world.timeline.runUntil(world.at + 0.02 * ttlMs);
    expect(store.claim(b, store.newToken(), asked)).toMatchObject({ type: 'granted', epoch: 1 });
  });

  it('was told of an epoch by who asked since it knows of it, and not by who asked before', () => {
    const { world, store, b, ttlMs } = scene();
    store.forgetSince(Number.NEGATIVE_INFINITY);
    store.isForgetful = false;
    const asks = (): void => {
      b.lease.look();
      world.timeline.runUntil(world.at + ttlMs / 2);
    };
    asks();
    b.lease.saw(7);
    expect(b.lease.toldEpoch).toBe(0);
    asks();
    expect(b.lease.toldEpoch).toBe(7);
  });

  it('learns the highest epoch from who looks, and from who claims', () => {
    const { store, b, ttlMs } = scene();
    store.forgetSince(Number.NEGATIVE_INFINITY);
    expect(store.epoch).toBe(0);
    expect(store.look(7).epoch).toBe(7);
    store.claim(b, store.newToken(), { floor: 9, ttlMs, said: 9 });
    expect(store.look(0).epoch).toBe(9);
  });

  it('is held to an epoch that one has told it of', () => {
    const { world, store, a, b, ttlMs } = scene();
    const known = store.epoch;
    store.forgetSince(Number.NEGATIVE_INFINITY);
    a.suspension.continue();
    world.timeline.runUntil(world.at + 2 * ttlMs);
    expect(store.look(0).epoch).toBeGreaterThanOrEqual(known);
    expect(b.lease.toldEpoch).toBe(0);
    expect(world.toldEpoch).toBeGreaterThanOrEqual(known);
  });
});

describe('a simulated store whose place a replica takes', () => {
  it('knows what it knew then, and waits for the end of what it may have forgotten', () => {
    const { world, store, a, b, ttlMs } = scene();
    const { epoch, expires } = { epoch: store.epoch, expires: world.at + 1.02 * ttlMs };
    world.timeline.runUntil(expires);
    expect(store.holder).toBeNull();
    const asked = { floor: 0, ttlMs, said: 0 };
    expect(store.claim(b, store.newToken(), asked)).toMatchObject({ epoch: epoch + 1 });
    world.timeline.runUntil(world.at + 10);
    store.forgetSince(world.at - 20);
    expect(store.epoch).toBe(epoch);
    expect(store.observe().holder).toEqual(a.holder);
    expect(store.claim(a, store.newToken(), asked)).toEqual({ type: 'denied', cause: 'held' });
    expect(store.observe().held).toBe(true);
  });

  it('takes no lease for held that was given back', () => {
    const { world, store, b, ttlMs } = scene();
    world.timeline.runUntil(world.at + 1.02 * ttlMs);
    const token = store.newToken();
    store.claim(b, token, { floor: 0, ttlMs, said: 0 });
    world.timeline.runUntil(world.at + 10);
    store.release(token);
    store.forgetSince(world.at - 5);
    expect(store.observe().held).toBe(true);
    expect(store.holder).toBeNull();
  });
});

function present<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('it is not there');
  return value;
}
