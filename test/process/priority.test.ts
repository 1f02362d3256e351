// Who leads where the strategy is priority: with files of this machine, and with a lease on a server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lackOfRedis, RedisServer } from '../contracts/support/redis-server.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import type { NodeProcess } from '../support/process-node.ts';
import type { GroupSetup } from '../support/process-setup.ts';

const lack = lackOfRedis();
if (lack !== null)
  process.stderr.write(`The tests of priorities with a lease in Redis are ${lack}.\n`);

const WINDOW = {
  ...{ strategy: 'priority', 'priority-window': '2s' },
  // Many processes: one that has to wait for the CPU is not to be forgotten by the primary.
  ...{ 'heartbeat-interval': '200ms', 'heartbeat-timeout': '2s' },
  ...{ 'probe-interval': '2s', 'probe-timeout': '1s' },
};
/** Processes that are started at once come to the lease within it, on a machine that is busy too. */
const TOGETHER = { 'priority-window': '5s' };
/** A flag without a value. */
const PREEMPT = { FAILOVER_PREEMPT: 'true' };

let server: RedisServer | null = null;
let database = 0;

beforeAll(async () => {
  if (lack !== null) return;
  server = await RedisServer.start();
  await server.grownOld(TTL_MS);
});

afterAll(() => server?.stop());

/** One that a busy machine renews in time. */
const TTL_MS = 4_000;

describe.each(lack === null ? ['file', 'redis'] : ['file'])('with the lease %s', (kind) => {
  const setupOf = (): GroupSetup => {
    if (kind === 'file' || server === null) return { options: WINDOW };
    database += 1;
    const lease = `redis://127.0.0.1:${String(server.port)}/${String(database)}`;
    return { options: { ...WINDOW, lease, 'lease-ttl': `${String(TTL_MS)}ms` } };
  };

  it('the best of those that start together leads, and after it the next by rank', () =>
    inGroup(async (group) => {
      const a = group.launch('a', { options: { ...TOGETHER, priority: '30' } });
      const b = group.launch('b', { options: { ...TOGETHER, priority: '20' } });
      const c = group.launch('c', { options: { ...TOGETHER, priority: '10' } });
      await group.reaches(c, 'serving');
      await inSuccession(group, ['b', 'a']);
      c.kill('SIGKILL');
      await group.reaches(b, 'serving');
      await inSuccession(group, ['a']);
      b.kill('SIGKILL');
      await group.reaches(a, 'serving');
      expect([a, b, c].map((node) => node.timesIn('serving'))).toStrictEqual([1, 1, 1]);
      group.judge();
    }, setupOf()));

  it('a better node takes the lead in order, and leaves it to one that a person asked for', () =>
    inGroup(async (group) => {
      const a = await group.start('a', { options: { priority: '200' } });
      await group.reaches(a, 'serving');
      const options = { priority: '10', 'preempt-delay': '1s' };
      const b = await group.start('b', { options, env: PREEMPT });
      await group.reaches(b, 'serving');
      await group.reaches(a, 'watching');
      expect(reasonsOf(a)).toContain('Stepping down on request: b outranks this node');
      expect((await group.client('promote', 'a')).code).toBe(0);
      await group.reaches(a, 'serving', 2);
      const { uptimeMs } = nodeIn(await status(group), 'b');
      await polled(group, 'twice the delay', (now) => nodeIn(now, 'b').uptimeMs > uptimeMs + 2_000);
      expect([a.phase, b.phase, group.starts]).toStrictEqual(['serving', 'watching', 3]);
      group.judge();
    }, setupOf()));

  it('a better node that comes back leaves the lead where it is', () =>
    inGroup(async (group) => {
      const options = { priority: '10', 'preempt-delay': '1s' };
      const first = await group.start('b', { options });
      await group.reaches(first, 'serving');
      const a = await group.start('a', { options: { priority: '200' } });
      await group.reaches(a, 'watching');
      first.kill('SIGTERM');
      expect(await group.ends(first)).toBe(0);
      await group.reaches(a, 'serving');
      const back = await group.start('b', { options });
      await inSuccession(group, ['b']);
      await group.reaches(back, 'watching');
      const { uptimeMs } = nodeIn(await status(group), 'b');
      await polled(group, 'twice the window', (now) => {
        return nodeIn(now, 'b').uptimeMs > uptimeMs + 4_000;
      });
      expect([a.phase, back.phase, group.starts]).toStrictEqual(['serving', 'watching', 2]);
    }, setupOf()));

  it('one of priority 0 never leads: nobody does until another comes, also when a person asks for it', () =>
    inGroup(async (group) => {
      const a = await group.start('a', { options: { priority: '0' } });
      await group.reaches(a, 'waiting');
      const { code, stderr } = await group.client('promote', 'a');
      expect(code).toBe(1);
      expect(stderr).toContain(
        'Cannot promote a: it was started with --priority 0 and never leads',
      );
      const b = await group.start('b');
      await group.reaches(b, 'serving');
      await group.reaches(a, 'watching');
      b.kill('SIGKILL');
      await group.reaches(a, 'waiting', 2);
      expect(a.timesIn('serving')).toBe(0);
    }, setupOf()));
});

interface Status {
  readonly primary: string | null;
  readonly succession: readonly string[];
  readonly nodes: readonly { readonly id: string; readonly uptimeMs: number }[];
}

async function status(group: Group): Promise<Status> {
  const { stdout } = await group.client('status', '--json');
  return JSON.parse(stdout) as Status; // ours
}

function nodeIn({ nodes }: Status, id: string): Status['nodes'][number] {
  const node = nodes.find((one) => one.id === id);
  if (node === undefined) throw new Error(`${id} is not in the status`);
  return node;
}

/** The secondaries know who goes first: the primary has heard them, and said so. */
async function inSuccession(group: Group, ids: readonly string[]): Promise<void> {
  await polled(group, `the succession ${ids.join()}`, ({ primary, succession }) => {
    return primary !== null && succession.join() === ids.join();
  });
  const followers = group.nodes.filter(({ id, end }) => end === null && ids.includes(id));
  for (const node of followers) await group.reaches(node, 'watching');
}

async function polled(
  group: Group,
  what: string,
  isSo: (status: Status) => boolean,
): Promise<void> {
  await group.until(what, async () => isSo(await status(group)));
}

function reasonsOf(node: NodeProcess): string {
  return node.transitions.map(({ reason }) => reason).join('\n');
}
