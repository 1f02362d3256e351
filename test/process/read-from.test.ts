// A proxy that reads from hot standbys of a group of real nodes, while the primary changes.
import { describe, expect, it } from 'vitest';
import { ask } from '../proxy/support/proxied.ts';
import { freePort } from '../support/free-port.ts';
import { inGroup } from '../support/process-group.ts';
import type { NodeSetup } from '../support/process-setup.ts';
import { endProxy, startProxy } from '../support/process-proxy.ts';

describe('a proxy with --read-from any', () => {
  it('answers GETs through a failover and holds none, and sends POSTs to the primary alone', async () => {
    await inGroup(async (group) => {
      const ids = ['a', 'b', 'c'] as const;
      for (const id of ids) {
        const node = await group.start(id, await hotServer());
        await group.reaches(node, id === 'a' ? 'serving' : 'watching');
      }
      const { client, port } = await startProxy(group, 'http', '--read-from', 'any');
      const seen = new Set<string>();
      await group.until('all nodes to be read from', () => {
        void ask(port).then(({ body }) => seen.add(body));
        return ids.every((id) => seen.has(id));
      });
      expect(await ask(port, { method: 'POST' })).toMatchObject({ body: 'a' });

      const reads = { areOver: false };
      const odd: unknown[] = [];
      const reading = (async (): Promise<number> => {
        for (let count = 0; ; count += 1) {
          if (reads.areOver) return count;
          const { status, headers, isWhole } = await ask(port);
          const heldMs = headers['x-failover-held-ms'];
          if (status !== 200 || !isWhole || heldMs !== undefined) odd.push({ status, headers });
        }
      })();
      group.nodes[0]?.kill('SIGKILL');
      await group.until('another to lead', () => /"epoch":2.*serving/.test(client.stderr));
      const next = await group.primaryOf(group.nodes.slice(1));
      const writers = new Set<string>();
      for (let count = 0; count < 6; count += 1) {
        writers.add((await ask(port, { method: 'POST' })).body);
      }
      reads.areOver = true;
      expect(await reading).toBeGreaterThan(0);
      expect([[...writers], odd]).toEqual([[next.id], []]);
      await endProxy(client);
    });
  });

  it('is refused with --mode tcp', async () => {
    await inGroup(async (group) => {
      const flags = ['--listen', '127.0.0.1:0', '--mode', 'tcp', '--read-from', 'any'];
      const { code, stderr } = await group.client('proxy', ...flags);
      expect(code).toBe(2);
      expect(stderr).toContain('--mode tcp');
      expect(stderr).toContain('--read-from any');
    });
  });
});

/** A command that runs on every node from the start, and answers with the name of its node whether it leads or not. */
async function hotServer(): Promise<NodeSetup> {
  const port = String(await freePort());
  const program = `process.on('SIGUSR2', () => undefined);
    require('http').createServer((request, response) => {
      request.resume().on('end', () => response.end(process.env.FAILOVER_NODE));
    }).listen(${port}, '127.0.0.1')`;
  return {
    run: [process.execPath, '-e', program],
    options: {
      ...{ standby: 'hot', 'promote-signal': 'SIGUSR2', 'ready-when': `tcp://127.0.0.1:${port}` },
      target: `http://127.0.0.1:${port}`,
    },
  };
}
