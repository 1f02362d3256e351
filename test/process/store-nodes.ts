// Nodes whose lease is on a server, whatever the server. Each has a state directory of its own, as if it were on a
// machine of its own: nothing but the lease and the guard keeps two from being active.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStat } from '../../src/fence/process-identity.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import type { NodeProcess } from '../support/process-node.ts';
import type { NodeSetup } from '../support/process-setup.ts';
import { STEADY } from '../support/process-steps.ts';
import { nodesOfOneId } from './store-ids.ts';
import { allPids, guardOf as guardOfSupervisor } from '../support/process-list.ts';

/** A real server, private to the suite. */
export interface NodesServer {
  /** The address of a place where the group is not known yet: it has the same name in each test. */
  freshPlace(): Promise<string>;
  /** What was noted at the last place, the oldest first: node and action. */
  noted(): Promise<readonly string[]>;
  freeze(): void;
  thaw(): void;
  end(): Promise<void>;
  begin(): Promise<void>;
  stop(): Promise<void>;
}

/** Long enough for a busy machine. */
export const TTL_MS = 3_000;

export function startNode(
  group: Group,
  id: string,
  { run = 'exec "$W"', options = {} }: NodeSetup = {},
): Promise<NodeProcess> {
  return group.start(id, { run, options: { 'state-dir': group.path(`on-${id}`), ...options } });
}

/** One after the other; the first leads. */
export async function startBoth(
  group: Group,
  setup: NodeSetup = {},
): Promise<readonly [NodeProcess, NodeProcess]> {
  const a = await startNode(group, 'a', setup);
  await group.reaches(a, 'serving');
  const b = await startNode(group, 'b', setup);
  await group.reaches(b, 'watching');
  return [a, b];
}

export function guardOf(node: NodeProcess): number {
  const guard = guardOfSupervisor(node.pid);
  if (guard === null) throw new Error(`${node.id} has no guard`);
  return guard;
}

/** Null: it has none. */
function childrenOf(node: NodeProcess): readonly number[] | null {
  const children = allPids().filter((pid) => readStat(pid)?.parent === node.pid);
  return children.length === 0 ? null : children;
}

/** On a it goes on until it is let end. */
const ENDS_LATE = `[ "$FAILOVER_NODE" = a ] || exec "$W"
  trap '' TERM; "$W" --ignore-term & until [ -e go ]; do sleep 0.02; done; kill -KILL $!`;

/** The supervisor of the primary is killed: its guard empties, then gives the lease back. */
export async function takeOver(
  group: Group,
  noted: () => Promise<readonly string[]>,
): Promise<void> {
  const [a, b] = await startBoth(group, { run: ENDS_LATE, ...STEADY });
  await group.active(1);
  const before = await group.until('a guard that waits', () => childrenOf(b));
  a.kill('SIGKILL');
  // Its first claim is denied while the old workload ends: the guard that waited for it is replaced.
  const ahead = await group.until('another guard that waits', () =>
    b.timesIn('watching') < 2 ? null : childrenOf(b)?.find((pid) => !before.includes(pid)),
  );
  writeFileSync(group.path('go'), '');
  await group.reaches(b, 'serving');
  await group.active(2);
  expect(guardOf(b)).toBe(ahead);
  expect(await noted()).toEqual([
    ...['a joined', 'a granted', 'b joined'],
    ...['a released', 'b granted'],
  ]);
}

export function nodesWithLease(start: () => Promise<NodesServer>, times: NodeTimes = TIMES): void {
  let server: NodesServer;
  beforeAll(async () => {
    server = await start();
  }, 60_000);
  afterAll(() => server.stop());

  const play = async (body: (group: Group) => Promise<void>): Promise<void> => {
    const lease = await server.freshPlace();
    await inGroup(body, { options: { lease, ...times } });
  };

  describe('of one id', () => {
    nodesOfOneId(play);
  });

  it('take over at once when a supervisor is killed: its guard empties, then gives the lease back', () =>
    play((group) => takeOver(group, () => server.noted())));

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

  it('keep no process of a promotion that came to nothing, but the one guard that waits', () =>
    play(async (group) => {
      const nodes = await startBoth(group);
      const [a, b] = nodes;
      await group.until('a guard that waits', () => childrenOf(b));
      a.kill('SIGSTOP');
      // It is told that a does not answer, or on a machine that is too busy for that it leads in the end.
      await group.client('promote', 'b', '--state-dir', group.path('on-b'));
      a.kill('SIGCONT');
      const isIdle = (node: NodeProcess): boolean => {
        const guards = childrenOf(node) ?? [];
        const gates = allPids().filter((pid) => guards.includes(readStat(pid)?.parent ?? 0));
        return node.phase === 'watching' && guards.length === 1 && gates.length === 0;
      };
      await group.until('a secondary that has nothing more', () => nodes.some(isIdle));
    }));

  it('wait for the end of a lease whose holder is silent, when a person forces a promotion', () =>
    play(async (group) => {
      // Its guard is not to give the lease back before a client has come to ask for it.
      const [a, b] = await startBoth(group, STEADY);
      const { pid } = await group.active(1);
      a.kill('SIGSTOP');
      const onB = ['--state-dir', group.path('on-b')];
      const promoted = await group.client('promote', 'b', '--force', ...onB);
      expect(promoted.code).toBe(0);
      expect(promoted.stderr).toMatch(
        /^failover: waiting up to \d+\.\d s for a's lease to end: b cannot kill its holder from here \(Ctrl-C ends only the wait\)\n$/,
      );
      const isLeaseEnd = ({ reason }: LogLine): boolean => reason?.includes(LEASE_END) === true;
      await group.until('b to say whose lease ended', () => b.log.some(isLeaseEnd));
      expect(b.log.filter(isLeaseEnd)).toHaveLength(1);
      expect(group.lives(pid)).toBe(false);
      await group.reaches(b, 'serving');
      await group.active(2);
      // Nobody took it away: what gives it back has the token of that acquisition.
      expect((await server.noted()).slice(-2)).toEqual(['a released', 'b granted']);
      a.kill('SIGCONT');
      await group.reaches(a, 'watching');
    }));

  it('go on as they were when the server is away for less than the drift', () =>
    play(async (group) => {
      const [a, b] = await startBoth(group, { options: LASTING });
      const { pid } = await group.active(1);
      server.freeze();
      try {
        await group.until('a complaint', () => a.warnings.find(isUnreachable));
      } finally {
        server.thaw();
      }
      await seesLeading(group, b, 'a');
      await group.reaches(b, 'watching');
      expect([a.phase, a.epoch, b.phase]).toEqual(['serving', 1, 'watching']);
      expect([group.lives(pid), group.starts]).toEqual([true, 1]);
    }));

  it('claim nothing that another has got while they were frozen', () =>
    play(async (group) => {
      const [a, b] = await startBoth(group, STEADY);
      await group.active(1);
      const frozen = [b.pid, ...(childrenOf(b) ?? [])];
      for (const pid of frozen) group.signal(pid, 'SIGSTOP');
      const c = await startNode(group, 'c', STEADY);
      await group.reaches(c, 'watching');
      a.kill('SIGKILL');
      await group.reaches(c, 'serving');
      for (const pid of frozen) group.signal(pid, 'SIGCONT');
      await seesLeading(group, b, 'c');
      expect([b.timesIn('serving'), c.phase]).toEqual([0, 'serving']);
      await group.hasStarted(2);
    }));

  it('step down when the server is away for long, and lead again when it is back', () =>
    play(async (group) => {
      const [a, b] = await startBoth(group);
      const { pid } = await group.active(1);
      server.freeze();
      await group.until('the end of the workload', () => !group.lives(pid));
      expect(group.starts).toBe(1);
      server.thaw();
      await group.primaryOf([a, b]);
      await group.active(2);
    }));

  it('wait for a server that is not there yet', () =>
    play(async (group) => {
      await server.end();
      const a = await startNode(group, 'a');
      await group.until('a failed claim', () => a.log.some(({ reason }) => isUnreachable(reason)));
      await server.begin();
      await group.reaches(a, 'serving');
    }));

  it('end when told to, also when the server is gone for good: what is not renewed ends by itself', () =>
    play(async (group) => {
      const a = await startNode(group, 'a');
      await group.reaches(a, 'serving');
      await server.end();
      try {
        a.kill('SIGTERM');
        expect(await group.ends(a)).toBe(0);
      } finally {
        await server.begin();
      }
    }));
}

type LogLine = NodeProcess['log'][number];
const LEASE_END = 'a holds the lease until it expires; waiting up to';

/** What the nodes are started with. */
type NodeTimes = Readonly<Record<string, string>>;
const TIMES: NodeTimes = { 'lease-ttl': `${String(TTL_MS)}ms` };

/** A server that is frozen for a moment is back long before it is over, on a busy machine too. */
const LASTING: NodeTimes = { 'lease-ttl': '30s' };

/** A server that speaks TLS and wants a user. */
export interface SecuredServer {
  /** With the password, which is `hush-hush`. */
  readonly lease: string;
  readonly kind: string;
  stop(): Promise<void>;
}

export interface Certified {
  readonly key: string;
  readonly certificate: string;
}

const isTls = spawnSync('openssl', ['version']).status === 0;
if (!isTls)
  process.stderr.write('Skipped: the tests of TLS to a store, since openssl is missing.\n');

export function nodesBehindTls(start: (certified: Certified) => Promise<SecuredServer>): void {
  describe.runIf(isTls)('behind TLS and a password', () => {
    it('take over at once when a supervisor is killed, and show no password', () =>
      inGroup(async (group) => {
        const certified = certify(group);
        const server = await start(certified);
        try {
          const env = { NODE_EXTRA_CA_CERTS: certified.certificate, FAILOVER_LEASE: server.lease };
          const [a, b] = await group.startAll(['a', 'b'], { env, options: TIMES });
          const { pid } = await group.active(1);
          const environment = readFileSync(`/proc/${String(pid)}/environ`, 'utf8');
          expect(environment).not.toContain('hush-hush');
          a.kill('SIGKILL');
          await group.reaches(b, 'serving');
          await group.active(2);
          const status = await group.client('status', '--json');
          const { kind } = server;
          expect(JSON.parse(status.stdout)).toMatchObject({ primary: 'b', lease: { kind } });
          const said = [JSON.stringify([a.log, b.log]), a.stray, b.stray, status.stdout];
          expect(said.join()).not.toContain('hush-hush');
          expect(said.join()).not.toContain('DeprecationWarning');
          expect(filesUnder(group.stateDir).filter((text) => text.includes('hush-hush'))).toEqual(
            [],
          );
          b.kill('SIGTERM');
          await group.ends(b);
        } finally {
          await server.stop();
        }
      }));
  });
}

const SUBJECTS = 'subjectAltName=DNS:localhost,IP:127.0.0.1';

function certify(group: Group): Certified {
  const [key, certificate] = [group.path('key.pem'), group.path('certificate.pem')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=localhost', '-addext', SUBJECTS];
  spawnSync('openssl', [...request, '-keyout', key, '-out', certificate, ...names]);
  return { key, certificate };
}

function filesUnder(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [readFileSync(join(entry.parentPath, entry.name), 'utf8')] : [],
  );
}

/** Until a node says itself who leads. */
async function seesLeading(group: Group, { id }: NodeProcess, primary: string): Promise<void> {
  const onIt = ['--state-dir', group.path(`on-${id}`)];
  await group.until(`${id} to see that ${primary} leads`, async () => {
    const { stdout } = await group.client('status', '--json', ...onIt);
    // Ours.
    const seen = JSON.parse(stdout) as { primary: string | null; lease: { held: boolean } };
    return seen.primary === primary && seen.lease.held;
  });
}

function isUnreachable(reason: unknown): boolean {
  return typeof reason === 'string' && reason.includes('Cannot reach the lease store');
}
