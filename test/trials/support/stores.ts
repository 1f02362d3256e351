// The stores that the trials try, and what only their servers know: when the lease that is held ends by itself.
import { EtcdServer, lackOfEtcd } from '../../contracts/support/etcd-server.ts';
import { lackOfPostgres, PostgresServer } from '../../contracts/support/postgres-server.ts';
import { lackOfRedis, RedisServer } from '../../contracts/support/redis-server.ts';

export interface TrialServer {
  /** What `--lease` takes. */
  readonly lease: string;
  /**
   * The earliest moment at which the lease of the group `g` can end if nobody renews it, monotonic, ms: counted from
   * before the server was asked.
   */
  endOfLease(): Promise<number>;
  stop(): Promise<void>;
}

export interface TrialStore {
  readonly name: string;
  /** Why there is no server to try; null: there is. */
  readonly lack: () => string | null;
  /** One that trusts what it knows, for leases of this time. */
  readonly start: (ttlMs: number) => Promise<TrialServer>;
}

export const TRIAL_STORES: readonly TrialStore[] = [
  { name: 'redis', lack: lackOfRedis, start: startRedis },
  { name: 'etcd', lack: lackOfEtcd, start: startEtcd },
  { name: 'postgres', lack: lackOfPostgres, start: startPostgres },
];

async function startRedis(ttlMs: number): Promise<TrialServer> {
  const server = await RedisServer.start();
  await server.grownOld(ttlMs);
  return {
    lease: `redis://127.0.0.1:${String(server.port)}`,
    endOfLease: async () => {
      const askedAt = performance.now();
      return askedAt + Number(await server.command(['PTTL', 'failover:{g}:lease']));
    },
    stop: () => server.stop(),
  };
}

async function startPostgres(ttlMs: number): Promise<TrialServer> {
  const server = await PostgresServer.start();
  await server.grownOld(ttlMs);
  const left = `SELECT extract(epoch FROM expires_at - clock_timestamp()) * 1000
    FROM failover.leases WHERE group_name = 'g'`;
  return {
    lease: server.url,
    endOfLease: async () => {
      const askedAt = performance.now();
      return askedAt + Number((await server.query(left))[0]);
    },
    stop: () => server.stop(),
  };
}

async function startEtcd(): Promise<TrialServer> {
  const server = await EtcdServer.start();
  server.growOld();
  const ask = async (path: string, body: object): Promise<string> => {
    const url = `http://127.0.0.1:${String(server.port)}/v3/${path}`;
    return (await fetch(url, { method: 'POST', body: JSON.stringify(body) })).text();
  };
  const key = Buffer.from('failover/g/lead/lease').toString('base64');
  return {
    lease: `etcd://127.0.0.1:${String(server.port)}`,
    endOfLease: async () => {
      const ID = /"lease":"(\d+)"/.exec(await ask('kv/range', { key }))?.[1];
      // It tells whole seconds, rounded down: when they change, there were just so many.
      const first = await secondsLeft(ask, { ID });
      let last = first;
      for (;;) {
        const next = await secondsLeft(ask, { ID });
        if (next.seconds < first.seconds) return last.askedAt + 1_000 * first.seconds;
        last = next;
      }
    },
    stop: () => server.stop(),
  };
}

async function secondsLeft(
  ask: (path: string, body: object) => Promise<string>,
  lease: object,
): Promise<{ readonly askedAt: number; readonly seconds: number }> {
  const askedAt = performance.now();
  // A field that is nought is left out.
  const seconds = Number(/"TTL":"(-?\d+)"/.exec(await ask('lease/timetolive', lease))?.[1] ?? 0);
  return { askedAt, seconds };
}
