// What is said of a server that is of another kind than the address says: what it is not, and always in the same
// words, since what is tried again and again is told once.
import { createServer } from 'node:http';
import { createServer as createPlainServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseLease } from '../../src/config/lease-url.ts';
import { connectionsTo as connectionsToEtcd } from '../../src/lease/etcd/etcd-client.ts';
import { EtcdLease } from '../../src/lease/etcd/etcd-lease.ts';
import { connectionsTo as connectionsToPostgres } from '../../src/lease/postgres/postgres-client.ts';
import { postgresLease } from '../../src/lease/postgres/postgres-lease.ts';
import { connectionsTo as connectionsToRedis } from '../../src/lease/redis/redis-client.ts';
import { redisLease } from '../../src/lease/redis/redis-lease.ts';
import type { RemoteStore } from '../../src/lease/remote-store.ts';
import { monotonicNow } from '../../src/runtime/clock.ts';
import { recordOf } from '../contracts/support/stage.ts';

/** Long enough for a busy machine: each of these servers answers at once. */
const ANSWER_MS = 10_000;

/** One that is no store at all, and one that speaks before it is asked. */
const SERVERS: Readonly<Record<string, () => Server>> = {
  HTTP: () =>
    createServer((_, response) => {
      response.writeHead(404).end('no such page');
    }),
  SSH: () =>
    createPlainServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => undefined);
      socket.write('SSH-2.0-OpenSSH_9.2\r\n');
    }),
};

describe.each([
  ['HTTP', 'redis://HOST', 'the server there is not Redis'],
  ['SSH', 'redis://HOST', 'the server there is not Redis'],
  ['HTTP', 'etcd://HOST', 'the server there is not etcd'],
  ['SSH', 'etcd://HOST', 'the server there is not etcd'],
  ['HTTP', 'postgres://me@HOST/a?sslmode=require', 'the server there is not PostgreSQL'],
])('a server of %s', (kind, where, fact) => {
  it(`is no store at ${where}`, async () => {
    const url = where.replace('HOST', `127.0.0.1:${String(await listening(kind))}`);
    const store = await storeAt(url);
    const shown = parseLease(url).shown;
    for (let look = 1; look <= 2; look += 1) {
      await expect(store.look()).rejects.toMatchObject({
        code: 'FAILOVER_STORE_UNREACHABLE',
        message: `Cannot reach the lease store ${shown}: ${fact}`,
      });
    }
  });
});

async function listening(kind: string): Promise<number> {
  const server = SERVERS[kind]?.();
  if (server === undefined) throw new Error(`no ${kind}`);
  const sockets = new Set<{ destroy: () => void }>();
  server.on('connection', (socket) => sockets.add(socket));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // It listens at a port.
  return (server.address() as AddressInfo).port;
}

async function storeAt(url: string): Promise<RemoteStore> {
  const times = { ttlMs: 60_000, requestTimeoutMs: ANSWER_MS, now: monotonicNow };
  const options = { group: 'g', record: recordOf('a'), ...times };
  const address = parseLease(url);
  const store =
    address.kind === 'redis'
      ? redisLease({ ...options, address }, await connectionsToRedis(address, ANSWER_MS))
      : address.kind === 'etcd'
        ? new EtcdLease({ ...options, address }, await connectionsToEtcd(address))
        : address.kind === 'postgres'
          ? postgresLease({ ...options, address }, await connectionsToPostgres(address))
          : null;
  if (store === null) throw new Error(`no store: ${url}`);
  onTestFinished(() => store.close());
  return store;
}
