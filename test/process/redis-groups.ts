// Groups whose lease is in a Redis of the suite.
import { afterAll, beforeAll } from 'vitest';
import { RedisServer } from '../contracts/support/redis-server.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import { TTL_MS } from './store-nodes.ts';

/** What a test does with a group, and with the database of its lease. */
type Body = (group: Group, command: (...args: string[]) => Promise<unknown>) => Promise<void>;

/** Plays each test in a database of its own: the group has the same name in all of them. */
export function groupsWithRedis(): (body: Body) => Promise<void> {
  let server: RedisServer;
  let database = 0;

  beforeAll(async () => {
    server = await RedisServer.start();
  });

  afterAll(() => server.stop());

  return async (body) => {
    database += 1;
    await server.growOld('g', database);
    const lease = `redis://127.0.0.1:${String(server.port)}/${String(database)}`;
    const command = (...args: string[]): Promise<unknown> => server.command(args, database);
    const options = { lease, 'lease-ttl': `${String(TTL_MS)}ms` };
    await inGroup((group) => body(group, command), { options });
  };
}
