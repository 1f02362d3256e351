// The lease in etcd against a real server, and what is etcd alone.
import { afterEach, describe, expect, it } from 'vitest';
import { parseLease } from '../../src/config/lease-url.ts';
import { giveBack } from '../../src/guard/give-back.ts';
import { connectionsTo } from '../../src/lease/etcd/etcd-client.ts';
import type { OpenConnection } from '../../src/lease/etcd/etcd-client.ts';
import { EtcdLease } from '../../src/lease/etcd/etcd-lease.ts';
import { monotonicNow } from '../../src/runtime/clock.ts';
import { freePort } from '../support/free-port.ts';
import { leaseContract } from './lease-contract.ts';
import { ANSWER_MS, eventually, granted, IMPATIENT_MS, ledOnce } from './support/claims.ts';
import { EtcdServer, lackOfEtcd } from './support/etcd-server.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { LONG_TTL_MS, recordOf } from './support/stage.ts';
import type { OpenOptions, StoreUnderTest } from './support/stage.ts';

const lack = lackOfEtcd();
if (lack !== null) process.stderr.write(`The tests of the lease in etcd are ${lack}.\n`);

describe.runIf(lack === null)('a lease in etcd', () => {
  leaseContract(async () => {
    const server = await EtcdServer.start();
    server.growOld();
    return underTest(server);
  }, TIMES);
});

/** Whole seconds; and each claim is written to the disk. */
const TIMES = { rounds: 50, shortTtlMs: 1_000, restartTtlMs: 2_000 };

describe.runIf(lack === null)('a server of etcd', () => {
  const servers: EtcdServer[] = [];
  const leases: EtcdLease[] = [];
  afterEach(async () => {
    for (const server of servers) server.thaw();
    await Promise.allSettled(leases.splice(0).map((lease) => lease.close()));
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });
  const start = async (electionMs = 100): Promise<EtcdServer> => {
    const server = await EtcdServer.start({ electionMs });
    servers.push(server);
    server.growOld();
    return server;
  };
  const enter = async (
    url: string,
    options: Partial<TimedOptions> = {},
    around?: (open: OpenConnection) => OpenConnection,
  ): Promise<EtcdLease> => {
    const times = { ttlMs: LONG_TTL_MS, requestTimeoutMs: ANSWER_MS };
    const lease = await open(url, { node: 'a', group: 'g', ...times, ...options }, around);
    leases.push(lease);
    return lease;
  };
  const at = (port: number): string => `etcd://127.0.0.1:${String(port)}`;

  it('takes user and password from the URL, and no message shows them', async () => {
    const server = await start();
    server.requireUsers('root-hush', 'me', 'hush-hush');
    const host = `127.0.0.1:${String(server.port)}`;
    const lease = await enter(`etcd://me:hush-hush@${host}`);
    expect(await granted(lease)).toMatchObject({ epoch: 1 });
    const order = lease.returnOrder();
    expect(order !== null && (await giveBack(order))).toBe(true);
    expect(await lease.look()).toMatchObject({ held: false });
    const wrong = await enter(`etcd://me:wrong-one@${host}`).catch((error: unknown) => error);
    expect(wrong).toMatchObject({ code: 'FAILOVER_STORE_REFUSED', exitCode: 2 });
    expect(String(wrong)).toContain(`etcd://${host}: authentication failed`);
    expect(JSON.stringify(wrong) + String(wrong)).not.toContain('wrong-one');
    await expect(enter(`etcd://${host}`)).rejects.toThrow('it requires a user and a password');
    await expect(enter(`etcd://stranger:hush-hush@${host}`)).rejects.toThrow(
      'lacks the required permissions',
    );
  });

  it('that has other users than when its token was given gives another', async () => {
    const server = await EtcdServer.start({ hasJwt: true });
    servers.push(server);
    server.requireUsers('root-hush', 'me', 'hush-hush');
    const lease = await enter(`etcd://me:hush-hush@127.0.0.1:${String(server.port)}`);
    await lease.look();
    const added = server.command('--user', 'root:root-hush', 'user', 'add', 'newcomer:hush-hush');
    expect(added.status).toBe(0);
    await eventually(async () => (await lease.look()).epoch === 0);
  });

  it('that grants another time to live than it was asked for is taken at its word', async () => {
    const server = await start(1_000);
    const lease = await enter(at(server.port), { ttlMs: 1_000 });
    expect((await granted(lease)).granted?.ttlMs).toBe(2_000);
    expect(await lease.renew(ANSWER_MS)).toMatchObject({ type: 'renewed', ttlMs: 2_000 });
  });

  it('tells at once that the key was removed, though the lease on which it hung goes on', async () => {
    const server = await start();
    const lease = await enter(at(server.port));
    await granted(lease);
    server.command('del', 'failover/g/lead/lease');
    await eventually(() => Promise.resolve(lease.verify().type === 'lost'));
    const renewed = await lease.renew(ANSWER_MS);
    expect(renewed).toEqual({ type: 'lost', cause: 'it has expired in the store' });
    expect(lease.returnOrder()).toBeNull();
  });

  it('is asked whether the key is still there when no watch could tell of that', async () => {
    const server = await start();
    const proxy = await FaultProxy.to(() => server.port);
    const a = await enter(at(proxy.port), { requestTimeoutMs: IMPATIENT_MS });
    const b = await enter(at(server.port), { node: 'b' });
    await granted(a);
    proxy.requests = 'lost';
    server.command('del', 'failover/g/lead/lease');
    await granted(b);
    proxy.heal();
    await eventually(async () => (await a.renew(ANSWER_MS)).type === 'lost');
    await proxy.close();
  });

  it('that was killed and started again still knows the lease', async () => {
    const server = await start();
    const a = await enter(at(server.port));
    const b = await enter(at(server.port), { node: 'b' });
    // A store that knows nobody gives nothing at once to one that has heard of an epoch.
    await ledOnce(a);
    await granted(a, 41);
    await server.end();
    await server.begin();
    await eventually(async () => (await a.renew(ANSWER_MS)).type === 'renewed');
    await eventually(async () => (await b.acquire(0)).type === 'denied');
    await eventually(() => a.release().then(() => true));
    expect((await granted(b)).epoch).toBe(43);
  });

  it('that has taken a claim whose answer is lost has no lease for long', async () => {
    const server = await start();
    let isLost = false;
    const around =
      (open: OpenConnection): OpenConnection =>
      (watching) => {
        const connection = open(watching);
        const txn = connection.txn.bind(connection);
        connection.txn = async (request) => {
          const answer = await txn(request);
          if (isLost) throw new Error('the answer is lost');
          return answer;
        };
        return connection;
      };
    const a = await enter(at(server.port), {}, around);
    const b = await enter(at(server.port), { node: 'b' });
    const before = await ledOnce(a);
    const sinceMs = monotonicNow();
    isLost = true;
    await expect(a.acquire(0)).rejects.toMatchObject({ code: 'FAILOVER_STORE_UNREACHABLE' });
    isLost = false;
    expect(a.verify().type).toBe('lost');
    // As a node does whose claim has failed.
    await a.release();
    // It was granted, and its epoch is spent.
    expect((await granted(b)).epoch).toBe(before + 2);
    expect(monotonicNow() - sinceMs).toBeLessThan(LONG_TTL_MS);
  });

  it('is one of several: where one does not answer, another is asked', async () => {
    const server = await start();
    const [one, two] = [
      await FaultProxy.to(() => server.port),
      await FaultProxy.to(() => server.port),
    ];
    const dead = `127.0.0.1:${String(await freePort())}`;
    const url = `${at(one.port)},127.0.0.1:${String(two.port)},${dead}`;
    const lease = await enter(url, { requestTimeoutMs: IMPATIENT_MS });
    await granted(lease);
    for (const silent of [one, two]) {
      silent.answers = 'lost';
      await eventually(async () => (await lease.renew(IMPATIENT_MS)).type === 'renewed');
      const order = lease.returnOrder();
      if (order !== null && silent === two) expect(await giveBack(order)).toBe(true);
      silent.heal();
    }
    await Promise.all([one.close(), two.close()]);
  });

  it('that stands still for long takes no more connections than one at a time', async () => {
    const server = await start();
    const lease = await enter(at(server.port), { requestTimeoutMs: IMPATIENT_MS });
    await granted(lease);
    const before = sockets();
    server.freeze();
    const untilMs = monotonicNow() + 3_000;
    while (monotonicNow() < untilMs) await lease.look().catch(() => undefined);
    expect(sockets()).toBeLessThanOrEqual(before + 2);
  });

  it('keeps no more than the latest of what has happened', async () => {
    const server = await start();
    const lease = await enter(at(server.port));
    for (let round = 0; round < 6; round += 1) {
      const many = Array.from({ length: 50 }, () => lease.setPaused(true, 'me'));
      await Promise.all(many);
    }
    const kept = (): number => {
      const { stdout } = server.command('get', '--prefix', 'failover/g/events/', '--keys-only');
      return stdout.split('\n').filter((line) => line !== '').length;
    };
    await eventually(() => Promise.resolve(kept() === 256));
    expect(await lease.readEvents(1_000)).toHaveLength(256);
  });

  it('is asked no more often than a node renews or looks, though each also says that it is there', async () => {
    const server = await start();
    let time = monotonicNow();
    const now = (): number => time;
    // It does not end while the server settles.
    const times = { now, ttlMs: 60_000 };
    const a = await enter(at(server.port), times);
    const b = await enter(at(server.port), { node: 'b', ...times });
    await granted(a);
    await Promise.all([a.renew(ANSWER_MS), b.look()]);
    let before = await server.counts();
    let same = 0;
    // Until what nobody waits for is done: old events are removed after a claim.
    await eventually(async () => {
      const counts = await server.counts();
      same = counts.calls === before.calls ? same + 1 : 0;
      before = counts;
      return same > 10;
    });
    for (let beat = 0; beat < 60; beat += 1) {
      time += 1_000;
      expect(await a.renew(ANSWER_MS)).toMatchObject({ type: 'renewed' });
      expect(await b.look()).toMatchObject({ held: true });
    }
    const after = await server.counts();
    expect(after.calls - before.calls).toBe(2 * 60);
    // Of a minute: the twelve signs of the primary, and the twelve of the other, which were looks.
    expect(after.kept - before.kept).toBe(60 + 2 * 12);
  });

  it('grants a claim that was prepared what was granted ahead, from when that was asked for', async () => {
    const server = await start();
    let time = monotonicNow();
    const a = await enter(at(server.port));
    const ahead = { now: () => time, claimAheadMs: 300 };
    const b = await enter(at(server.port), { node: 'b', ...ahead });
    const leases = (): number =>
      [...server.command('lease', 'list').stdout.matchAll(/^[0-9a-f]{4,}$/gm)].length;
    await granted(a);
    const before = leases();
    const askedAt = time;
    b.prepareClaim();
    b.prepareClaim();
    await eventually(() => Promise.resolve(leases() === before + 1));
    await a.release();
    await eventually(async () => !(await b.look()).held);
    time += 300;
    const grant = await granted(b);
    expect(grant.granted).toMatchObject({ askedAt, ttlMs: LONG_TTL_MS });
    expect(leases()).toBe(before + 1);
  });

  it('is asked anew for a claim that comes long after it was prepared', async () => {
    const server = await start();
    let time = monotonicNow();
    const lease = await enter(at(server.port), { now: () => time, claimAheadMs: 300 });
    lease.prepareClaim();
    time += 301;
    const askedAt = time;
    expect((await granted(lease)).granted).toMatchObject({ askedAt });
  });

  it('shows what was changed also where a sign of life is due', async () => {
    const server = await start();
    let time = monotonicNow();
    const b = await enter(at(server.port), { node: 'b', now: () => time });
    expect(await b.look()).toMatchObject({ paused: false });
    server.command('put', 'failover/g/lead/paused', 'me');
    time += 15_000;
    expect(await b.look()).toMatchObject({ paused: true });
    server.command('del', 'failover/g/lead/paused');
    time += 15_000;
    expect(await b.look()).toMatchObject({ paused: false });
  });

  it('that has forgotten a node has it again with its next sign of life', async () => {
    const server = await start();
    let time = monotonicNow();
    const now = (): number => time;
    const a = await enter(at(server.port), { now });
    const b = await enter(at(server.port), { node: 'b', now });
    await granted(a);
    await b.look();
    server.command('del', '--prefix', 'failover/g/nodes/');
    const leases = server.command('lease', 'list').stdout.matchAll(/^([0-9a-f]{4,})$/gm);
    for (const [, id = ''] of leases) {
      const isOfNode = server.command('lease', 'timetolive', id).stdout.includes('(30s)');
      if (isOfNode) server.command('lease', 'revoke', id);
    }
    time += 15_000;
    await Promise.all([a.renew(ANSWER_MS), b.look()]);
    await eventually(async () => (await a.listNodes()).length === 2);
  });

  it('that was emptied gives no lease to a newcomer while one that it has forgotten may last', async () => {
    const server = await start();
    const holder = await enter(at(server.port));
    const follower = await enter(at(server.port), { node: 'b' });
    await granted(holder);
    await follower.look();
    server.command('del', '--prefix', 'failover/g/');
    await follower.look();
    expect(holder.verify().type).toBe('lost');
    const newcomer = await enter(at(server.port), { node: 'c' });
    expect(await newcomer.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
  });

  it('that nobody has used before gives no lease for as long as one may last', async () => {
    const server = await EtcdServer.start();
    servers.push(server);
    const lease = await enter(at(server.port), { ttlMs: 1_000 });
    const sinceMs = monotonicNow();
    expect(await lease.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
    await granted(lease);
    expect(monotonicNow() - sinceMs).toBeGreaterThanOrEqual(1_000);
  });

  it('whose data are of a later version is refused, and left as they are', async () => {
    const server = await start();
    server.command('put', 'failover/g/lead/state', '{"v":2,"epoch":1}');
    await expect(enter(at(server.port))).rejects.toThrow('another version of failover');
    expect(server.command('get', '--prefix', 'failover/g/', '--keys-only').stdout.trim()).toBe(
      'failover/g/lead/state',
    );
  });
});

interface TimedOptions extends OpenOptions {
  readonly now?: () => number;
  readonly claimAheadMs?: number;
}

function sockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
}

async function open(
  url: string,
  { node, supervisor, quietMs, now = monotonicNow, ...others }: TimedOptions,
  around: (open: OpenConnection) => OpenConnection = (same) => same,
): Promise<EtcdLease> {
  const address = parseLease(url);
  if (address.kind !== 'etcd') throw new Error(`not of etcd: ${url}`);
  const record = recordOf(node, supervisor, quietMs);
  const connect = around(await connectionsTo(address));
  const lease = new EtcdLease({ address, record, ...others, now }, connect);
  try {
    await lease.begin();
  } catch (error) {
    await lease.close();
    throw error;
  }
  return lease;
}

function underTest(server: EtcdServer): StoreUnderTest {
  return {
    port: server.port,
    open: (options) =>
      open(`etcd://127.0.0.1:${String(options.proxy?.port ?? server.port)}`, options),
    loseLease: (group) => {
      const { stdout } = server.command('get', `failover/${group}/lead/lease`, '-w', 'json');
      const [, id] = /"lease":(\d+)/.exec(stdout) ?? [];
      server.command('lease', 'revoke', BigInt(id ?? 0).toString(16));
      return Promise.resolve();
    },
    restart: async () => {
      await server.end('lost');
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
