// Nodes without a store, which agree on the lease among themselves; each with a directory of its own, as if it were on
// a machine of its own.
import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import type { NodeProcess } from '../support/process-node.ts';
import { STEADY_PEERS } from '../support/process-steps.ts';

const IDS = ['a', 'b', 'c'] as const;
type Id = (typeof IDS)[number];

const SECRET = 'no stranger knows this';

/** What `failover status --json` says, as far as it is looked at here. */
interface Status {
  readonly primary: string | null;
  readonly lease: { readonly kind: string; readonly holder: string | null };
  readonly nodes: readonly {
    readonly id: string;
    readonly willing: boolean | null;
    readonly transport: { readonly distrusted: Readonly<Record<string, number>> } | null;
  }[];
}

interface Nodes {
  readonly group: Group;
  readonly start: (id: Id) => Promise<NodeProcess>;
  readonly urlOf: (id: Id) => string;
  readonly statusOf: (id: Id) => Promise<Status>;
  /** Resolves when a node could lead: it has listened for long enough. */
  readonly isWilling: (id: Id) => Promise<void>;
  /** What a command says on the machine of a node. */
  readonly on: (id: Id, ...args: readonly string[]) => ReturnType<Group['client']>;
}

async function play(body: (nodes: Nodes) => Promise<void>): Promise<void> {
  const ports = { a: await freePort(), b: await freePort(), c: await freePort() };
  const urlOf = (id: Id): string => `http://127.0.0.1:${String(ports[id])}`;
  const options = { ...STEADY_PEERS.options, lease: 'peers', peers: IDS.map(urlOf).join(',') };
  const env = { FAILOVER_PREEMPT: '1', FAILOVER_PREEMPT_DELAY: '1s' };
  await inGroup(
    async (group) => {
      const secret = group.path('secret');
      writeFileSync(secret, SECRET, { mode: 0o600 });
      const start: Nodes['start'] = (id) => {
        const own = { 'state-dir': group.path(`on-${id}`), 'peer-address': urlOf(id) };
        return group.start(id, { options: { ...own, 'secret-file': secret } });
      };
      const on: Nodes['on'] = (id, command = '', ...args) =>
        group.client(command, ...args, '--state-dir', group.path(`on-${id}`));
      const statusOf: Nodes['statusOf'] = async (id) => {
        const { stdout } = await on(id, 'status', '--json');
        return JSON.parse(stdout) as Status; // as the manual has it
      };
      const isWilling: Nodes['isWilling'] = async (id) => {
        await group.until(`${id} to be willing`, async () => {
          const { nodes } = await statusOf(id);
          return nodes.some((node) => node.id === id && node.willing === true);
        });
      };
      await body({ group, start, urlOf, on, statusOf, isWilling });
    },
    { options, env },
  );
}

it('nodes without a store take over at once when one is killed or stopped, and a lower id that returns leads', () =>
  play(async ({ group, start, urlOf, statusOf, isWilling }) => {
    const a = await start('a');
    await group.reaches(a, 'serving');
    const [b, c] = await Promise.all([start('b'), start('c')]);
    await Promise.all([group.reaches(b, 'watching'), group.reaches(c, 'watching')]);

    // A stranger is not believed, and counted.
    const said = { method: 'POST', body: '{}', headers: { 'x-failover-signature': 'sha256=00' } };
    expect((await fetch(`${urlOf('b')}/_ha/heartbeat`, said)).status).toBe(401);
    expect((await fetch(urlOf('b'))).status).toBe(404);
    // One that is asked on a busy machine may not answer in time, and has counted nothing then.
    const { primary, lease, nodes } = await group.until('b to tell', async () => {
      const seen = await statusOf('b');
      return seen.nodes.some(({ id, transport }) => id === 'b' && transport !== null) && seen;
    });
    expect([primary, lease]).toMatchObject(['a', { kind: 'peers', holder: 'a' }]);
    expect(nodes.map(({ id }) => id).sort()).toEqual(IDS);
    const own = nodes.find(({ id }) => id === 'b');
    expect(own?.transport?.distrusted['bad-signature']).toBe(1);

    await isWilling('b');
    const { pid } = await group.active(1);
    a.kill('SIGKILL');
    await group.reaches(b, 'serving');
    expect(group.lives(pid)).toBe(false);

    const again = await start('a');
    await group.reaches(again, 'serving');
    await group.reaches(b, 'watching', 2);
    await group.active(3);

    again.kill('SIGTERM');
    expect(await group.ends(again)).toBe(0);
    await group.reaches(b, 'serving', 2);
    await group.hasStarted(4);
  }));

it('nodes without a store are never two when a supervisor is stopped, and refuse who has an id or a secret of its own', () =>
  play(async ({ group, start, urlOf, on }) => {
    const a = await start('a');
    await group.reaches(a, 'serving');
    const b = await start('b');
    await group.reaches(b, 'watching');

    const options = { lease: 'peers', peers: urlOf('a'), 'peer-address': urlOf('c') };
    const stranger = (id: string, secret: string): NodeProcess =>
      group.launch(id, {
        options: { ...options, 'state-dir': group.path('on-c'), 'secret-file': secret },
      });
    const double = stranger('a', group.path('secret'));
    expect(await group.ends(double)).toBe(4);
    expect(double.stray).toContain(`the node at ${urlOf('a')} has that id`);
    writeFileSync(group.path('other'), 'of another group', { mode: 0o600 });
    const unbelieved = stranger('c', group.path('other'));
    expect(await group.ends(unbelieved)).toBe(2);
    expect(unbelieved.stray).toContain(`${urlOf('a')} uses another secret`);

    expect((await on('b', 'pause')).code).toBe(0);
    const { pid } = await group.active(1);
    a.kill('SIGSTOP');
    await group.until('the end of the workload', () => !group.lives(pid));
    await group.until('b to wait', () => b.phase === 'waiting');
    expect((await on('b', 'resume')).code).toBe(0);
    await group.reaches(b, 'serving');
    a.kill('SIGCONT');
    await group.until('a to follow', () => a.phase === 'watching' || a.timesIn('serving') > 1);
    expect(a.end).toBeNull();
  }));
