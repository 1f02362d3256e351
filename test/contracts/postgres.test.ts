// The lease in PostgreSQL against a real server, and what is PostgreSQL alone.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseLease } from '../../src/config/lease-url.ts';
import type { PostgresAddress } from '../../src/config/lease-url.ts';
import { connectionsTo } from '../../src/lease/postgres/postgres-client.ts';
import { postgresLease } from '../../src/lease/postgres/postgres-lease.ts';
import type { SoleNode } from '../../src/lease/join-alone.ts';
import type { RemoteStore } from '../../src/lease/remote-store.ts';
import { monotonicNow } from '../../src/runtime/clock.ts';
import { ANOTHER_USER } from '../support/another-user.ts';
import { leaseContract } from './lease-contract.ts';
import { ANSWER_MS, CONTRACT_TIMES, eventually, granted, IMPATIENT_MS } from './support/claims.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { lackOfPgbouncer, Pgbouncer } from './support/pgbouncer.ts';
import { lackOfPostgres, PostgresServer } from './support/postgres-server.ts';
import { groupName, LONG_TTL_MS, recordOf } from './support/stage.ts';
import type { OpenOptions, StoreUnderTest } from './support/stage.ts';

const lack = lackOfPostgres();
if (lack !== null) process.stderr.write(`The tests of the lease in PostgreSQL are ${lack}.\n`);
const lackOfPooler = lack ?? lackOfPgbouncer();
if (lackOfPooler !== null)
  process.stderr.write(`The tests behind PgBouncer are ${lackOfPooler}.\n`);

describe.runIf(lack === null)('a lease in PostgreSQL', () => {
  let shared: PostgresServer;
  const opened: RemoteStore[] = [];

  beforeAll(async () => {
    shared = await PostgresServer.start();
    await shared.grownOld(LONG_TTL_MS);
  });

  afterEach(async () => {
    await Promise.allSettled(opened.splice(0).map((store) => store.close()));
  });

  afterAll(() => shared.stop());

  /** The one that all share has been there for long enough. */
  leaseContract(async (trustedMs) => {
    if (trustedMs > 0) return { ...underTest(shared), stop: () => Promise.resolve() };
    const own = await PostgresServer.start();
    own.prepareAnother();
    return underTest(own);
  });

  describe.runIf(lackOfPooler === null)('behind PgBouncer', () => {
    leaseContract(
      async () => {
        const pooler = await Pgbouncer.before(shared);
        return { ...underTest(shared, pooler.port), stop: () => pooler.stop() };
      },
      { ...CONTRACT_TIMES, rounds: 40, behindPooler: true },
    );
  });

  const begin = async (url: string, options: Partial<OpenOptions> = {}): Promise<RemoteStore> => {
    const times = { ttlMs: LONG_TTL_MS, requestTimeoutMs: ANSWER_MS };
    const store = await open(url, { node: 'a', group: groupName(), ...times, ...options });
    opened.push(store);
    return store;
  };

  /** Never begun, as a command has it. */
  const look = async (url: string, group: string): Promise<RemoteStore> => {
    const address = postgresAddress(url);
    const times = { ttlMs: LONG_TTL_MS, requestTimeoutMs: ANSWER_MS, now: monotonicNow };
    const options = { address, group, record: recordOf('client'), ...times };
    const store = postgresLease(options, await connectionsTo(address));
    opened.push(store);
    return store;
  };

  /** As if the server that the lease was granted by were another one. */
  const takenOver = async (group: string): Promise<void> => {
    const before = `server = server - interval '1 day'`;
    await shared.query(`UPDATE failover.leases SET ${before} WHERE group_name = '${group}'`);
  };

  it('has its tables made by the first of many nodes that come at once', async () => {
    const url = await shared.database('fresh');
    const group = groupName();
    const names = Array.from({ length: 20 }, (_, number) => `n${String(number)}`);
    const stores = await Promise.all(names.map((node) => begin(url, { node, group })));
    const outcomes = await Promise.all(stores.map((store) => store.acquire(0)));
    expect(outcomes.filter(({ type }) => type === 'granted')).toHaveLength(1);
    expect(await stores[0]?.listNodes()).toHaveLength(20);
  });

  it('takes user and password from the URL or PGPASSWORD, and no message shows them', async () => {
    await shared.query(`CREATE ROLE keeper LOGIN PASSWORD 'hush-hush'`);
    await shared.query('GRANT CREATE ON DATABASE postgres TO keeper');
    const url = await shared.database('kept');
    await shared.query('GRANT CREATE ON DATABASE kept TO keeper');
    const at = `${shared.host}/kept`;
    expect(await (await begin(`postgres://keeper:hush-hush@${at}`)).look()).toMatchObject({
      held: false,
    });
    vi.stubEnv('PGPASSWORD', 'hush-hush');
    expect(await (await begin(`postgresql://keeper@${at}`)).look()).toMatchObject({ held: false });
    vi.unstubAllEnvs();
    const wrong = await begin(`postgres://keeper:wrong-one@${at}`).catch((error: unknown) => error);
    expect(wrong).toMatchObject({ code: 'FAILOVER_STORE_REFUSED', exitCode: 2 });
    expect(String(wrong)).toContain(`postgres://${at}: authentication failed`);
    expect(JSON.stringify(wrong) + String(wrong)).not.toMatch(/wrong-one|keeper/);
    await expect(begin(`postgres://keeper@${at}`)).rejects.toThrow('authentication failed');
    // What one role has made is closed to others.
    const other = await begin(url);
    expect(await other.look()).toMatchObject({ held: false });
  });

  it('is refused to a role that may not make its tables, until an administrator has', async () => {
    const url = await shared.database('strict');
    await shared.query(`CREATE ROLE guest LOGIN PASSWORD 'secret'`);
    const guest = `postgres://guest:secret@${shared.host}/strict`;
    await expect(begin(guest)).rejects.toThrow('permission denied for database strict');
    await expect(begin(guest)).rejects.toMatchObject({
      code: 'FAILOVER_STORE_REFUSED',
      hint: "Ask a database administrator to run `CREATE SCHEMA failover AUTHORIZATION` with that user's name.",
    });
    await shared.query('CREATE SCHEMA failover AUTHORIZATION guest', url);
    expect((await granted(await begin(guest))).epoch).toBe(1);
  });

  it('is refused by a database that is not there, with what to do', async () => {
    await expect(begin(`postgres://tester@${shared.host}/nowhere`)).rejects.toMatchObject({
      code: 'FAILOVER_STORE_REFUSED',
      hint: 'Create the database, or name an existing one: postgres://HOST/DATABASE.',
    });
  });

  it('is refused where the tables are of a later version', async () => {
    const group = groupName();
    const a = await begin(shared.url, { group });
    await shared.query(`UPDATE failover.leases SET v = 2 WHERE group_name = '${group}'`);
    await expect(a.look()).rejects.toThrow('another version of failover');
    await expect(begin(shared.url, { group })).rejects.toThrow('another version of failover');
    await expect(a.acquire(0)).rejects.toThrow('another version of failover');
  });

  it('has no row that grows, and no more of them than a bound', async () => {
    const group = groupName();
    const a = await begin(shared.url, { group });
    for (let round = 0; round < 300; round += 1) await a.setPaused(round % 2 === 0, 'me');
    const events = await a.readEvents(1_000);
    expect(events).toHaveLength(256);
    expect(events[0]).toMatchObject({ action: 'resumed' });
    const where = `WHERE group_name = '${group}'`;
    expect(await shared.query(`SELECT count(*) FROM failover.events ${where}`)).toEqual(['256']);
    expect(await shared.query(`SELECT count(*) FROM failover.nodes ${where}`)).toEqual(['1']);
  });

  it('is not granted to a newcomer while one that was removed with its row may last', async () => {
    const group = groupName();
    const [holder, follower] = [
      await begin(shared.url, { node: 'holder', group }),
      await begin(shared.url, { node: 'follower', group }),
    ];
    expect(await holder.acquire(0)).toMatchObject({ type: 'granted', epoch: 1 });
    await follower.look();
    await shared.query(`DELETE FROM failover.leases WHERE group_name = '${group}'`);
    await eventually(async () => {
      await follower.look();
      return (
        await shared.query(`SELECT epoch FROM failover.leases WHERE group_name = '${group}'`)
      ).includes('1');
    });
    const newcomer = await begin(shared.url, { node: 'newcomer', group });
    expect(await newcomer.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
  });

  it('is granted to nobody at once who finds it given back on a server that took over from another', async () => {
    const group = groupName();
    const [a, b] = [
      await begin(shared.url, { group }),
      await begin(shared.url, { node: 'b', group }),
    ];
    await granted(a);
    await takenOver(group);
    await a.release();
    expect(await b.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
  });

  it('is granted at once after a renewal there: what was forgotten would have failed it', async () => {
    const group = groupName();
    const [a, b] = [
      await begin(shared.url, { group }),
      await begin(shared.url, { node: 'b', group }),
    ];
    await granted(a);
    await takenOver(group);
    expect(await a.renew(ANSWER_MS)).toMatchObject({ type: 'renewed' });
    await a.release();
    expect(await b.acquire(0)).toMatchObject({ type: 'granted', epoch: 2 });
  });

  it('is held back after a crash of one process of the server, which goes on without the latest renewals', async () => {
    const own = await PostgresServer.start();
    try {
      const options = { group: groupName(), ttlMs: CONTRACT_TIMES.restartTtlMs };
      const a = await begin(own.url, options);
      const b = await begin(own.url, { ...options, node: 'b' });
      const { granted: asked } = await granted(a);
      const server = (): Promise<readonly string[]> =>
        own.query('SELECT pg_postmaster_start_time()');
      const before = await server();
      await own.crash();
      expect(await server()).toEqual(before);
      const crashedAtMs = monotonicNow();
      // As a renewal that is lost leaves it.
      await own.query("UPDATE failover.leases SET expires_at = clock_timestamp() - interval '1s'");
      await granted(b);
      expect(asked?.ttlMs).toBe(options.ttlMs);
      expect(monotonicNow() - crashedAtMs).toBeGreaterThanOrEqual(options.ttlMs);
      // It has forgotten nothing since.
      await b.release();
      expect(await a.acquire(0)).toMatchObject({ type: 'granted' });
    } finally {
      await Promise.allSettled(opened.splice(0).map((store) => store.close()));
      await own.stop();
    }
  });

  it('that nobody renews lasts no longer than its time to live after a clock was set back', async () => {
    const group = groupName();
    const a = await begin(shared.url, { group });
    const b = await begin(shared.url, { node: 'b', group });
    await granted(a);
    const of = `WHERE group_name = '${group}'`;
    // As if it ended an hour later, by a clock that has come to the time from before.
    const later = `expires_at = expires_at + interval '1 hour'`;
    await shared.query(`UPDATE failover.leases SET ${later} ${of}`);
    expect(await b.look()).toMatchObject({ held: true });
    const left = 'extract(epoch FROM expires_at - clock_timestamp()) * 1000';
    const [leftMs] = await shared.query(`SELECT ${left} FROM failover.leases ${of}`);
    expect(Number(leftMs)).toBeLessThanOrEqual(LONG_TTL_MS);
    expect(await a.renew(ANSWER_MS)).toMatchObject({ type: 'renewed' });
  });

  it('that may have been forgotten is held back no longer after a clock was set back', async () => {
    const group = groupName();
    const a = await begin(shared.url, { group });
    const of = `WHERE group_name = '${group}'`;
    // As after a restart, and by a node whose lease is longer than that of who led before.
    const before = `epoch = 7, ttl_ms = 1000, server = '2001-01-01'`;
    await shared.query(`UPDATE failover.leases SET ${before} ${of}`);
    expect(await a.acquire(7)).toMatchObject({ type: 'denied', cause: 'held' });
    const left = 'extract(epoch FROM expires_at - clock_timestamp()) * 1000';
    const leftMs = async (): Promise<number> => {
      const [ms] = await shared.query(`SELECT ${left} FROM failover.leases ${of}`);
      return Number(ms);
    };
    await a.look();
    expect(await leftMs()).toBeGreaterThan(1_000);
    const later = `expires_at = expires_at + interval '1 hour'`;
    await shared.query(`UPDATE failover.leases SET ${later} ${of}`);
    expect(await a.acquire(7)).toMatchObject({ type: 'denied', cause: 'held' });
    expect(await leftMs()).toBeLessThanOrEqual(LONG_TTL_MS);
    expect(await shared.query(`SELECT token FROM failover.leases ${of}`)).toEqual(['forgotten']);
  });

  it('gives the id of a node that is gone to another after a clock was set back', async () => {
    const group = groupName();
    const sole: SoleNode = {
      ...{ isGiven: true, quietMs: 400, lookAt: () => 'unknown' },
      ...{ onWait: () => null, onTaken: () => undefined },
    };
    await begin(shared.url, { group, sole });
    // As if it was seen an hour later, by a clock that has come to the time from before.
    const of = `WHERE group_name = '${group}'`;
    await shared.query(`UPDATE failover.nodes SET seen_at = seen_at + interval '1 hour' ${of}`);
    await shared.query(`UPDATE failover.ids SET given_at = given_at + interval '1 hour' ${of}`);
    const next = await begin(shared.url, { group, sole });
    expect(await next.listNodes()).toHaveLength(1);
  });

  it('needs no such wait after a crash where its holder has renewed it since', async () => {
    const own = await PostgresServer.start();
    try {
      const options = { group: groupName(), ttlMs: LONG_TTL_MS };
      const a = await begin(own.url, options);
      const b = await begin(own.url, { ...options, node: 'b' });
      await granted(a);
      await own.crash();
      await eventually(async () => (await a.renew(ANSWER_MS)).type === 'renewed');
      await a.release();
      await eventually(async () => (await b.acquire(0)).type === 'granted');
      expect(await b.look()).toMatchObject({ held: true, epoch: 2 });
    } finally {
      await Promise.allSettled(opened.splice(0).map((store) => store.close()));
      await own.stop();
    }
  });

  it('is shown to one that was never begun, which makes no table and is none of its nodes', async () => {
    const [empty, group] = [await shared.database('looked_at'), groupName()];
    const client = await look(empty, group);
    expect(await client.look()).toMatchObject({ held: false, epoch: 0 });
    expect(await client.listNodes()).toEqual([]);
    expect(await client.readEvents(9)).toEqual([]);
    expect(await shared.query(`SELECT to_regnamespace('failover')`, empty)).toEqual(['null']);
    await client.setPaused(true, 'me');
    const a = await begin(empty, { group });
    expect(await client.look()).toMatchObject({ paused: true });
    expect((await client.listNodes()).map(({ node }) => node)).toEqual(['a']);
    await client.close();
    expect((await a.readEvents(9)).map(({ node, action }) => `${node} ${action}`)).toEqual([
      ...['a joined', 'client paused'],
    ]);
  });

  it('is not made held again by an answer to an advance that comes while it is given back', async () => {
    const a = await begin(shared.url);
    await granted(a);
    await Promise.all([a.advanceEpoch(0), a.release()]);
    expect(a.verify().type).toBe('lost');
  });

  it('waits for nobody who holds a lock on its row, and leaves nothing behind that waits', async () => {
    const group = groupName();
    const a = await begin(shared.url, { group, requestTimeoutMs: IMPATIENT_MS });
    await granted(a);
    const other = new pg.Client({ connectionString: shared.url });
    await other.connect();
    await other.query('BEGIN');
    await other.query('SELECT * FROM failover.leases WHERE group_name = $1 FOR UPDATE', [group]);
    const waiting = `wait_event_type = 'Lock' AND query LIKE '%renewed%'`;
    const backends = async (): Promise<number> =>
      Number((await shared.query(`SELECT count(*) FROM pg_stat_activity WHERE ${waiting}`))[0]);
    for (let attempt = 0; attempt < 6; attempt += 1) {
      await expect(a.renew(IMPATIENT_MS)).rejects.toMatchObject({
        code: 'FAILOVER_STORE_UNREACHABLE',
      });
    }
    await eventually(async () => (await backends()) === 0);
    await other.query('ROLLBACK');
    await other.end();
    await eventually(async () => (await a.renew(ANSWER_MS)).type === 'renewed');
  });
});

describe.runIf(lack === null)('a server of PostgreSQL', () => {
  const servers: PostgresServer[] = [];
  const opened: RemoteStore[] = [];
  afterEach(async () => {
    await Promise.allSettled(opened.splice(0).map((store) => store.close()));
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });
  const start = async (...options: readonly string[]): Promise<PostgresServer> => {
    const settings = options.flatMap((option) => ['-c', option]);
    const server = await PostgresServer.start(settings);
    servers.push(server);
    return server;
  };
  const begin = async (url: string, ttlMs = LONG_TTL_MS): Promise<RemoteStore> => {
    const times = { ttlMs, requestTimeoutMs: ANSWER_MS };
    const store = await open(url, { node: 'a', group: 'g', ...times });
    opened.push(store);
    return store;
  };

  it('that takes no writes is refused, with what to do', async () => {
    const replica = await start('default_transaction_read_only=on');
    await expect(begin(replica.url)).rejects.toMatchObject({
      code: 'FAILOVER_STORE_REFUSED',
      hint: 'Use the address of the primary server.',
    });
  });

  it('that takes no writes any more is left for the one that its address leads to by then', async () => {
    const [former, next] = [await start(), await start()];
    let { port } = former;
    const proxy = await FaultProxy.to(() => port);
    const a = await begin(`postgres://tester@127.0.0.1:${String(proxy.port)}/postgres`);
    await a.look();
    ({ port } = next);
    await former.query('ALTER SYSTEM SET default_transaction_read_only = on');
    await former.query('SELECT pg_reload_conf()');
    await eventually(async () => {
      await a.look();
      return (await next.query(NODES)).length === 1;
    });
    await proxy.close();
  });

  it('that is not there is tried again, and has forgotten no epoch although it does not wait for its disk', async () => {
    const server = await start('synchronous_commit=off', 'wal_writer_delay=10s');
    const a = await begin(server.url, BRIEF_TTL_MS);
    const { epoch } = await granted(a, 41);
    expect(await a.advanceEpoch(0)).toBe(epoch + 1);
    await server.end();
    await expect(a.look()).rejects.toMatchObject({ code: 'FAILOVER_STORE_UNREACHABLE' });
    const late = await begin(server.url);
    await server.begin();
    await eventually(async () => (await late.look()).epoch === epoch + 1);
  });
});

const NODES = 'SELECT run FROM failover.nodes';

/** The server counts as new for so long. */
const BRIEF_TTL_MS = 500;

const isTls = lack === null && spawnSync('openssl', ['version']).status === 0;
if (!isTls) process.stderr.write('Skipped: the tests of TLS to PostgreSQL: openssl is missing.\n');

it.runIf(isTls)('a server of PostgreSQL behind TLS is known by its certificate', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'failover-certificate-'));
  const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  spawnSync('openssl', [...request, '-keyout', key, '-out', certificate, ...names]);
  chmodSync(directory, 0o755);
  chmodSync(key, 0o600);
  if (process.getuid?.() === 0) chownSync(key, ANOTHER_USER, ANOTHER_USER);
  const files = [`ssl_cert_file=${certificate}`, `ssl_key_file=${key}`, 'ssl=on'];
  const server = await PostgresServer.start(files.flatMap((option) => ['-c', option]));
  const times = { ttlMs: LONG_TTL_MS, requestTimeoutMs: ANSWER_MS };
  const isEncrypted = async (host: string, parameters: string): Promise<boolean> => {
    const url = `postgres://tester@${host}:${String(server.port)}/postgres?${parameters}`;
    const store = await open(url, { node: 'a', group: groupName(), ...times });
    try {
      await store.look();
      const using = `SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'failover'`;
      return (await server.query(using)).includes('true');
    } finally {
      await store.close();
    }
  };
  try {
    expect(await isEncrypted('localhost', `sslmode=verify-full&sslrootcert=${certificate}`)).toBe(
      true,
    );
    expect(await isEncrypted('127.0.0.1', 'sslmode=no-verify')).toBe(true);
    expect(await isEncrypted('127.0.0.1', 'sslmode=disable')).toBe(false);
    await expect(isEncrypted('localhost', 'sslmode=require')).rejects.toThrow('self-signed');
    const absent = join(directory, 'absent.pem');
    await expect(isEncrypted('localhost', `sslrootcert=${absent}`)).rejects.toMatchObject({
      code: 'FAILOVER_BAD_OPTION',
    });
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});

function underTest(server: PostgresServer, port: number = server.port): StoreUnderTest {
  return {
    port,
    open: (options) => open(`postgres://tester@127.0.0.1:${String(port)}/postgres`, options),
    loseLease: async (group) => {
      const lost = 'SET token = NULL, expires_at = NULL';
      await server.query(`UPDATE failover.leases ${lost} WHERE group_name = '${group}'`);
    },
    restart: () => server.beginAnew(),
    freeze: () => {
      server.freeze();
    },
    thaw: () => {
      server.thaw();
    },
    stop: () => server.stop(),
  };
}

async function open(
  url: string,
  { node, proxy, supervisor, quietMs, ...options }: OpenOptions,
): Promise<RemoteStore> {
  const through = new URL(url);
  if (proxy !== undefined) through.port = String(proxy.port);
  const address = postgresAddress(through.href);
  const record = recordOf(node, supervisor, quietMs);
  const parts = { address, record, now: monotonicNow, ...options };
  const lease = postgresLease(parts, await connectionsTo(address));
  try {
    await lease.begin();
  } catch (error) {
    await lease.close();
    throw error;
  }
  return lease;
}

function postgresAddress(url: string): PostgresAddress {
  const address = parseLease(url);
  if (address.kind !== 'postgres') throw new Error(`not of PostgreSQL: ${url}`);
  return address;
}
