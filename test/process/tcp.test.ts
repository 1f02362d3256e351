// Nodes of several machines that hear each other over TCP: each has a state directory and a key of its own, and
// nothing in common but a store and a secret.
import { chmodSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GroupStatus, NodeEntry } from '../../src/cli/group-status.ts';
import { lackOfRedis, RedisServer } from '../contracts/support/redis-server.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import { LAUNCHER } from '../support/process-node.ts';
import type { NodeProcess } from '../support/process-node.ts';
import { ANSWERED, STEADY } from '../support/process-steps.ts';

const lack = lackOfRedis();
if (lack !== null) process.stderr.write(`The tests of nodes over TCP are ${lack}.\n`);

describe.runIf(lack === null)('nodes over TCP', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await RedisServer.start();
    await server.growOld('g');
  });

  afterAll(() => server.stop());

  it('hear, ask and succeed each other by their keys, and let no other in', () =>
    inGroup(async (group) => {
      const lease = { lease: `redis://127.0.0.1:${String(server.port)}`, ...STEADY.options };
      const keys = await keysOf(group, ['a', 'b', 'c']);
      writeFileSync(group.path('known'), ['a', 'b'].map((id) => `${keys[id] ?? ''}\n`).join(''));
      writeFileSync(group.path('secret'), 'a secret of more than sixteen\n', { mode: 0o600 });
      const start = async (id: string): Promise<NodeProcess> => {
        const options = {
          ...{ ...lease, bind: 'tcp://127.0.0.1:*', 'state-dir': group.path(`on-${id}`) },
          ...{ 'key-file': group.path(`${id}.key`), 'authorized-keys': group.path('known') },
          ...{ 'secret-file': group.path('secret'), ...ANSWERED.options },
        };
        return group.start(id, { options });
      };
      const a = await start('a');
      await group.reaches(a, 'serving');
      expect(a.log.find(({ event }) => event === 'listening')?.reason).toContain(keys['a']);
      const b = await start('b');
      await group.reaches(b, 'watching');

      // Each tells of what reached it, and the primary of who follows it.
      await shows(group, 'b', ({ transport }) => (transport?.delivered ?? 0) > 1);
      await knowsStandby(group, 'a', 'b');

      const c = await start('c');
      await group.until('c to say that it is refused', () =>
        c.warnings.find((warning) => warning.includes('refuses this node')),
      );
      await group.until('a to name its key', () =>
        a.warnings.find((warning) => warning.includes(keys['c'] ?? '?')),
      );
      await shows(
        group,
        'a',
        ({ transport }) => (transport?.distrusted['unauthorized-key'] ?? 0) > 0,
      );
      c.kill('SIGTERM');
      await group.ends(c);

      // A hand-over is asked for over TCP.
      const promoted = await group.client('promote', 'b', '--state-dir', group.path('on-b'));
      expect(promoted).toMatchObject({ code: 0 });
      await group.reaches(b, 'serving');
      await group.reaches(a, 'watching');
      await knowsStandby(group, 'b', 'a');

      b.kill('SIGKILL');
      await group.reaches(a, 'serving', 2);
      await group.active(3);
    }));

  it('are refused with 2 where a key can not be had, and leave nothing', () =>
    inGroup(async (group) => {
      await keysOf(group, ['a', 'b']);
      chmodSync(group.path('b.key'), 0o644);
      writeFileSync(group.path('list'), 'nonsense\n');
      const bind = {
        lease: `redis://127.0.0.1:${String(server.port)}`,
        bind: 'tcp://127.0.0.1:*',
      };
      const key = { 'key-file': group.path('a.key') };
      const refused: readonly (readonly [RegExp, Record<string, string>])[] = [
        [/could read messages and control this node/, bind],
        [
          /b\.key: others have access to it \(mode 0644\)/,
          { ...bind, 'key-file': group.path('b.key') },
        ],
        [/list: line 1 has no/, { ...bind, ...key, 'authorized-keys': group.path('list') }],
        [/none: the file does not exist/, { ...bind, ...key, 'secret-file': group.path('none') }],
        [/Cannot listen on tcp:\/\/192\.0\.2\.1:/, { ...bind, ...key, bind: 'tcp://192.0.2.1:*' }],
      ];
      for (const [fact, options] of refused) {
        const node = group.launch('x', { options });
        const end = await group.ends(node);
        expect([node.stray, end]).toEqual([
          expect.stringMatching(fact),
          fact.source.includes('listen') ? 1 : 2,
        ]);
      }
      expect(group.starts).toBe(0);
    }));
});

/** Makes a key for each, and gives the public halves. */
async function keysOf(
  group: Group,
  ids: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const made = ids.map(async (id) => {
    const script = `"${process.execPath}" "${LAUNCHER}" keygen --out ${id}.key`;
    const { stdout } = await group.startShell(script).done;
    return [id, stdout.trim()] as const;
  });
  return Object.fromEntries(await Promise.all(made));
}

/** Waits until `status` on the machine of a node shows this of it. */
async function shows(
  group: Group,
  id: string,
  condition: (node: NodeEntry) => boolean,
): Promise<void> {
  const untilMs = performance.now() + 30_000;
  for (;;) {
    const { stdout } = await group.client(
      'status',
      '--json',
      '--state-dir',
      group.path(`on-${id}`),
    );
    const status = JSON.parse(stdout) as GroupStatus; // our own
    const node = status.nodes.find((candidate) => candidate.id === id);
    if (node !== undefined && condition(node)) return;
    if (performance.now() > untilMs) throw new Error(`not shown of ${id}: ${stdout}`);
  }
}

/** Waits until a primary tells of a standby that has probed it. */
async function knowsStandby(group: Group, primary: string, standby: string): Promise<void> {
  const untilMs = performance.now() + 30_000;
  for (;;) {
    const directory = group.path(`on-${primary}`);
    const { stdout } = await group.client('explain', primary, '--state-dir', directory);
    if (new RegExp(`\\b${standby} stands by`).test(stdout)) return;
    if (performance.now() > untilMs) throw new Error(`no word of ${standby}: ${stdout}`);
  }
}
