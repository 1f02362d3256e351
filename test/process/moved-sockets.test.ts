// Nodes of one machine with a lease on a server: the store tells each where the primary listens, also after a move.
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GroupStatus } from '../../src/cli/group-status.ts';
import { lackOfRedis, RedisServer } from '../contracts/support/redis-server.ts';
import { inGroup } from '../support/process-group.ts';
import { bindsAnew, STEADY } from '../support/process-steps.ts';

describe.runIf(lackOfRedis() === null)('a node whose sockets were removed', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
    await server.grownOld(STEADY_TTL_MS);
  });
  afterAll(() => server.stop());

  it('is heard by one that comes later: the store names its new ones', () =>
    inGroup(async (group) => {
      const lease = `redis://127.0.0.1:${String(server.port)}`;
      const options = { lease, ...STEADY.options };
      const a = await group.start('a', { options });
      await group.reaches(a, 'serving');
      group.noteSockets();
      const before = group.socketsOf(a);
      expect(before).toHaveLength(2);
      for (const path of before) rmSync(path);
      await bindsAnew(group, a, before);
      const b = await group.start('b', { options });
      await group.reaches(b, 'watching');
      for (let look = 1; ; look += 1) {
        const { stdout } = await group.client('status', '--json');
        const { nodes } = JSON.parse(stdout) as GroupStatus; // what this version prints
        const delivered = nodes.find(({ id }) => id === 'b')?.transport?.delivered ?? 0;
        if (delivered > 1) break;
        if (look === LOOKS) expect(delivered).toBeGreaterThan(1);
      }
      expect([a.phase, group.starts]).toEqual(['serving', 1]);
    }));
});

/** As `STEADY` has it. */
const STEADY_TTL_MS = 10_000;

/** Each takes a part of a second. */
const LOOKS = 20;
