// The lease in PostgreSQL against a real server, and what is PostgreSQL alone.
import { describe } from 'vitest';
import { parseLease } from '../../src/config/lease-url.ts';
import type { PostgresAddress } from '../../src/config/lease-url.ts';
import { connectionsTo } from '../../src/lease/postgres/postgres-client.ts';
import { postgresLease } from '../../src/lease/postgres/postgres-lease.ts';
import type { RemoteStore } from '../../src/lease/remote-store.ts';
import { monotonicNow } from '../../src/runtime/clock.ts';
import { leaseContract } from './lease-contract.ts';
import { lackOfPostgres, PostgresServer } from './support/postgres-server.ts';
import { recordOf } from './support/stage.ts';
import type { OpenOptions, StoreUnderTest } from './support/stage.ts';

const lack = lackOfPostgres();
if (lack !== null) process.stderr.write(`The tests of the lease in PostgreSQL are ${lack}.\n`);

describe.runIf(lack === null)('a lease in PostgreSQL', () => {
  leaseContract(async (trustedMs) => {
    const server = await PostgresServer.start();
    await server.grownOld(trustedMs);
    return underTest(server);
  });
});

function underTest(server: PostgresServer): StoreUnderTest {
  return {
    port: server.port,
    open: (options) => open(`postgres://tester@127.0.0.1:${String(server.port)}/postgres`, options),
    loseLease: async (group) => {
      const lost = 'SET token = NULL, expires_at = NULL';
      await server.query(`UPDATE failover.leases ${lost} WHERE group_name = '${group}'`);
    },
    restart: () => server.beginAnew(),
    freeze: () => {
      server.freeze();
    },
    thaw: () => {
      server.thaw();
    },
    stop: () => server.stop(),
  };
}

async function open(
  url: string,
  { node, group, ttlMs, requestTimeoutMs, proxy }: OpenOptions,
): Promise<RemoteStore> {
  const through = new URL(url);
  if (proxy !== undefined) through.port = String(proxy.port);
  const address = postgresAddress(through.href);
  const times = { ttlMs, requestTimeoutMs, now: monotonicNow };
  const parts = { address, group, record: recordOf(node), ...times };
  const lease = postgresLease(parts, await connectionsTo(address));
  try {
    await lease.begin();
  } catch (error) {
    await lease.close();
    throw error;
  }
  return lease;
}

function postgresAddress(url: string): PostgresAddress {
  const address = parseLease(url);
  if (address.kind !== 'postgres') throw new Error(`not of PostgreSQL: ${url}`);
  return address;
}
