// Nodes on machines of their own without --bind, as a newcomer starts them: they see the lease, and never each other.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { GroupStatus } from '../../src/cli/group-status.ts';
import { lackOfRedis, RedisServer } from '../contracts/support/redis-server.ts';
import { freePort } from '../support/free-port.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import type { NodeProcess } from '../support/process-node.ts';
import { STEADY, STEADY_PEERS } from '../support/process-steps.ts';

it('with a lease in Redis they follow by it alone, without an alarm, and take over at once', async (context) => {
  const lack = lackOfRedis() ?? lackOfNamespaces();
  if (lack !== null) context.skip(lack);
  const server = await RedisServer.start();
  try {
    await server.growOld('g');
    const lease = `redis://127.0.0.1:${String(server.port)}`;
    await inGroup((group) => play(group, { a: {}, b: {} }), {
      options: { ...STEADY.options, lease },
    });
  } finally {
    await server.stop();
  }
});

it('with a lease among peers they do so too', async (context) => {
  const lack = lackOfNamespaces();
  if (lack !== null) context.skip(lack);
  const ports = [await freePort(), await freePort()];
  const [a = '', b = ''] = ports.map((port) => `http://127.0.0.1:${String(port)}`);
  const options = { ...STEADY_PEERS.options, lease: 'peers', peers: `${a},${b}` };
  await inGroup(
    (group) => {
      const secret = group.path('secret');
      writeFileSync(secret, 'no stranger knows this', { mode: 0o600 });
      const own = (address: string): Own => ({ 'peer-address': address, 'secret-file': secret });
      return play(group, { a: own(a), b: own(b) });
    },
    { options },
  );
});

type Own = Readonly<Record<string, string>>;

async function play(group: Group, { a: ofA, b: ofB }: { a: Own; b: Own }): Promise<void> {
  const a = await group.start('a', { options: { 'state-dir': group.path('on-a'), ...ofA } });
  await group.reaches(a, 'serving');
  const options = { 'state-dir': group.path('on-b'), ...ofB };
  const b = await group.start('b', { options, through: OWN_SOCKETS });
  await group.reaches(b, 'watching');
  // Past all that would be doubted: the timeout, and the probes after it. One that is asked on a busy machine may not
  // answer in time: it is warned of, and does not say what it hears.
  const status = await group.until('the end of all doubts', async () => {
    const seen = await statusOn(group, b);
    const { uptimeMs, hearsPrimary } = ownEntry(seen);
    const isTold = uptimeMs >= DOUBTED_MS && hearsPrimary === false && seen.warnings.length === 0;
    return isTold ? seen : null;
  });
  expect([status.primary, status.warnings]).toEqual(['a', []]);
  expect(ownEntry(status)).toMatchObject({ lastHeartbeatMs: null, hearsPrimary: false });
  const why = 'its sockets are not on this machine; set --bind tcp://… on each node';
  await group.until('b to say why', async () => {
    return (await commandOn(group, b, 'explain')).stdout.includes(why);
  });
  a.kill('SIGKILL');
  await group.reaches(b, 'serving');
  await group.active(2);
  const said = b.transitions.map(({ reason = '' }) => reason);
  expect(
    said.filter((reason) => reason.includes('following it through the lease alone')),
  ).toHaveLength(1);
  expect(said.join('\n')).not.toMatch(/is lost|probing|cannot be reached/);
  expect(b.warnings).toEqual([]);
}

/**
 * Of the timings of the tests: a timeout of 600 ms, two probes of 200 ms, one each second. And a peer holds off for
 * a time to live after its start.
 */
const DOUBTED_MS = 5_500;

async function statusOn(group: Group, node: NodeProcess): Promise<GroupStatus> {
  const { stdout } = await commandOn(group, node, 'status --json');
  return JSON.parse(stdout) as GroupStatus; // what this version prints
}

function ownEntry({ nodes }: GroupStatus): GroupStatus['nodes'][number] {
  const own = nodes.find(({ id }) => id === 'b');
  if (own === undefined) throw new Error('status does not show b');
  return own;
}

/** What a person reads on the machine of a node. */
function commandOn(group: Group, { pid }: NodeProcess, words: string): Promise<{ stdout: string }> {
  const place = `--group g --state-dir ${group.path('on-b')}`;
  return group.startShell(`nsenter -t ${String(pid)} -m $LAUNCHER ${words} ${place}`).done;
}

/** The sockets of root are in a directory that a namespace of mounts can have for itself. */
const OWN_SOCKETS = [
  ...['unshare', '-m', 'sh', '-c'],
  'mkdir -p /run/failover && mount -t tmpfs sockets /run/failover && chmod 700 /run/failover && exec "$@"',
  'sh',
];

function lackOfNamespaces(): string | null {
  const [program = '', ...words] = OWN_SOCKETS;
  return spawnSync(program, [...words, 'true']).status === 0
    ? null
    : 'this user may not mount a directory of its own (needs root)';
}
