// Nodes whose lease is in Redis, and what a guard does, whatever keeps the lease.
import { describe, expect, it } from 'vitest';
import { lackOfRedis, RedisServer } from '../contracts/support/redis-server.ts';
import { freePort } from '../support/free-port.ts';
import type { ClientResult, NodeProcess } from '../support/process-node.ts';
import { groupsWithRedis } from './redis-groups.ts';
import {
  guardOf,
  nodesBehindTls,
  nodesWithLease,
  startBoth,
  startNode,
  TTL_MS,
} from './store-nodes.ts';

const lack = lackOfRedis();
if (lack !== null) process.stderr.write(`The tests of nodes with a lease in Redis are ${lack}.\n`);

describe.runIf(lack === null)('nodes with a lease in Redis', () => {
  nodesWithLease(async () => {
    const server = await RedisServer.start();
    let database = 0;
    return {
      freshPlace: async () => {
        database += 1;
        await server.growOld('g', database);
        return `redis://127.0.0.1:${String(server.port)}/${String(database)}`;
      },
      noted: () => noted(server, database),
      freeze: () => {
        server.freeze();
      },
      thaw: () => {
        server.thaw();
      },
      end: () => server.end(),
      begin: () => server.begin(),
      stop: () => server.stop(),
    };
  });

  nodesBehindTls(async ({ key, certificate }) => {
    const port = String(await freePort());
    const server = await RedisServer.start([
      ...['--tls-port', port, '--tls-auth-clients', 'no', '--tls-key-file', key],
      ...['--tls-cert-file', certificate, '--requirepass', 'hush-hush'],
    ]);
    await server.grownOld(TTL_MS);
    const lease = `rediss://:hush-hush@localhost:${port}`;
    return { kind: 'redis', lease, stop: () => server.stop() };
  });
});

describe.runIf(lack === null)('nodes with a guard and a lease in Redis', () => {
  const play = groupsWithRedis();

  it('never are two when a guard is killed: its node steps down', () =>
    play(async (group) => {
      const [a, b] = await startBoth(group);
      const { pid } = await group.active(1);
      group.signal(guardOf(a), 'SIGKILL');
      await group.until('the end of its workload', () => !group.lives(pid));
      await group.primaryOf([a, b]);
      await group.active(2);
    }));

  it('never are two when a guard is killed whose supervisor is stopped', () =>
    play(async (group) => {
      const [a, b] = await startBoth(group);
      const { pid } = await group.active(1);
      const guard = guardOf(a);
      a.kill('SIGSTOP');
      group.signal(guard, 'SIGKILL');
      await group.until('the end of its workload', () => !group.lives(pid));
      await group.reaches(b, 'serving');
      a.kill('SIGCONT');
      await group.reaches(a, 'watching');
    }));

  it('never are two when a supervisor and its guard are killed', () =>
    play(async (group) => {
      const [a, b] = await startBoth(group);
      await group.active(1);
      const guard = guardOf(a);
      a.kill('SIGKILL');
      group.signal(guard, 'SIGKILL');
      await group.reaches(b, 'serving');
    }));

  it('never are two when both are killed beside what a workload has started', () =>
    play(async (group) => {
      const [a, b] = await startBoth(group, { run: 'set -m; ("$W" --ignore-term & wait) & wait' });
      await group.active(1);
      const guard = guardOf(a);
      a.kill('SIGKILL');
      group.signal(guard, 'SIGKILL');
      await group.reaches(b, 'serving');
      await group.active(2);
    }));

  it('step down when a guard stands still', () =>
    play(async (group) => {
      const [a, b] = await startBoth(group);
      const { pid } = await group.active(1);
      const guard = guardOf(a);
      group.signal(guard, 'SIGSTOP');
      await group.until('the end of its workload', () => !group.lives(pid));
      group.signal(guard, 'SIGCONT');
      await group.primaryOf([a, b]);
      await group.active(2);
    }));

  it('take over with hot standbys, one after the other', () =>
    play(async (group) => {
      const hot = (id: string): Promise<NodeProcess> => {
        const signals = { 'promote-signal': 'SIGUSR1', 'demote-signal': 'SIGUSR2' };
        const options = { 'state-dir': group.path(`on-${id}`), standby: 'hot', ...signals };
        return group.start(id, { run: 'exec "$W" --hot', options });
      };
      const a = await hot('a');
      await group.reaches(a, 'serving');
      const b = await hot('b');
      await group.reaches(b, 'watching');
      a.kill('SIGKILL');
      await group.reaches(b, 'serving');
      const c = await hot('c');
      await group.reaches(c, 'watching');
      b.kill('SIGKILL');
      await group.reaches(c, 'serving');
      await group.active(3);
    }));

  const leaver = 'setsid -f "$W"; exec sleep 1000';

  it('never are two when a workload has left its session and its supervisor is killed', () =>
    play(async (group) => {
      const [a, b] = await startBoth(group, { run: leaver });
      await group.active(1);
      a.kill('SIGKILL');
      await group.reaches(b, 'serving');
      await group.active(2);
    }));

  it('never are two when a workload has left its session and its supervisor is stopped', () =>
    play(async (group) => {
      const [a, b] = await startBoth(group, { run: leaver });
      const { pid } = await group.active(1);
      a.kill('SIGSTOP');
      await group.reaches(b, 'serving');
      expect(group.lives(pid)).toBe(false);
      a.kill('SIGCONT');
      await group.reaches(a, 'watching');
    }));

  it('keep their lease beside what has left and does not say whose it is, until it has ended', () =>
    play(async (group) => {
      const run = 'env -u FAILOVER_GROUP -u FAILOVER_NODE setsid -f "$W"; exec sleep 1000';
      const a = await startNode(group, 'a', { run });
      await group.reaches(a, 'serving');
      const b = await startNode(group, 'b');
      await group.reaches(b, 'watching');
      const { pid } = await group.active(1);
      const demoted = group.client('demote', 'a', '--state-dir', group.path('on-a'));
      await group.until('word of the lease that is kept', () =>
        a.log.some(({ reason = '' }) => reason.includes('so the lease is kept')),
      );
      expect([b.phase, group.lives(pid)]).toEqual(['watching', true]);
      group.signal(pid, 'SIGKILL');
      await group.reaches(b, 'serving');
      expect((await demoted).code).toBe(0);
      await group.active(2);
    }));

  it('tell whoever asks on another machine that they lead, and are not reached from there', () =>
    play(async (group) => {
      const [, b] = await startBoth(group);
      const from = (...words: readonly string[]): Promise<ClientResult> =>
        group.client(...words, '--state-dir', group.path('on-b'));
      const checked = await from('check');
      expect([checked.code, checked.stderr]).toEqual([0, '']);
      expect(checked.stdout).toMatch(/^a leads, on .+: b follows its lease\.\n$/);
      const demoted = await from('demote');
      expect(demoted.code).toBe(3);
      expect(demoted.stderr).toContain('Cannot reach node a in group g from here: it runs on ');
      const stopped = await from('stop');
      expect([stopped.code, stopped.stdout]).toEqual([0, 'b has stopped.\n']);
      expect(stopped.stderr).toMatch(
        /^failover: not stopped because they run on other machines: a on /,
      );
      await group.ends(b);
      await group.active(1);
    }));

  it('end a workload that has left its session when another has the lease', () =>
    play(async (group, command) => {
      const a = await startNode(group, 'a', { run: leaver });
      await group.reaches(a, 'serving');
      const { pid } = await group.active(1);
      await command('SET', 'failover:{g}:lease', 'another');
      await group.until('its end', () => !group.lives(pid));
      await command('DEL', 'failover:{g}:lease');
      await group.reaches(a, 'serving', 2);
      await group.active(2);
    }));

  it('hand over in order, and restart in place with another epoch', () =>
    play(async (group) => {
      const [a, b] = await startBoth(group);
      group.signal((await group.active(1)).pid, 'SIGKILL');
      await group.active(2);
      await group.reaches(a, 'serving', 2);
      a.kill('SIGTERM');
      expect(await group.ends(a)).toBe(0);
      await group.reaches(b, 'serving');
      await group.active(3);
    }));
});

/** What the server has noted, the oldest first. */
async function noted(server: RedisServer, database: number): Promise<readonly string[]> {
  const entries = await server.command(['LRANGE', 'failover:{g}:events', '0', '-1'], database);
  if (!Array.isArray(entries)) throw new Error('no list');
  return entries
    .map(String)
    .reverse()
    .map((entry) => {
      const { node, action } = JSON.parse(entry) as { node: string; action: string }; // ours
      return `${node} ${action}`;
    });
}
