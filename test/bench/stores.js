// The lease stores that the benchmark tries: one entry for each whose server is installed on this machine.
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createClient } from 'redis';
import { lackOfPostgres, PostgresServer } from '../contracts/support/postgres-server.ts';
import { waitFor } from './stamps.js';

/**
 * A server of the benchmark's own.
 *
 * @typedef {object} Server
 * @property {string} lease what `--lease` takes
 * @property {() => Promise<number>} requests how many it has been asked by nodes so far
 * @property {() => Promise<void>} stop
 */

/**
 * @typedef {object} Store
 * @property {string} name
 * @property {() => boolean} isHere
 * @property {(directory: string) => Promise<Server>} start resolves once leases are granted
 */

/** @type {readonly Store[]} */
const STORES = [
  { name: 'redis', isHere: () => isInstalled('redis-server', ['--version']), start: startRedis },
  { name: 'etcd', isHere: () => isInstalled('etcd', ['--version']), start: startEtcd },
  { name: 'postgres', isHere: () => lackOfPostgres() === null, start: startPostgres },
];

/** The time to live of all that is measured, ms. */
export const TTL_MS = 3_000;

/** Those that can be tried here. */
export function installedStores() {
  return STORES.filter(({ isHere }) => isHere());
}

/**
 * @param {string} program
 * @param {string[]} args
 */
export function isInstalled(program, args) {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/** A port of this machine that nobody listened at a moment ago. @returns {Promise<number>} */
export async function freePort() {
  const probe = createServer();
  await new Promise((resolve) =>
    probe.listen(0, '127.0.0.1', () => {
      resolve(null);
    }),
  );
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('there is no free port');
  return address.port;
}

/** @param {string} directory @returns {Promise<Server>} */
async function startRedis(directory) {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory];
  const child = spawn('redis-server', [...args, '--save', '', '--appendonly', 'no'], {
    stdio: 'ignore',
  });
  const client = createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: 20 } });
  client.on('error', () => undefined);
  await client.connect();
  /** @param {string} section */
  const info = (section) => client.info(section);
  // A server that was just started gives no lease for as long as an earlier one may last.
  let uptimeMs = 0;
  await waitFor('a server that is old enough', () => {
    void info('server').then((text) => {
      uptimeMs = 1000 * Number(/uptime_in_seconds:(\d+)/.exec(text)?.[1]);
    });
    return uptimeMs > TTL_MS ? true : null;
  });
  return {
    lease: `redis://127.0.0.1:${String(port)}`,
    // What scripts call is not asked by anybody.
    requests: async () => {
      const calls = [...(await info('commandstats')).matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)];
      return calls.reduce((sum, [, count]) => sum + Number(count), 0);
    },
    stop: async () => {
      client.destroy();
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** @param {string} directory @returns {Promise<Server>} */
async function startEtcd(directory) {
  const [port, peerPort] = [await freePort(), await freePort()];
  const [client, peer] = [port, peerPort].map((one) => `http://127.0.0.1:${String(one)}`);
  const place = ['--data-dir', join(directory, 'lease-store'), '--name', 'bench'];
  const urls = [
    ...['--listen-client-urls', client ?? '', '--advertise-client-urls', client ?? ''],
    ...['--listen-peer-urls', peer ?? '', '--initial-advertise-peer-urls', peer ?? ''],
    ...['--initial-cluster', `bench=${peer ?? ''}`],
  ];
  const child = spawn('etcd', [...place, ...urls, '--log-level', 'panic'], { stdio: 'ignore' });
  // As one that has been in use for long: else it gives no lease for as long as an earlier one may last.
  const key = Buffer.from('failover-store/known').toString('base64');
  let isOld = false;
  await waitFor('a server that is old enough', () => {
    const asked = fetch(`${client ?? ''}/v3/kv/put`, {
      method: 'POST',
      body: JSON.stringify({ key, value: key }),
    });
    asked.then(
      ({ ok }) => (isOld = ok),
      () => undefined,
    );
    return isOld ? true : null;
  });
  return {
    lease: `etcd://127.0.0.1:${String(port)}`,
    // A renewal is a message in a stream, which is counted as a call of its own.
    requests: async () => {
      const text = await (await fetch(`${client ?? ''}/metrics`)).text();
      const calls = [...text.matchAll(/^grpc_server_started_total\{.*\} (\S+)$/gm)];
      return calls.reduce((sum, [, count]) => sum + Number(count), 0);
    },
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** @returns {Promise<Server>} */
async function startPostgres() {
  // What tests save is the disk; and what it does by itself is asked by nobody.
  const server = await PostgresServer.start(['-c', 'fsync=on', '-c', 'autovacuum=off']);
  const lease = await server.database('bench');
  await server.grownOld(TTL_MS);
  const calls = `SELECT xact_commit FROM pg_stat_database WHERE datname = 'bench'`;
  return {
    lease,
    // Each statement of a node is a transaction, counted within a second.
    requests: async () => Number((await server.query(calls))[0]),
    stop: () => server.stop(),
  };
}
