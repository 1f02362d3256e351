// What every lease that a server keeps has to do, whatever the server: run against the real one.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { giveBack } from '../../src/guard/give-back.ts';
import type { RemoteStore } from '../../src/lease/remote-store.ts';
import { monotonicNow } from '../../src/runtime/clock.ts';
import { idContract } from './id-contract.ts';
import {
  ANSWER_MS,
  CONTRACT_TIMES,
  epochOf,
  eventually,
  granted,
  IMPATIENT_MS,
  inTime,
  ledOnce,
  roundsWanted,
  watching,
  withOwnServer,
} from './support/claims.ts';
import type { ContractTimes } from './support/claims.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { groupName, LONG_TTL_MS } from './support/stage.ts';
import type { OpenOptions, StoreUnderTest } from './support/stage.ts';

/** Far more than one takes of many that claim at once, and what is there before all of them. */
const ROUND_MS = 3_000;
const BEFORE_ROUNDS_MS = 120_000;

/** More than any claim takes of them, up to where it waits for the server. */
const MOST_TURNS = 12;

/** @param start one that is old enough to be trusted with what it knows for this long, ms */
export function leaseContract(
  start: (trustedMs: number) => Promise<StoreUnderTest>,
  how: ContractTimes = CONTRACT_TIMES,
): void {
  const { shortTtlMs, restartTtlMs, behindPooler = false, hasConnection = true } = how;
  const rounds = roundsWanted(how.rounds);
  let server: StoreUnderTest;
  let proxy: FaultProxy;
  let group: string;
  const opened: RemoteStore[] = [];

  beforeAll(async () => {
    server = await start(LONG_TTL_MS);
    proxy = await FaultProxy.to(() => server.port);
  });

  afterEach(async () => {
    server.thaw();
    proxy.heal();
    await Promise.allSettled(opened.splice(0).map((store) => store.close()));
  });

  afterAll(async () => {
    await proxy.close();
    await server.stop();
  });

  const open = async (node: string, options: Partial<OpenOptions> = {}): Promise<RemoteStore> => {
    const times = { ttlMs: LONG_TTL_MS, requestTimeoutMs: ANSWER_MS };
    const store = await server.open({ node, group, ...times, ...options });
    opened.push(store);
    return store;
  };

  const pair = async (options: Partial<OpenOptions> = {}): Promise<[RemoteStore, RemoteStore]> => {
    group = groupName();
    return [await open('a', options), await open('b', options)];
  };

  idContract(async (options) => {
    const store = await server.open(options);
    opened.push(store);
    return store;
  });

  describe('exclusive', () => {
    it(
      'is granted to exactly one of 20 that claim at once, many times, with rising epochs',
      async () => {
        group = groupName();
        const names = Array.from({ length: 20 }, (_, number) => `n${String(number)}`);
        const stores = await Promise.all(names.map((name) => open(name)));
        const epochs: number[] = [];
        for (let round = 0; round < rounds; round += 1) {
          const outcomes = await Promise.all(stores.map((store) => store.acquire(0)));
          const granted = outcomes.filter((outcome) => outcome.type === 'granted');
          expect(granted).toHaveLength(1);
          epochs.push(...granted.map(({ epoch }) => epoch));
          const holder = stores[outcomes.findIndex(({ type }) => type === 'granted')];
          await holder?.release();
        }
        expect(epochs).toEqual(Array.from({ length: rounds }, (_, index) => index + 1));
      },
      BEFORE_ROUNDS_MS + ROUND_MS * rounds,
    );

    it('names its holder to one that is denied, and the holder of before to the next', async () => {
      const [a, b] = await pair();
      expect(epochOf(await a.acquire(0))).toBe(1);
      const denied = await b.acquire(0);
      expect(denied).toMatchObject({ type: 'denied', cause: 'held' });
      expect(b.observe()).toMatchObject({ held: true, epoch: 1, holder: { node: 'a' } });
      await a.release();
      expect(await b.acquire(0)).toMatchObject({ type: 'granted', epoch: 2, previous: 'a' });
    });

    it('can be given back by another process, of that acquisition and no other', async () => {
      const [a, b] = await pair();
      await a.acquire(0);
      const order = a.returnOrder();
      if (order === null) throw new Error('there is no order');
      // It is told more than once, and the same is the same order.
      expect(a.returnOrder()).toEqual(order);
      expect(await giveBack(order)).toBe(true);
      expect(epochOf(await b.acquire(0))).toBe(2);
      expect(await giveBack(order)).toBe(true);
      expect(await b.renew(ANSWER_MS)).toMatchObject({ type: 'renewed' });
    });

    it('is not held any more by one that has given it back', async () => {
      const [a] = await pair();
      await a.acquire(0);
      expect(a.verify()).toEqual({ type: 'held' });
      expect(await a.release()).toEqual({ heldBy: null });
      expect(a.verify().type).toBe('lost');
      expect(a.returnOrder()).toBeNull();
      expect(await a.look()).toMatchObject({ held: false });
    });

    it('is not held by one that gives it back while it claims, however far that is', async () => {
      const [a, b] = await pair();
      await ledOnce(a);
      for (let turns = 0; turns < MOST_TURNS; turns += 1) {
        const claim = a.acquire(0);
        for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
        // A store that has given it back by then may know nothing of it.
        const [claimed] = await Promise.allSettled([claim, a.release()]);
        expect(claimed).not.toMatchObject({ value: { type: 'granted' } });
        expect(a.verify().type).toBe('lost');
        await granted(b);
        expect(a.verify().type).toBe('lost');
        await b.release();
      }
    });
  });

  describe('epochs', () => {
    it('go on above the floor of the one that claims', async () => {
      const [a, b] = await pair();
      expect(epochOf(await a.acquire(0))).toBe(1);
      await a.release();
      expect(epochOf(await b.acquire(41))).toBe(42);
      expect(await b.advanceEpoch(0)).toBe(43);
      expect(await b.advanceEpoch(99)).toBe(100);
      expect(await a.look()).toMatchObject({ epoch: 100 });
    });

    it('rise although the lease itself was lost', async () => {
      const [a, b] = await pair();
      expect(epochOf(await a.acquire(0))).toBe(1);
      await server.loseLease(group);
      expect(epochOf(await b.acquire(0))).toBe(2);
    });

    it('are advanced by the holder alone', async () => {
      const [a, b] = await pair();
      await a.acquire(0);
      await expect(b.advanceEpoch(0)).rejects.toMatchObject({ code: 'FAILOVER_LEASE_LOST' });
      await server.loseLease(group);
      await b.acquire(0);
      await expect(a.advanceEpoch(0)).rejects.toMatchObject({ code: 'FAILOVER_LEASE_LOST' });
      expect(await a.look()).toMatchObject({ epoch: 2, held: true });
    });
  });

  describe('of another', () => {
    it('is neither renewed nor given back', async () => {
      const [a, b] = await pair();
      await a.acquire(0);
      await server.loseLease(group);
      await b.acquire(0);
      expect(await a.renew(ANSWER_MS)).toEqual({ type: 'lost', cause: 'b has it' });
      expect(a.verify().type).toBe('lost');
      await a.release();
      expect(await b.renew(ANSWER_MS)).toMatchObject({ type: 'renewed' });
    });

    it('is not renewed by a node that claimed it twice, for its first acquisition', async () => {
      const [a, b] = await pair();
      await a.acquire(0);
      const renewing = a.renew(ANSWER_MS);
      const releasing = a.release();
      expect(await renewing).toEqual({ type: 'over' });
      await releasing;
      expect(await b.look()).toMatchObject({ held: false });
    });
  });

  describe('time to live', () => {
    it('is counted from before the request, and is what was granted', async () => {
      const [a] = await pair();
      const beforeMs = monotonicNow();
      const outcome = await a.acquire(0);
      const between = monotonicNow();
      expect(outcome).toMatchObject({ granted: { ttlMs: LONG_TTL_MS } });
      const askedAt = outcome.type === 'granted' ? (outcome.granted?.askedAt ?? 0) : 0;
      expect(askedAt >= beforeMs && askedAt <= between).toBe(true);
      const renewed = await a.renew(ANSWER_MS);
      const again = renewed.type === 'renewed' ? renewed.askedAt : 0;
      expect(again >= between && again <= monotonicNow()).toBe(true);
    });

    it('ends the lease of one that does not renew it: another gets it, and its renewal fails', async () => {
      const [a, b] = await pair({ ttlMs: shortTtlMs });
      await a.acquire(0);
      const outcome = await granted(b);
      expect(outcome.epoch).toBe(2);
      expect(await a.renew(ANSWER_MS)).toEqual({ type: 'lost', cause: 'b has it' });
    });

    it('is not begun again by a renewal that comes after its end', async () => {
      const [a, b] = await pair({ ttlMs: shortTtlMs });
      await a.acquire(0);
      await eventually(async () => !(await b.look()).held);
      const renewed = await a.renew(ANSWER_MS);
      expect(renewed).toEqual({ type: 'lost', cause: 'it has expired in the store' });
      expect(await b.look()).toMatchObject({ held: false });
    });

    it('goes on for one that renews it', () =>
      inTime(shortTtlMs, async (ttlMs) => {
        const [a, b] = await pair({ ttlMs });
        const outcome = await granted(a);
        let askedAt = outcome.granted?.askedAt ?? 0;
        const untilMs = askedAt + 3 * ttlMs;
        while (monotonicNow() < untilMs) {
          const [renewed, claimed] = [await a.renew(ANSWER_MS), await b.acquire(0)];
          // What is answered later than this may have ended.
          if (monotonicNow() >= askedAt + ttlMs) return false;
          expect([renewed.type, claimed.type]).toEqual(['renewed', 'denied']);
          askedAt = renewed.type === 'renewed' ? renewed.askedAt : askedAt;
        }
        return true;
      }));
  });

  describe('one that waits', () => {
    it.skipIf(behindPooler)(
      'is told when the lease is claimed, and when it is given back',
      async () => {
        const [a, b] = await pair();
        const told = watching(b);
        await b.look();
        await a.acquire(0);
        await told.next();
        await a.release();
        await told.next();
      },
    );

    it('is told when the lease has ended by itself', async () => {
      const [a, b] = await pair({ ttlMs: shortTtlMs });
      await granted(a);
      const told = watching(b);
      await eventually(async () => {
        // Each look sets the time anew: the claim itself may still be told of.
        const { held } = await b.look();
        if (held) await told.next();
        return !held;
      });
    });

    const again = 'is told again after its connection was cut: something may have happened';
    it.runIf(hasConnection)(again, async () => {
      group = groupName();
      const b = await open('b', { proxy });
      const told = watching(b);
      proxy.reset();
      await eventually(async () => (await b.look()).epoch === 0);
      await told.next();
    });
  });

  describe('a bad way to the server', () => {
    it('leaves no lease behind when the answer to a claim is lost', async () => {
      group = groupName();
      const a = await open('a', { proxy, requestTimeoutMs: IMPATIENT_MS });
      const b = await open('b');
      const before = await ledOnce(a);
      const sinceMs = monotonicNow();
      proxy.answers = 'lost';
      await expect(a.acquire(0)).rejects.toMatchObject({ code: 'FAILOVER_STORE_UNREACHABLE' });
      expect(a.verify().type).toBe('lost');
      proxy.heal();
      // As a node does whose claim has failed.
      await eventually(() => a.release().then(() => true));
      const outcome = await granted(b);
      // It did not have to end by itself.
      expect(monotonicNow() - sinceMs).toBeLessThan(LONG_TTL_MS);
      // The lost one may have been granted, and its epoch is spent then.
      expect(outcome.epoch).toBeGreaterThan(before);
    });

    it('does not count an answer to a claim that comes after its time', async () => {
      group = groupName();
      const a = await open('a', { proxy, requestTimeoutMs: IMPATIENT_MS });
      const b = await open('b');
      const before = await ledOnce(a);
      proxy.answers = 'late';
      await expect(a.acquire(0)).rejects.toMatchObject({ code: 'FAILOVER_STORE_UNREACHABLE' });
      proxy.heal();
      expect((await granted(b)).epoch).toBeGreaterThan(before);
      expect(a.verify().type).toBe('lost');
      expect(a.returnOrder()).toBeNull();
    });

    it('does not end a term by an answer to a renewal that is lost', async () => {
      group = groupName();
      const a = await open('a', { proxy, requestTimeoutMs: IMPATIENT_MS });
      await granted(a);
      proxy.answers = 'lost';
      await expect(a.renew(IMPATIENT_MS)).rejects.toMatchObject({
        code: 'FAILOVER_STORE_UNREACHABLE',
      });
      expect(a.verify()).toEqual({ type: 'held' });
      proxy.heal();
      await eventually(async () => (await a.renew(ANSWER_MS)).type === 'renewed');
    });

    it.each(['requests', 'answers'] as const)(
      'takes no longer than its time: lost %s',
      async (side) => {
        group = groupName();
        const a = await open('a', { proxy });
        await a.acquire(0);
        proxy[side] = 'lost';
        const sinceMs = monotonicNow();
        await expect(a.renew(IMPATIENT_MS)).rejects.toMatchObject({
          code: 'FAILOVER_STORE_UNREACHABLE',
        });
        const tookMs = monotonicNow() - sinceMs;
        expect(tookMs > IMPATIENT_MS / 2 && tookMs < ANSWER_MS).toBe(true);
      },
    );

    it('is made anew after a connection was reset in the middle of a request', async () => {
      group = groupName();
      const a = await open('a', { proxy });
      await granted(a);
      proxy.answers = 'lost';
      proxy.hasTaken();
      const renewing = a.renew(ANSWER_MS);
      await eventually(() => Promise.resolve(proxy.hasTaken()));
      proxy.reset();
      await expect(renewing).rejects.toMatchObject({ code: 'FAILOVER_STORE_UNREACHABLE' });
      proxy.heal();
      await eventually(async () => (await a.renew(ANSWER_MS)).type === 'renewed');
    });

    it('leaves no lease behind when the connection is reset in the middle of a claim', async () => {
      group = groupName();
      const a = await open('a', { proxy });
      const b = await open('b');
      const before = await ledOnce(a);
      const sinceMs = monotonicNow();
      proxy.answers = 'lost';
      proxy.hasTaken();
      const claiming = a.acquire(0);
      const failing = expect(claiming).rejects.toMatchObject({
        code: 'FAILOVER_STORE_UNREACHABLE',
      });
      await eventually(() => Promise.resolve(proxy.hasTaken()));
      proxy.reset();
      await failing;
      expect(a.verify().type).toBe('lost');
      proxy.heal();
      await eventually(() => a.release().then(() => true));
      expect((await granted(b)).epoch).toBeGreaterThan(before);
      expect(monotonicNow() - sinceMs).toBeLessThan(LONG_TTL_MS);
    });

    it('counts no answer to a renewal that comes after its time: the next has a time of its own', async () => {
      group = groupName();
      const a = await open('a', { proxy });
      await granted(a);
      proxy.answers = 'late';
      await expect(a.renew(IMPATIENT_MS)).rejects.toMatchObject({
        code: 'FAILOVER_STORE_UNREACHABLE',
      });
      const beforeMs = monotonicNow();
      const renewing = a.renew(ANSWER_MS).catch(() => null);
      proxy.heal();
      const first = await renewing;
      const outcomes = first === null ? [] : [first];
      await eventually(async () => outcomes.push(await a.renew(ANSWER_MS)) > 0);
      for (const outcome of outcomes) {
        expect(outcome.type).toBe('renewed');
        expect(outcome.type === 'renewed' && outcome.askedAt >= beforeMs).toBe(true);
      }
    });

    it('gives no epoch twice when the answer to an advance is lost, and leaves the lease as it was', async () => {
      group = groupName();
      const a = await open('a', { proxy, requestTimeoutMs: IMPATIENT_MS });
      const b = await open('b');
      const { epoch } = await granted(a);
      proxy.answers = 'lost';
      await expect(a.advanceEpoch(0)).rejects.toMatchObject({
        code: 'FAILOVER_STORE_UNREACHABLE',
      });
      proxy.heal();
      const seen = (await b.look()).epoch;
      expect(seen).toBeGreaterThanOrEqual(epoch);
      const epochs: number[] = [];
      await eventually(async () => epochs.push(await a.advanceEpoch(0)) > 0);
      expect(epochs[0]).toBeGreaterThan(seen);
      expect(await b.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
      expect(a.verify()).toEqual({ type: 'held' });
    });

    it('takes nothing from the next run of a node when its last one gives back what it gave back', async () => {
      group = groupName();
      const a = await open('a', { proxy, requestTimeoutMs: IMPATIENT_MS });
      await granted(a);
      const order = a.returnOrder();
      if (order === null) throw new Error('there is no order');
      proxy.answers = 'lost';
      await expect(a.release()).rejects.toMatchObject({ code: 'FAILOVER_STORE_UNREACHABLE' });
      // The same id, on a machine that was started anew, say.
      const next = await open('a');
      const { epoch } = await granted(next);
      proxy.heal();
      await eventually(() => a.release().then(() => true));
      expect(await giveBack(order)).toBe(true);
      expect(await next.renew(ANSWER_MS)).toMatchObject({ type: 'renewed' });
      expect(await next.look()).toMatchObject({ held: true, epoch });
    });

    it('can be given back although the first attempt was lost', async () => {
      group = groupName();
      const a = await open('a', { proxy, requestTimeoutMs: IMPATIENT_MS });
      const b = await open('b');
      await granted(a);
      proxy.requests = 'lost';
      await expect(a.release()).rejects.toMatchObject({ code: 'FAILOVER_STORE_UNREACHABLE' });
      expect(a.verify().type).toBe('lost');
      expect(await b.look()).toMatchObject({ held: true });
      proxy.heal();
      await eventually(() => a.release().then(() => true));
      expect(await b.look()).toMatchObject({ held: false });
    });
  });

  describe.skipIf(behindPooler)('a server', () => {
    it('that answers nobody for a while takes no lease away before its time', async () => {
      const [a, b] = await pair();
      await a.acquire(0);
      server.freeze();
      await expect(a.renew(IMPATIENT_MS)).rejects.toMatchObject({
        code: 'FAILOVER_STORE_UNREACHABLE',
      });
      server.thaw();
      await eventually(async () => (await a.renew(ANSWER_MS)).type === 'renewed');
      expect(await b.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
    });

    it('that has lost its data gives nobody a lease that somebody may still hold', () =>
      inTime(restartTtlMs, (ttlMs) =>
        withOwnServer(start, async (own) => {
          const options = { group: groupName(), ttlMs, requestTimeoutMs: ANSWER_MS };
          const a = await own.open({ node: 'a', ...options });
          const newcomer = await own.open({ node: 'newcomer', ...options });
          const held = await granted(a);
          const heldUntilMs = (held.granted?.askedAt ?? 0) + ttlMs;
          await own.restart();
          // It has heard of no epoch, and its claim comes before the holder notices anything.
          if (monotonicNow() >= heldUntilMs) return false;
          await granted(newcomer);
          // Asked for a little earlier perhaps: the request was on its way when the other's time was over.
          expect(monotonicNow()).toBeGreaterThanOrEqual(heldUntilMs);
          expect(await a.renew(ANSWER_MS)).toMatchObject({ type: 'lost' });
          return true;
        }),
      ));
  });

  // Side by side: each waits for a server of its own, and no time of theirs is short.
  describe.skipIf(behindPooler)('a server', { concurrent: true }, () => {
    it('that has lost its data learns from its nodes which epochs there were, for newcomers too', async () => {
      await withOwnServer(start, async (own) => {
        const options = { group: groupName(), ttlMs: restartTtlMs, requestTimeoutMs: ANSWER_MS };
        const a = await own.open({ node: 'a', ...options });
        // Without having led it would wait for a lease that the server may have forgotten.
        await ledOnce(a);
        const { epoch } = await granted(a, 41);
        await own.restart();
        await eventually(async () => (await a.look()).epoch === epoch);
        const newcomer = await own.open({ node: 'newcomer', ...options });
        expect((await granted(newcomer)).epoch).toBe(epoch + 1);
      });
    });

    it('that has lost its data keeps the epoch of a claim that it holds back', async () => {
      await withOwnServer(start, async (own) => {
        const options = { group: groupName(), ttlMs: restartTtlMs, requestTimeoutMs: ANSWER_MS };
        const last = await own.open({ node: 'last', ...options });
        await own.restart();
        // It may be the last that knows of it, and end before it looks.
        await eventually(async () => (await last.acquire(41)).type === 'denied');
        const newcomer = await own.open({ node: 'newcomer', ...options });
        await eventually(async () => (await newcomer.look()).epoch === 41);
      });
    });

    it('that was started anew finds its nodes again, and their epochs', async () => {
      await withOwnServer(start, async (own) => {
        const options = { group: groupName(), ttlMs: shortTtlMs, requestTimeoutMs: ANSWER_MS };
        const a = await own.open({ node: 'a', ...options });
        const b = await own.open({ node: 'b', ...options });
        await ledOnce(a);
        await granted(a, 41);
        await own.restart();
        await eventually(async () => {
          await Promise.all([a.look(), b.look()]);
          return (await a.listNodes()).length === 2;
        });
        expect((await granted(b, 42)).epoch).toBe(43);
      });
    });
  });

  describe('the group', () => {
    it('is paused and resumed for all', async () => {
      const [a, b] = await pair();
      const told = watching(b);
      await a.setPaused(true, 'me');
      if (!behindPooler) await told.next();
      expect(await b.look()).toMatchObject({ paused: true });
      await b.setPaused(false, 'me');
      expect(await a.look()).toMatchObject({ paused: false });
    });

    it('is completed for those that have started, and not for those that come later', async () => {
      const [a, b] = await pair();
      await a.acquire(0);
      await a.markCompleted(1);
      await a.release();
      expect(await b.acquire(0)).toMatchObject({ type: 'denied', cause: 'completed' });
      const late = await open('late');
      expect(await late.acquire(0)).toMatchObject({ type: 'granted' });
    });

    it('knows its nodes, and forgets those that leave', async () => {
      const [a, b] = await pair();
      const nodes = await b.listNodes();
      expect(nodes.map(({ node }) => node).sort()).toEqual(['a', 'b']);
      expect(nodes.every(({ seenAgoMs }) => seenAgoMs < LONG_TTL_MS)).toBe(true);
      // What decides who goes first, and where to ask them.
      expect(nodes.map(({ priority }) => priority)).toEqual([100, 100]);
      expect(nodes.every(({ endpoints }) => endpoints.rpc.startsWith('ipc://'))).toBe(true);
      await a.close();
      expect((await b.listNodes()).map(({ node }) => node)).toEqual(['b']);
    });

    it('knows where a node listens after it has moved', async () => {
      const [a, b] = await pair();
      await a.acquire(0);
      const endpoints = { bus: 'ipc:///elsewhere.bus', rpc: 'ipc:///elsewhere.rpc' };
      a.updateEndpoints(endpoints);
      await eventually(async () => (await b.look()).holder?.endpoints.rpc === endpoints.rpc);
    });

    it('remembers what happened, the latest first', async () => {
      const [a, b] = await pair();
      await a.acquire(0);
      await a.release();
      const events = await b.readEvents(3);
      expect(events).toMatchObject([
        { node: 'a', action: 'released', epoch: 1 },
        { node: 'a', action: 'granted', epoch: 1 },
        { node: 'b', action: 'joined', epoch: 0 },
      ]);
    });

    it('has nothing to do with one of another name', async () => {
      const [a] = await pair();
      await a.acquire(0);
      group = groupName();
      const other = await open('a');
      expect(await other.acquire(0)).toMatchObject({ type: 'granted', epoch: 1 });
    });
  });
}
