// Nodes whose lease is in Redis. Each has a state directory of its own, as if it were on a machine of its own:
// nothing but the lease and the guard keeps two from being active.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, lackOfRedis, RedisServer } from '../contracts/support/redis-server.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import type { NodeProcess } from '../support/process-node.ts';
import { allPids } from '../support/process-list.ts';
import { readStat } from '../../src/fence/process-identity.ts';

const lack = lackOfRedis();
if (lack !== null) process.stderr.write(`The tests of nodes with a lease in Redis are ${lack}.\n`);

describe.runIf(lack === null)('nodes with a lease in Redis', () => {
  let server: RedisServer;
  let database = 0;

  beforeAll(async () => {
    server = await RedisServer.start();
    await server.grownOld(TTL_MS);
  });

  afterAll(() => server.stop());

  /** A database of its own for each test: the group has the same name in all of them. */
  const play = async (body: (group: Group) => Promise<void>): Promise<void> => {
    database += 1;
    const lease = `redis://127.0.0.1:${String(server.port)}/${String(database)}`;
    await inGroup(body, { options: { lease, 'lease-ttl': `${String(TTL_MS)}ms` } });
  };

  const start = async (group: Group, id: string, run = 'exec "$W"'): Promise<NodeProcess> => {
    const node = await group.start(id, { run, options: { 'state-dir': group.path(`on-${id}`) } });
    return node;
  };

  const startBoth = async (
    group: Group,
    run?: string,
  ): Promise<readonly [NodeProcess, NodeProcess]> => {
    const a = await start(group, 'a', run);
    await group.reaches(a, 'serving');
    const b = await start(group, 'b', run);
    await group.reaches(b, 'watching');
    return [a, b];
  };

  /** What the server has noted, the oldest first. */
  const actions = async (): Promise<readonly string[]> => {
    const args = ['LRANGE', 'failover:{g}:events', '0', '-1'];
    const entries = await server.command(args, database);
    if (!Array.isArray(entries)) throw new Error('no list');
    return entries
      .map(String)
      .reverse()
      .map((entry) => {
        const { node, action } = JSON.parse(entry) as { node: string; action: string }; // ours
        return `${node} ${action}`;
      });
  };

  it('take over at once when a supervisor is killed: its guard empties, then gives the lease back', () =>
    play(async (group) => {
      const [a, b] = await startBoth(group, '"$W" --ignore-term & wait');
      await group.active(1);
      const [ahead] = await group.until('a guard that waits', () => childrenOf(b));
      a.kill('SIGKILL');
      await group.reaches(b, 'serving');
      await group.active(2);
      expect(guardOf(b)).toBe(ahead);
      expect(await actions()).toEqual([
        ...['a joined', 'a granted', 'b joined'],
        ...['a released', 'b granted'],
      ]);
    }));

  it('never are two when a supervisor is stopped, and it goes on as a secondary', () =>
    play(async (group) => {
      const [a, b] = await startBoth(group);
      const { pid } = await group.active(1);
      a.kill('SIGSTOP');
      await group.reaches(b, 'serving');
      expect(group.lives(pid)).toBe(false);
      a.kill('SIGCONT');
      await group.reaches(a, 'watching');
      expect(a.end).toBeNull();
    }));

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
      const [a, b] = await startBoth(group, 'set -m; ("$W" --ignore-term & wait) & wait');
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

  const leaver = 'setsid -f "$W"; exec sleep 1000';

  it('never are two when a workload has left its session and its supervisor is killed', () =>
    play(async (group) => {
      const [a, b] = await startBoth(group, leaver);
      await group.active(1);
      a.kill('SIGKILL');
      await group.reaches(b, 'serving');
      await group.active(2);
    }));

  it('never are two when a workload has left its session and its supervisor is stopped', () =>
    play(async (group) => {
      const [a, b] = await startBoth(group, leaver);
      const { pid } = await group.active(1);
      a.kill('SIGSTOP');
      await group.reaches(b, 'serving');
      expect(group.lives(pid)).toBe(false);
      a.kill('SIGCONT');
      await group.reaches(a, 'watching');
    }));

  it('end a workload that has left its session when another has the lease', () =>
    play(async (group) => {
      const a = await start(group, 'a', leaver);
      await group.reaches(a, 'serving');
      const { pid } = await group.active(1);
      await server.command(['SET', 'failover:{g}:lease', 'another'], database);
      await group.until('its end', () => !group.lives(pid));
      await server.command(['DEL', 'failover:{g}:lease'], database);
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

  it('step down when the server is away for long, and lead again when it is back', () =>
    play(async (group) => {
      const [a, b] = await startBoth(group);
      const { pid } = await group.active(1);
      server.signal('SIGSTOP');
      await group.until('the end of the workload', () => !group.lives(pid));
      expect(group.starts).toBe(1);
      server.signal('SIGCONT');
      await group.primaryOf([a, b]);
      await group.active(2);
    }));

  it('wait for a server that is not there yet', () =>
    play(async (group) => {
      await server.end();
      const a = await start(group, 'a');
      await group.until('a failed claim', () => a.log.some(({ reason }) => isUnreachable(reason)));
      await server.begin();
      await group.reaches(a, 'serving');
    }));
});

const isTls = lack === null && spawnSync('openssl', ['version']).status === 0;
if (!isTls) process.stderr.write('Skipped: the tests of TLS to Redis, since openssl is missing.\n');

describe.runIf(isTls)('nodes with a lease in Redis behind TLS and a password', () => {
  it('take over at once when a supervisor is killed, and show no password', () =>
    inGroup(async (group) => {
      const { key, certificate } = certify(group);
      const files = ['--tls-key-file', key, '--tls-cert-file', certificate];
      const port = String(await freePort());
      const server = await RedisServer.start([
        ...['--tls-port', port, '--tls-auth-clients', 'no', ...files],
        ...['--requirepass', 'hush-hush'],
      ]);
      try {
        await server.grownOld(TTL_MS);
        const env = {
          NODE_EXTRA_CA_CERTS: certificate,
          FAILOVER_LEASE: `rediss://:hush-hush@localhost:${port}`,
        };
        const options = { 'lease-ttl': `${String(TTL_MS)}ms` };
        const [a, b] = await group.startAll(['a', 'b'], { env, options });
        const { pid } = await group.active(1);
        expect(readFileSync(`/proc/${String(pid)}/environ`, 'utf8')).not.toContain('hush-hush');
        a.kill('SIGKILL');
        await group.reaches(b, 'serving');
        await group.active(2);
        const status = await group.client('status', '--json');
        expect(JSON.parse(status.stdout)).toMatchObject({ primary: 'b', lease: { kind: 'redis' } });
        const said = [JSON.stringify([a.log, b.log]), a.stray, b.stray, status.stdout];
        expect(said.join()).not.toContain('hush-hush');
        expect(filesUnder(group.stateDir).filter((text) => text.includes('hush-hush'))).toEqual([]);
        b.kill('SIGTERM');
        await group.ends(b);
      } finally {
        await server.stop();
      }
    }));
});

function certify(group: Group): { readonly key: string; readonly certificate: string } {
  const [key, certificate] = [group.path('key.pem'), group.path('certificate.pem')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  spawnSync('openssl', [...request, '-keyout', key, '-out', certificate, ...names]);
  return { key, certificate };
}

function filesUnder(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [readFileSync(join(entry.parentPath, entry.name), 'utf8')] : [],
  );
}

/** Long enough for a busy machine. */
const TTL_MS = 3_000;

/** Null: it has none. */
function childrenOf(node: NodeProcess): readonly number[] | null {
  const children = allPids().filter((pid) => readStat(pid)?.parent === node.pid);
  return children.length === 0 ? null : children;
}

/** The parent of the workload; one that waits for what comes next has no children. */
function guardOf(node: NodeProcess): number {
  const parentOf = (pid: number): number => readStat(pid)?.parent ?? 0;
  const guard = allPids()
    .map(parentOf)
    .find((parent) => parentOf(parent) === node.pid);
  if (guard === undefined) throw new Error(`${node.id} has no guard`);
  return guard;
}

function isUnreachable(reason: unknown): boolean {
  return typeof reason === 'string' && reason.includes('Cannot reach the lease store');
}
