// Nodes whose lease is in PostgreSQL. Each has a state directory of its own, as if it were on a machine of its own:
// nothing but the lease and the guard keeps two from being active.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lackOfPgbouncer, Pgbouncer } from '../contracts/support/pgbouncer.ts';
import { lackOfPostgres, PostgresServer } from '../contracts/support/postgres-server.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import type { NodeProcess } from '../support/process-node.ts';

const lack = lackOfPostgres();
const lackOfPooler = lack ?? lackOfPgbouncer();
if (lack !== null)
  process.stderr.write(`The tests of nodes with a lease in PostgreSQL are ${lack}.\n`);

describe.runIf(lack === null)('nodes with a lease in PostgreSQL', () => {
  let server: PostgresServer;
  let databases = 0;

  beforeAll(async () => {
    server = await PostgresServer.start();
    await server.grownOld(TTL_MS);
  }, 60_000);

  afterAll(() => server.stop());

  /** A database of its own for each test: the group has the same name in all of them. */
  const play = async (
    body: (group: Group, url: string) => Promise<void>,
    port = server.port,
  ): Promise<void> => {
    databases += 1;
    const url = await server.database(`d${String(databases)}`);
    const lease = url.replace(String(server.port), String(port));
    const times = { 'lease-ttl': `${String(TTL_MS)}ms`, 'lease-request-timeout': '1500ms' };
    const options = { lease, ...times };
    await inGroup((group) => body(group, url), { options });
  };

  const start = (group: Group, id: string, run = 'exec "$W"'): Promise<NodeProcess> =>
    group.start(id, { run, options: { 'state-dir': group.path(`on-${id}`) } });

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

  /** The supervisor of the primary is killed. */
  const takeOver = async (group: Group, url: string): Promise<void> => {
    const [a, b] = await startBoth(group, '"$W" --ignore-term & wait');
    await group.active(1);
    a.kill('SIGKILL');
    await group.reaches(b, 'serving');
    await group.active(2);
    const noted = `SELECT node || ' ' || action FROM failover.events ORDER BY number`;
    expect(await server.query(noted, url)).toEqual([
      ...['a joined', 'a granted', 'b joined'],
      ...['a released', 'b granted'],
    ]);
  };

  it('take over at once when a supervisor is killed: its guard empties, then gives the lease back', () =>
    play(takeOver));

  it.runIf(lackOfPooler === null)('do the same through a pooler in transaction mode', async () => {
    const pooler = await Pgbouncer.before(server);
    try {
      await play(takeOver, pooler.port);
    } finally {
      await pooler.stop();
    }
  });

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
      const a = await start(group, 'a');
      await group.until('a failed claim', () => a.log.some(({ reason }) => isUnreachable(reason)));
      await server.begin();
      await group.reaches(a, 'serving');
    }));
});

/** Long enough for a busy machine, on which a statement waits for two processes in turn. */
const TTL_MS = 5_000;

function isUnreachable(reason: unknown): boolean {
  return typeof reason === 'string' && reason.includes('Cannot reach the lease store');
}
