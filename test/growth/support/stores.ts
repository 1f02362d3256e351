// The servers that have to bear many groups, and how often they were asked, as they count it themselves.
import { EtcdServer, lackOfEtcd } from '../../contracts/support/etcd-server.ts';
import { lackOfRedis, RedisServer } from '../../contracts/support/redis-server.ts';

interface GrowthServer {
  readonly lease: string;
  /** How often it was asked so far. */
  calls(): Promise<number>;
  stop(): Promise<void>;
}

export interface GrowthStore {
  readonly name: string;
  /** Why there is none; null: there is. */
  readonly lack: () => string | null;
  readonly start: () => Promise<GrowthServer>;
}

export const GROWTH_STORES: readonly GrowthStore[] = [
  { name: 'redis', lack: lackOfRedis, start: startRedis },
  { name: 'etcd', lack: lackOfEtcd, start: startEtcd },
];

async function startRedis(): Promise<GrowthServer> {
  const server = await RedisServer.start();
  return {
    lease: `redis://127.0.0.1:${String(server.port)}`,
    // What a script calls is not asked by anybody.
    calls: async () => {
      const text = String(await server.command(['INFO', 'commandstats']));
      return [...text.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)]
        .map(([, count]) => Number(count))
        .reduce((sum, count) => sum + count, 0);
    },
    stop: () => server.stop(),
  };
}

async function startEtcd(): Promise<GrowthServer> {
  // As it is by default.
  const server = await EtcdServer.start({ electionMs: 1_000 });
  server.growOld();
  return {
    lease: `etcd://127.0.0.1:${String(server.port)}`,
    calls: async () => (await server.counts()).calls,
    stop: () => server.stop(),
  };
}
