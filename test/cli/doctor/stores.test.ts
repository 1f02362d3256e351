// What servers of leases tell of themselves, and what is said about it; of a server of Redis for real.
import { describe, expect, it } from 'vitest';
import { judgeEtcd } from '../../../src/cli/doctor/stores/etcd.ts';
import { judgePostgres } from '../../../src/cli/doctor/stores/postgres.ts';
import { judgeRedis, readInformation } from '../../../src/cli/doctor/stores/redis.ts';
import { lackOfEtcd, EtcdServer } from '../../contracts/support/etcd-server.ts';
import { lackOfPostgres, PostgresServer } from '../../contracts/support/postgres-server.ts';
import { lackOfRedis, RedisServer } from '../../contracts/support/redis-server.ts';
import { freePort } from '../../support/free-port.ts';
import { find, placeWith } from './place.ts';

const IDS = ['lease-client', 'store', 'store-clock', 'store-settings'];

describe('Redis', () => {
  const REDIS = {
    redis_version: '7.0.15',
    role: 'master',
    cluster_enabled: '0',
    maxmemory: '0',
    maxmemory_policy: 'noeviction',
    aof_enabled: '1',
  };
  const judged = (change: Partial<Record<keyof typeof REDIS, string>>) =>
    judgeRedis(new Map(Object.entries({ ...REDIS, ...change })));

  it.each([
    [{}, 'ok', 'is kept'],
    [{ redis_version: '5.0.7' }, 'failure', 'Redis 5.0.7'],
    [{ role: 'slave' }, 'failure', 'replica'],
    [{ cluster_enabled: '1' }, 'warning', 'cluster'],
    [{ maxmemory: '99', maxmemory_policy: 'allkeys-lru' }, 'warning', 'allkeys-lru'],
    [{ maxmemory_policy: 'allkeys-lru' }, 'ok', 'allkeys-lru'],
    [{ aof_enabled: '0' }, 'warning', 'append-only'],
  ])('with %j: %s', (change, status, words) => {
    expect(judged(change).status).toBe(status);
    expect(judged(change).fact).toContain(words);
  });

  it('is read as it is written', () => {
    expect(readInformation('# Server\r\nredis_version:7.0.15\r\nx:a:b\r\n').get('x')).toBe('a:b');
  });

  it('is asked, and told of as it is', async ({ skip }) => {
    const lack = lackOfRedis();
    if (lack !== null) skip(lack);
    const server = await RedisServer.start(['--appendonly', 'yes']);
    try {
      const place = placeWith({ leaseText: `redis://127.0.0.1:${String(server.port)}` });
      const found = await Promise.all(IDS.map((id) => find(id, place)));
      expect(found.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok', 'ok']);
      expect(found[1]?.fact).toMatch(/^Redis \d+\.\S+ at redis:.* answers in /);
    } finally {
      await server.end();
    }
  });

  it('that is not there is told of once', async () => {
    const port = String(await freePort());
    const place = placeWith({ leaseText: `redis://u:hidden@127.0.0.1:${port}` });
    const found = await Promise.all(IDS.slice(1).map((id) => find(id, place)));
    expect(found.map(({ status }) => status)).toEqual(['failure', 'warning', 'warning']);
    expect(found[0]?.fact).toContain('ECONNREFUSED');
    expect(found[1]?.advice).toContain('`store`');
    expect(JSON.stringify(found)).not.toContain('hidden');
  });
});

describe('etcd', () => {
  const well = { version: '3.5.1', leader: '77', errors: [] };

  it.each([
    [well, 3, 'ok'],
    [well, 1, 'warning'],
    [{ ...well, version: '3.3.9' }, 3, 'failure'],
    [{ ...well, leader: '0' }, 3, 'failure'],
    [{ ...well, errors: ['memberID:1 alarm:NOSPACE'] }, 3, 'failure'],
  ])('with %j and %i members: %s', (status, members, expected) => {
    expect(judgeEtcd(status, members).status).toBe(expected);
  });

  it('is asked, and told of as it is', async ({ skip }) => {
    const lack = lackOfEtcd();
    if (lack !== null) skip(lack);
    const server = await EtcdServer.start();
    try {
      const place = placeWith({ leaseText: `etcd://127.0.0.1:${String(server.port)}` });
      const found = await Promise.all(['store', 'store-settings'].map((id) => find(id, place)));
      expect(found.map(({ status }) => status)).toEqual(['ok', 'warning']);
      expect(found[0]?.fact).toMatch(/^etcd 3\.\d+\.\d+ at /);
      expect(found[1]?.fact).toContain('One member is named');
    } finally {
      await server.end();
    }
  });
});

describe('PostgreSQL', () => {
  const well = {
    ...{ version: '15.1', synchronousCommit: 'on', fsync: 'on', standbys: '' },
    ...{ isReplica: false, isPooled: false },
  };

  it.each([
    [{}, 'ok', 'no standby is waited for'],
    [{ standbys: 'b' }, 'ok', 'it waits for b'],
    [{ isReplica: true }, 'failure', 'replica'],
    [{ fsync: 'off' }, 'warning', 'fsync is off'],
    [{ isPooled: true }, 'warning', 'pooler'],
  ])('with %j: %s', (change, status, words) => {
    const found = judgePostgres({ ...well, ...change });
    expect(found.status).toBe(status);
    expect(found.fact).toContain(words);
  });

  it('is asked, and told of as it is', async ({ skip }) => {
    const lack = lackOfPostgres();
    if (lack !== null) skip(lack);
    const server = await PostgresServer.start();
    try {
      const place = placeWith({ leaseText: server.url });
      const found = await Promise.all(IDS.map((id) => find(id, place)));
      expect(found.slice(0, 3).map(({ status }) => status)).toEqual(['ok', 'ok', 'ok']);
      expect(found[1]?.fact).toMatch(/^PostgreSQL \d+/);
      // The server of a test does not wait for its disk.
      expect(found[3]?.fact).toMatch(/fsync is off|synchronous_commit is/);
    } finally {
      await server.end();
    }
  });
});
