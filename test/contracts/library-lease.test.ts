// The lease of the library alone, against a real Redis: whose it is, and what its holder is told.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RedisLeaseOptions } from '../../src/library/election-options.ts';
import { RedisLease } from '../../src/library/redis-lease.ts';
import { uncaught } from '../support/uncaught.ts';
import { until } from '../support/until.ts';
import { eventually } from './support/claims.ts';
import { lackOfRedis, RedisServer } from './support/redis-server.ts';
import { groupName } from './support/stage.ts';

const lack = lackOfRedis();

/** Long for a busy machine: nothing here waits for its end. */
const TIMES = { ttlMs: 2_000, maxDriftMs: 1_800, tickMs: 100, requestTimeoutMs: 1_600 } as const;

/** For what is to hold while the test does something: it lasts longer than that takes on a busy machine. */
const LASTING_MS = 10_000;

describe.runIf(lack === null)('in Redis', () => {
  let server: RedisServer;
  let project = '';
  const leases: RedisLease[] = [];

  beforeAll(async () => {
    server = await RedisServer.start();
    await server.grownOld(TIMES.ttlMs);
  });
  beforeEach(() => {
    project = groupName();
  });
  afterEach(async () => {
    await Promise.all(leases.splice(0).map((lease) => lease.close()));
  });
  afterAll(() => server.stop());

  const open = async (
    nodeId: string,
    options: Partial<RedisLeaseOptions> = {},
  ): Promise<RedisLease> => {
    const url = `redis://127.0.0.1:${String(server.port)}`;
    const lease = await RedisLease.open({ ...TIMES, project, nodeId, url, ...options });
    leases.push(lease);
    return lease;
  };

  it('a lease is one node’s until it is given back', async () => {
    const [a, b] = [await open('a'), await open('b')];
    const told: number[] = [];
    b.onChange(() => told.push(1));
    expect(await a.acquire()).toEqual({ epoch: 1, previous: null });
    expect(await a.acquire()).toEqual({ epoch: 1, previous: null });
    expect(await b.acquire()).toBeNull();
    expect([a.isHeld, a.epoch, b.isHeld, b.epoch]).toEqual([true, 1, false, null]);
    expect(a.heldForMs).toBeGreaterThan(0);
    expect(await b.look()).toEqual({ held: true, leader: 'a', epoch: 1, paused: false });
    expect(await a.renew()).toBe(true);
    expect(await b.renew()).toBe(false);
    told.length = 0;
    await a.release();
    await until('a word of it', () => told.length > 0);
    expect(a.isHeld).toBe(false);
    expect(await b.acquire()).toEqual({ epoch: 2, previous: 'a' });
  });

  it('a lease is not held by one that gives it back, or closes, while it claims', async () => {
    const b = await open('b');
    for (const giveUp of ['release', 'close', 'abort'] as const) {
      for (let turns = 0; turns < 12; turns += 1) {
        const end = new AbortController();
        const a = await open('a', { signal: end.signal });
        const claim = a.acquire();
        for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
        if (giveUp === 'abort') end.abort();
        else await a[giveUp]();
        expect([await claim, a.isHeld, a.epoch, a.heldForMs]).toEqual([null, false, null, 0]);
        await eventually(async () => (await b.acquire()) !== null);
        expect(a.isHeld).toBe(false);
        await b.release();
        await a.close();
      }
    }
  });

  it('a lease that was closed is claimed no more, nor opened by an aborted signal', async () => {
    const a = await open('a');
    const closing = a.close();
    await expect(a.acquire()).rejects.toMatchObject({ code: 'FAILOVER_REFUSED' });
    await closing;
    await expect(a.acquire()).rejects.toMatchObject({ code: 'FAILOVER_REFUSED' });
    const signal = AbortSignal.abort();
    await expect(open('b', { signal })).rejects.toMatchObject({ code: 'FAILOVER_REFUSED' });
    expect((await (await open('c')).statistics()).nodes.map(({ nodeId }) => nodeId)).toEqual(['c']);
  });

  it('a lease that nobody renews is lost before it ends, and its holder is told once', async () => {
    await server.grownOld(LASTING_MS);
    const impatient = { ttlMs: LASTING_MS, maxDriftMs: 900, requestTimeoutMs: 700 };
    const [a, b] = [await open('a', impatient), await open('b')];
    const losses: string[] = [];
    a.onLost(({ epoch, cause }) => {
      losses.push(`${String(epoch)}: ${cause}`);
    });
    await a.acquire();
    await until('the loss', () => losses.length > 0);
    expect(a.isHeld).toBe(false);
    expect(await b.acquire()).toBeNull();
    // It still keeps others out, and does not come back.
    expect([await a.renew(), a.isHeld]).toEqual([true, false]);
    await a.release();
    expect(await b.acquire()).toMatchObject({ epoch: 2 });
    expect(losses).toEqual(['1: no renewal succeeded for 900ms']);
  });

  it('each listener of a lease is told, also when another one throws', async () => {
    const thrown = uncaught();
    const [a, b] = [await open('a'), await open('b')];
    const told: string[] = [];
    const fail = (): never => {
      throw new Error('of the program');
    };
    a.onLost(fail);
    a.onLost(() => told.push('lost'));
    b.onChange(fail);
    b.onChange(() => told.push('change'));
    await a.acquire();
    await until('a word of it', () => told.includes('change'));
    await server.command(['DEL', `failover:{${project}}:lease`]);
    expect(await a.renew()).toBe(false);
    expect(told).toContain('lost');
    await until('the errors', () => thrown.length >= 2);
  });

  it('a lease that a server has forgotten is nobody else’s at once, and no epoch comes again', async () => {
    const [a, b] = [await open('a'), await open('b')];
    expect((await a.acquire())?.epoch).toBe(1);
    expect(await b.acquire()).toBeNull();
    await server.command(['FLUSHALL']);
    // The first may go on until it hears of it.
    expect(a.isHeld).toBe(true);
    expect(await b.acquire()).toBeNull();
    await a.release();
    await eventually(async () => (await b.acquire()) !== null);
    expect(b.epoch).toBeGreaterThan(1);
  });

  it('a lease that another has is lost with the next renewal', async () => {
    const [a, b] = [await open('a'), await open('b')];
    const losses: string[] = [];
    a.onLost(({ cause }) => losses.push(cause));
    await a.acquire();
    await server.command(['DEL', `failover:{${project}}:lease`]);
    await b.acquire();
    expect(await a.renew()).toBe(false);
    expect(losses).toEqual(['b has it']);
  });
});
