// What clients show of nodes on several machines: each has a state directory of its own, as if it were on another.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { journalOfNode } from '../../src/journal/find-journal.ts';
import { eventually } from '../contracts/support/claims.ts';
import { lackOfRedis, RedisServer } from '../contracts/support/redis-server.ts';
import { freePort } from '../support/free-port.ts';
import { inGroup } from '../support/process-group.ts';
import { textOf } from '../support/text-of.ts';

const lack = lackOfRedis();

interface Shown {
  readonly primary: string | null;
  readonly paused: boolean;
  readonly warnings: readonly string[];
  readonly lease: { readonly kind: string; readonly server: string | null };
  readonly nodes: readonly { readonly id: string; readonly state: string; readonly host: string }[];
}

describe.runIf(lack === null)('clients of a group with a lease in Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
    await server.grownOld(TTL_MS);
  });
  afterAll(() => server.stop());

  it('see every machine, and pause from where no node lives', () =>
    inGroup(async (group) => {
      const lease = `redis://127.0.0.1:${String(server.port)}`;
      const on = (id: string): Record<string, string> => ({ 'state-dir': group.path(`on-${id}`) });
      const options = { lease, 'lease-ttl': `${String(TTL_MS)}ms` };
      const run = 'printf "[%s]" "$FAILOVER_LEASE" > "$FAILOVER_STATE_DIR/leaked"; exec "$W"';
      const env = { FAILOVER_LEASE: lease };
      const a = await group.start('a', { run, env, options: { ...options, ...on('a') } });
      await group.reaches(a, 'serving');
      const b = await group.start('b', { options: { ...options, ...on('b') } });
      await group.reaches(b, 'watching');
      const leaked = (): string => textOf(`${group.path('on-a')}/leaked`);
      await group.until('the command to write', () => leaked() !== '');
      expect(leaked()).toBe('[]');

      /** Looks until it shows these: a node of a busy machine may not answer in time. */
      const shows = async (expected: readonly string[], ...args: string[]): Promise<Shown> => {
        for (let look = 1; ; look += 1) {
          const { stdout } = await group.client('status', '--json', ...args);
          const shown = JSON.parse(stdout) as Shown; // what this version prints
          const states = shown.nodes.map(({ id, state }) => `${id} ${state}`);
          if (states.join() === expected.join()) return shown;
          if (look === LOOKS) expect(states).toEqual(expected);
        }
      };
      const onB = ['--state-dir', group.path('on-b')];
      // Through the node of the same machine, which knows the server.
      const fromB = await shows(['a elsewhere', 'b secondary'], ...onB);
      expect(fromB).toMatchObject({ primary: 'a', warnings: [], lease: { kind: 'redis' } });
      const onA = ['--state-dir', group.path('on-a')];
      expect(await shows(['a primary', 'b elsewhere'], ...onA)).toMatchObject({ primary: 'a' });
      // From a machine where none runs.
      const nowhere = ['--state-dir', group.path('nowhere'), '--lease', lease];
      const fromAfar = await shows(['a elsewhere', 'b elsewhere'], ...nowhere);
      expect(fromAfar).toMatchObject({ primary: 'a', lease: { server: `${lease}/0` } });
      const explained = await group.client('explain', ...nowhere);
      expect(explained.stdout).toMatch(/^a on .* is primary at epoch 1/);

      const told = await group.client('events', ...nowhere);
      expect(told.stdout).toMatch(/ a +granted +1 +at the server\n(?:.*\n)*.* b +joined/);
      const both = await group.client('events', '--json', ...onB);
      expect(both.stdout).toContain('"source": "node"');
      expect(both.stdout).toContain('"source": "server"');

      const paused = await group.client('pause', ...nowhere);
      expect(paused).toMatchObject({ code: 0 });
      expect(paused.stdout).toContain('a stays primary');
      await eventually(async () => (await shows(['a elsewhere', 'b secondary'], ...onB)).paused);
      await group.client('resume', ...nowhere);
      expect((await shows(['a elsewhere', 'b elsewhere'], ...nowhere)).paused).toBe(false);
    }));

  it('take a node that was killed here for dead, and not for one of another machine', () =>
    inGroup(async (group) => {
      const lease = `redis://127.0.0.1:${String(server.port)}`;
      const options = { lease, 'lease-ttl': `${String(TTL_MS)}ms` };
      const [a, b] = await group.startAll(['a', 'b'], { options });
      await group.reaches(a, 'serving');
      await group.reaches(b, 'watching');
      // Written a while after it was opened: by it this machine knows for long who ran here.
      const journals = join(group.groupDir, 'journal');
      await group.until('its journal', () => journalOfNode(journals, 'b') !== null);
      b.kill('SIGKILL');
      await group.ends(b);
      // Whoever starts removes the record of one that has ended.
      await group.reaches(await group.start('c', { options }), 'watching');
      const { stdout } = await group.client('status', '--json');
      const { nodes } = JSON.parse(stdout) as Shown; // what this version prints
      expect(nodes.map(({ id }) => id)).toEqual(['a', 'c']);
      const asked = await group.client('promote', 'b');
      expect(asked.stderr).toContain('Cannot find node b');
    }));

  it('say what is known here, and that the server can not be reached', () =>
    inGroup(async (group) => {
      const lease = `redis://me:hush-hush@127.0.0.1:${String(await freePort())}`;
      const shown = await group.client('status', '--lease', lease);
      expect(shown.code).toBe(1);
      expect(shown.stdout).toContain('Cannot reach the lease store redis://127.0.0.1:');
      const paused = await group.client('pause', '--lease', lease);
      expect([paused.code, paused.stderr.includes('Cannot reach the lease store')]).toEqual([
        1,
        true,
      ]);
      expect(JSON.stringify([shown, paused])).not.toContain('hush');
    }));
});

const TTL_MS = 3_000;

const LOOKS = 20;
