// The lease in etcd against a real server, and what is etcd alone.
import { describe } from 'vitest';
import { parseLease } from '../../src/config/lease-url.ts';
import { connectionsTo } from '../../src/lease/etcd/etcd-client.ts';
import { EtcdLease } from '../../src/lease/etcd/etcd-lease.ts';
import { monotonicNow } from '../../src/runtime/clock.ts';
import { leaseContract } from './lease-contract.ts';
import { EtcdServer, lackOfEtcd } from './support/etcd-server.ts';
import { recordOf } from './support/stage.ts';
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

async function open(
  url: string,
  { node, group, ttlMs, requestTimeoutMs }: OpenOptions,
): Promise<EtcdLease> {
  const address = parseLease(url);
  if (address.kind !== 'etcd') throw new Error(`not of etcd: ${url}`);
  const options = { address, group, record: recordOf(node), ttlMs, requestTimeoutMs };
  const lease = new EtcdLease({ ...options, now: monotonicNow }, await connectionsTo(address));
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
      server.signal('SIGSTOP');
    },
    thaw: () => {
      server.signal('SIGCONT');
    },
    stop: () => server.stop(),
  };
}
