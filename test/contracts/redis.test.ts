// The lease in Redis against a real server, and what is Redis alone.
import { afterEach, describe, expect, it } from 'vitest';
import { parseLease } from '../../src/config/lease-url.ts';
import type { RedisAddress } from '../../src/config/lease-url.ts';
import { giveBack } from '../../src/guard/give-back.ts';
import { connectionsTo } from '../../src/lease/redis/redis-client.ts';
import { openRedisLease, redisLease } from '../../src/lease/redis/redis-lease.ts';
import { keysOf } from '../../src/lease/redis/scripts.ts';
import type { SoleNode } from '../../src/lease/join-alone.ts';
import type { RemoteStore } from '../../src/lease/remote-store.ts';
import { monotonicNow } from '../../src/runtime/clock.ts';
import { freePort } from '../support/free-port.ts';
import { leaseContract } from './lease-contract.ts';
import { ANSWER_MS, eventually } from './support/claims.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { lackOfRedis, RedisServer } from './support/redis-server.ts';
import { groupName, LONG_TTL_MS, recordOf } from './support/stage.ts';
import type { StoreUnderTest } from './support/stage.ts';

const lack = lackOfRedis();
if (lack !== null) process.stderr.write(`The tests of the lease in Redis are ${lack}.\n`);

/** That of which nothing is seen is gone after a moment. */
const SOLE: SoleNode = {
  ...{ isGiven: true, quietMs: 400, lookAt: () => 'unknown' },
  ...{ onWait: () => null, onTaken: () => undefined },
};

describe.runIf(lack === null)('a lease in Redis', () => {
  leaseContract(async (trustedMs) => {
    const server = await RedisServer.start();
    await server.grownOld(trustedMs);
    return underTest(server);
  });
});

describe.runIf(lack === null)('a server of Redis', () => {
  const servers: RedisServer[] = [];
  const leases: RemoteStore[] = [];
  afterEach(async () => {
    await Promise.allSettled(leases.splice(0).map((lease) => lease.close()));
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });
  const start = async (options: readonly string[] = []): Promise<RedisServer> => {
    const server = await RedisServer.start(options);
    servers.push(server);
    return server;
  };
  const open = (url: string): Promise<RemoteStore> =>
    openRedisLease({
      address: redisAddress(url),
      ...{ group: groupName(), record: recordOf('a'), now: monotonicNow },
      ...{ ttlMs: LONG_TTL_MS, requestTimeoutMs: ANSWER_MS },
    });

  /** Two nodes of a group, and what makes the server another one than the last that granted the lease. */
  const rivals = async (
    server: RedisServer,
  ): Promise<{
    a: RemoteStore;
    b: RemoteStore;
    key: string;
    takenOver: () => Promise<unknown>;
  }> => {
    const address = redisAddress(`redis://127.0.0.1:${String(server.port)}`);
    const group = groupName();
    const times = { ttlMs: LONG_TTL_MS, requestTimeoutMs: ANSWER_MS, now: monotonicNow };
    const from = async (node: string): Promise<RemoteStore> => {
      const lease = await openRedisLease({ address, group, record: recordOf(node), ...times });
      leases.push(lease);
      return lease;
    };
    const [key = '', state = ''] = keysOf(group);
    const takenOver = (): Promise<unknown> => server.command(['HSET', state, 'server', 'former']);
    return { a: await from('a'), b: await from('b'), key, takenOver };
  };

  it('takes user and password from the URL, and no message shows them', async () => {
    const server = await start(['--requirepass', 'hush-hush']);
    const host = `127.0.0.1:${String(server.port)}`;
    const lease = await open(`redis://:hush-hush@${host}`);
    expect(await lease.look()).toMatchObject({ held: false });
    await lease.close();
    const wrong = await open(`redis://:wrong-one@${host}`).catch((error: unknown) => error);
    expect(wrong).toMatchObject({ code: 'FAILOVER_STORE_REFUSED', exitCode: 2 });
    expect(String(wrong)).toContain(`redis://${host}/0: authentication failed`);
    expect(JSON.stringify(wrong) + String(wrong)).not.toContain('wrong-one');
    await expect(open(`redis://${host}`)).rejects.toThrow('it requires a password');
  });

  it('that is a replica is refused, with what to do', async () => {
    const server = await start();
    const replica = await start(['--replicaof', '127.0.0.1', String(server.port)]);
    await expect(open(`redis://127.0.0.1:${String(replica.port)}`)).rejects.toMatchObject({
      code: 'FAILOVER_STORE_REFUSED',
      hint: 'Use the address of the primary server.',
    });
  });

  it('that became a replica is left for the one that its address leads to by then', async () => {
    const [former, next] = [await start(), await start()];
    let port = former.port;
    const proxy = await FaultProxy.to(() => port);
    const lease = await open(`redis://127.0.0.1:${String(proxy.port)}`);
    leases.push(lease);
    await lease.look();
    port = next.port;
    await former.command(['REPLICAOF', '127.0.0.1', String(next.port)]);
    await expect(lease.look()).rejects.toMatchObject({ code: 'FAILOVER_STORE_REFUSED' });
    await eventually(async () => (await lease.look()).epoch === 0);
    await proxy.close();
  });

  it('that is not there is tried again, until it is', async () => {
    const server = await start();
    await server.end();
    const lease = await open(`redis://127.0.0.1:${String(server.port)}`);
    await expect(lease.look()).rejects.toMatchObject({ code: 'FAILOVER_STORE_UNREACHABLE' });
    await server.begin();
    for (let isThere = false; !isThere;) {
      isThere = await lease.look().then(
        () => true,
        () => false,
      );
    }
    expect((await lease.listNodes()).length).toBeLessThanOrEqual(1);
    await lease.close();
  });

  it('keeps the keys of a group together, and none of them grows without a bound', async () => {
    const server = await start();
    await server.grownOld(1);
    const group = groupName();
    const address = redisAddress(`redis://127.0.0.1:${String(server.port)}`);
    const times = { ttlMs: 1, requestTimeoutMs: ANSWER_MS, now: monotonicNow };
    const lease = await openRedisLease({ address, group, record: recordOf('a'), ...times });
    for (let round = 0; round < 300; round += 1) await lease.setPaused(round % 2 === 0, 'me');
    const keys = keysOf(group);
    expect(keys.every((key) => key.startsWith(`failover:{${group}}:`))).toBe(true);
    expect(await server.command(['LLEN', keys[4] ?? ''])).toBe(256);
    expect(await lease.readEvents(1_000)).toHaveLength(256);
    await lease.close();
  });

  it('in the mode of a cluster serves a group like any other: all of its keys are in one slot', async () => {
    const busPort = String(await freePort());
    const server = await start(['--cluster-enabled', 'yes', '--cluster-port', busPort]);
    await server.command(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
    const isUp = async (): Promise<boolean> =>
      String(await server.command(['CLUSTER', 'INFO'])).includes('cluster_state:ok');
    await eventually(isUp);
    const { a, b } = await rivals(server);
    // Of a lease that a server so young may have forgotten nobody knows anything.
    await eventually(async () => (await a.acquire(0)).type === 'granted');
    expect(await a.renew(ANSWER_MS)).toMatchObject({ type: 'renewed' });
    const epoch = await a.advanceEpoch(0);
    expect(await b.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
    await b.setPaused(true, 'me');
    expect(await a.look()).toMatchObject({ held: true, epoch, paused: true });
    expect((await b.listNodes()).map(({ node }) => node).sort()).toEqual(['a', 'b']);
    const order = a.returnOrder();
    expect(order !== null && (await giveBack(order))).toBe(true);
    expect(await b.acquire(0)).toMatchObject({ type: 'granted', epoch: epoch + 1 });
    await b.markCompleted(epoch + 1);
    expect((await a.readEvents(2)).map(({ action }) => action)).toEqual(['completed', 'granted']);
  });

  it('that was emptied gives no lease to a newcomer while one that it has forgotten may last', async () => {
    const server = await start();
    await server.grownOld(LONG_TTL_MS);
    const group = groupName();
    const address = redisAddress(`redis://127.0.0.1:${String(server.port)}`);
    const times = { ttlMs: LONG_TTL_MS, requestTimeoutMs: ANSWER_MS, now: monotonicNow };
    const from = (node: string): Promise<RemoteStore> =>
      openRedisLease({ address, group, record: recordOf(node), ...times });
    const [holder, follower] = [await from('holder'), await from('follower')];
    expect(await holder.acquire(0)).toMatchObject({ type: 'granted', epoch: 1 });
    await follower.look();
    await server.command(['FLUSHALL']);
    await follower.look();
    const newcomer = await from('newcomer');
    expect(await newcomer.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
    await Promise.all([holder, follower, newcomer].map((lease) => lease.close()));
  });

  it('whose clock was set back keeps a lease that nobody renews no longer than its time to live', async () => {
    const server = await start();
    const { a, b, key } = await rivals(server);
    await eventually(async () => (await a.acquire(0)).type === 'granted');
    // As if it ended an hour later, by a clock that has come to the time from before.
    await server.command(['PEXPIRE', key, String(3_600_000 + LONG_TTL_MS)]);
    expect(await b.look()).toMatchObject({ held: true });
    expect(Number(await server.command(['PTTL', key]))).toBeLessThanOrEqual(LONG_TTL_MS);
    expect(await a.renew(ANSWER_MS)).toMatchObject({ type: 'renewed' });
  });

  it.each(['look', 'claim'] as const)(
    'whose clock was set back holds a lease that it may have forgotten back no longer: a %s',
    async (how) => {
      const server = await start();
      await server.grownOld(LONG_TTL_MS);
      const { a, b, key } = await rivals(server);
      const state = key.replace(/:lease$/, ':state');
      // As after a restart, and by a node whose lease is longer than that of who led before.
      await server.command([
        'HSET',
        state,
        'v',
        '1',
        'epoch',
        '7',
        'server',
        'beef',
        'ttl',
        '1000',
      ]);
      expect(await a.acquire(7)).toMatchObject({ type: 'denied', cause: 'held' });
      const leftMs = async (): Promise<number> => Number(await server.command(['PTTL', key]));
      expect(await leftMs()).toBeGreaterThan(1_000);
      await b.look();
      expect(await leftMs()).toBeGreaterThan(1_000);
      await server.command(['PEXPIRE', key, String(3_600_000 + LONG_TTL_MS)]);
      if (how === 'look') await b.look();
      else expect(await b.acquire(7)).toMatchObject({ type: 'denied', cause: 'held' });
      expect(await leftMs()).toBeLessThanOrEqual(LONG_TTL_MS);
      expect(await server.command(['GET', key])).toBe('forgotten');
    },
  );

  it('whose clock was set back gives the id of a node that is gone to another', async () => {
    const server = await start();
    const group = groupName();
    const address = redisAddress(`redis://127.0.0.1:${String(server.port)}`);
    const times = { ttlMs: LONG_TTL_MS, requestTimeoutMs: ANSWER_MS, now: monotonicNow };
    const gone = recordOf('x');
    for (const record of [gone, recordOf('x')]) {
      leases.push(await openRedisLease({ address, group, record, sole: SOLE, ...times }));
      // As if it was seen an hour later, by a clock that has come to the time from before.
      if (record === gone) {
        await server.command(['ZINCRBY', keysOf(group)[3] ?? '', '3600000', gone.run]);
      }
    }
    expect(await leases.at(-1)?.listNodes()).toHaveLength(1);
  });

  it('shows everything to one that was never begun, and is none of its nodes', async () => {
    const server = await start();
    await server.grownOld(LONG_TTL_MS);
    const group = groupName();
    const address = redisAddress(`redis://127.0.0.1:${String(server.port)}`);
    const times = { ttlMs: LONG_TTL_MS, requestTimeoutMs: ANSWER_MS, now: monotonicNow };
    const record = { ...recordOf('a'), supervisor: { pid: 7 } };
    const lease = await openRedisLease({ address, group, record, ...times });
    await lease.acquire(0);
    const open = await connectionsTo(address, ANSWER_MS);
    const parts = { address, group, record: recordOf('client'), ...times };
    const client = redisLease(parts, open);
    expect(await client.look()).toMatchObject({ held: true, holder: { node: 'a' } });
    await client.setPaused(true, 'me');
    expect(await client.look()).toMatchObject({ paused: true });
    expect((await client.listNodes()).map(({ node, pid }) => [node, pid])).toEqual([['a', 7]]);
    await client.close();
    expect((await lease.readEvents(9)).map(({ node, action }) => `${node} ${action}`)).toEqual([
      ...['client paused', 'a granted', 'a joined'],
    ]);
    await lease.close();
  });

  it('is not written to by one that was never begun and only looks', async () => {
    const server = await start();
    const address = redisAddress(`redis://127.0.0.1:${String(server.port)}`);
    const times = { ttlMs: LONG_TTL_MS, requestTimeoutMs: ANSWER_MS, now: monotonicNow };
    const open = await connectionsTo(address, ANSWER_MS);
    const parts = { address, group: groupName(), record: recordOf('client'), ...times };
    const client = redisLease(parts, open);
    expect(await client.look()).toMatchObject({ held: false, epoch: 0 });
    expect(await client.listNodes()).toEqual([]);
    await client.close();
    expect(await server.command(['DBSIZE'])).toBe(0);
  });

  it('that took over from another is trusted once it renews a lease, and not by its return', async () => {
    const server = await start();
    await server.grownOld(LONG_TTL_MS);
    const { a, b, takenOver } = await rivals(server);
    expect((await a.acquire(0)).type).toBe('granted');
    await takenOver();
    expect(await a.renew(ANSWER_MS)).toMatchObject({ type: 'renewed' });
    await a.release();
    expect(await b.acquire(0)).toMatchObject({ type: 'granted', epoch: 2 });
    await takenOver();
    await b.release();
    expect(await a.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
  });

  it('is trusted by the least that its age in whole seconds can mean', async () => {
    const server = await start();
    const ttlMs = 1_999;
    const address = redisAddress(`redis://127.0.0.1:${String(server.port)}`);
    const times = { ttlMs, requestTimeoutMs: ANSWER_MS, now: monotonicNow };
    const parts = { address, group: groupName(), record: recordOf('a') };
    const lease = await openRedisLease({ ...parts, ...times });
    leases.push(lease);
    // Two seconds, and the first of them may have been a moment.
    await server.grownOld(1_000);
    const { type } = await lease.acquire(0);
    // A busy machine may have let it grow older meanwhile.
    const isOldEnough = ((await server.uptimeSeconds()) - 1) * 1000 >= ttlMs;
    expect(isOldEnough ? 'denied' : type).toBe('denied');
  });

  it('that answers an advance while the lease is given back makes nothing of it held', async () => {
    const server = await start();
    await server.grownOld(LONG_TTL_MS);
    const address = redisAddress(`redis://127.0.0.1:${String(server.port)}`);
    const times = { ttlMs: LONG_TTL_MS, requestTimeoutMs: ANSWER_MS, now: monotonicNow };
    const parts = { address, group: groupName(), record: recordOf('a') };
    const lease = await openRedisLease({ ...parts, ...times });
    expect((await lease.acquire(0)).type).toBe('granted');
    await Promise.all([lease.advanceEpoch(0), lease.release()]);
    expect(lease.verify().type).toBe('lost');
    await lease.close();
  });

  it('whose data are of a later version is refused', async () => {
    const server = await start();
    const group = groupName();
    await server.command(['HSET', keysOf(group)[1] ?? '', 'v', '2']);
    const address = redisAddress(`redis://127.0.0.1:${String(server.port)}`);
    const times = { ttlMs: LONG_TTL_MS, requestTimeoutMs: ANSWER_MS, now: monotonicNow };
    const opening = openRedisLease({ address, group, record: recordOf('a'), ...times });
    await expect(opening).rejects.toThrow('another version of failover');
  });
});

function underTest(server: RedisServer): StoreUnderTest {
  return {
    port: server.port,
    open: ({ node, proxy, supervisor, quietMs, ...options }) =>
      openRedisLease({
        address: redisAddress(`redis://127.0.0.1:${String(proxy?.port ?? server.port)}`),
        ...{ record: recordOf(node, supervisor, quietMs), now: monotonicNow, ...options },
      }),
    loseLease: async (group) => {
      await server.command(['DEL', keysOf(group)[0] ?? '']);
    },
    restart: async () => {
      await server.end();
      await server.begin();
    },
    freeze: () => {
      server.freeze();
    },
    thaw: () => {
      server.thaw();
    },
    stop: () => server.stop(),
  };
}

function redisAddress(url: string): RedisAddress {
  const address = parseLease(url);
  if (address.kind !== 'redis') throw new Error(`not of Redis: ${url}`);
  return address;
}
