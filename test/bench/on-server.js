// Nodes whose lease a server keeps: takeovers, and what they cost, beside what is written by hand.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Group } from './group.js';
import { guardStart } from './guard-start.js';
import { childrenOf, familyOf, kill, mib, pssKib } from './processes.js';
import { freePort, isInstalled, TTL_MS } from './stores.js';
import { now, readStamps, waitFor } from './stamps.js';
import { ms, summary } from './statistics.js';

/** @typedef {import('./takeover.js').Row} Row */
/** @typedef {import('./stores.js').Server} Server */
/** @typedef {import('./group.js').Node} Node */
/** @typedef {{ stamp: string, store: string, server: Server, floorMs: number }} How */

/** A standby has stood by for a while when it is needed: long enough to have started a guard ahead. */
const SETTLED_MS = 1_500;

/** @param {How} how @returns {AsyncGenerator<Row>} */
export async function* onServer(how) {
  for (const standby of /** @type {const} */ (['cold', 'armed', 'hot'])) {
    yield await processCrash(how, { standby, trials: standby === 'cold' ? 20 : 10 });
  }
  yield await switchoverOn(how, { trials: 12 });
  yield await machineLost(how, { trials: 3 });
  yield* idleOn(how);
  yield await guardStart({ store: how.store, trials: 20 });
}

/** What its nodes ask, and take, while nothing happens. @param {How} how @returns {AsyncGenerator<Row>} */
export async function* idleOn(how) {
  yield* await costOf(how, { seconds: 60 });
}

/**
 * The supervisor is killed; its guard ends the workload and gives the lease back.
 * @param {How} how
 * @param {{ standby: 'cold' | 'armed' | 'hot', trials: number }} what
 */
async function processCrash(how, { standby, trials }) {
  const hot = standby === 'hot' ? ['--promote-signal', 'SIGUSR1'] : [];
  const flags = ['--standby', standby, ...hot];
  const values = await withNodes(how, { flags, trials, after: () => undefined }, (node) => {
    const at = now();
    node.process.kill('SIGKILL');
    return Promise.resolve(at);
  });
  return row(how, { name: `process crash, ${standby}`, values, target: 'median ≤ 60 ms' });
}

/** From the old workload's end on. @param {How} how @param {{ trials: number }} what */
async function switchoverOn(how, { trials }) {
  const values = await withNodes(how, { flags: [], trials }, async (_, group) => {
    const standby = group.nodes.find(({ phase, gone }) => phase === 'watching' && !gone);
    await group.command(['promote', standby?.id ?? ''], standby?.id);
    const ends = readStamps(group.file).filter(({ what }) => what === 'end');
    return ends.at(-1)?.atMs ?? Number.NaN;
  });
  return row(how, { name: 'switchover gap', values, target: 'median ≤ 30 ms' });
}

/** All that the primary has started stands still, as a machine that is cut off. @param {How} how @param {{ trials: number }} what */
async function machineLost(how, { trials }) {
  /** @type {number[]} */
  let stopped = [];
  const values = await withNodes(
    how,
    {
      flags: [],
      trials,
      // It never comes back: what it has started goes first, so that nothing of it runs once more.
      after: () => {
        for (const pid of stopped.reverse()) kill(pid, 'SIGKILL');
      },
    },
    (node) => {
      stopped = familyOf(node.process.pid ?? 0);
      const at = now();
      for (const pid of stopped) kill(pid, 'SIGSTOP');
      return Promise.resolve(at);
    },
  );
  return row(how, { name: 'machine lost', values, target: '≤ 3 s TTL + 0.5 s tick' });
}

/**
 * Has two nodes for each trial, and gives the ms from what `act` says to the next start.
 * @param {How} how
 * @param {{ flags: string[], trials: number, after?: (node: Node) => void }} what
 * @param {(primary: Node, group: Group) => Promise<number>} act
 */
async function withNodes({ stamp, server }, { flags, trials, after }, act) {
  const mode = flags.includes('hot') ? 'hot' : '';
  const lease = ['--lease', server.lease, '--lease-ttl', `${String(TTL_MS)}ms`];
  const group = new Group(stamp, [...lease, ...flags], mode, { apart: true });
  /** @type {number[]} */
  const values = [];
  try {
    for (let trial = 0; trial < trials; trial += 1) {
      await group.grow(2);
      const { node } = await group.primary();
      await waitFor('a standby', () =>
        group.nodes.some(({ phase, gone }) => phase === 'watching' && !gone) ? true : null,
      );
      await pause(SETTLED_MS);
      const count = group.starts().length;
      const since = await act(node, group);
      values.push((await group.nextStart(count)).atMs - since);
      if (after === undefined) continue;
      after(node);
      await waitFor('its end to be seen', () => (node.gone ? true : null));
    }
  } finally {
    await group.close();
  }
  return values;
}

/** @param {How} how @param {{ seconds: number }} what @returns {Promise<Row[]>} */
async function costOf({ stamp, store, server }, { seconds }) {
  const group = new Group(stamp, ['--lease', server.lease], '', { apart: true });
  try {
    await group.grow(2);
    const { node } = await group.primary();
    await pause(SETTLED_MS);
    const [before, since] = [await server.requests(), now()];
    await pause(seconds * 1000);
    const rate = (await server.requests()) - before;
    const perNode = rate / ((now() - since) / 1000) / group.nodes.length;
    const guards = childrenOf(node.process.pid ?? 0).map((pid) => ({ pid, own: childrenOf(pid) }));
    const active = guards.find(({ own }) => own.length > 0);
    const ahead = guards.find(({ own }) => own.length === 0);
    const shown = [active, ahead].map((guard) => memoryOf(guard?.pid ?? 0));
    return [
      {
        name: `${store}: idle, requests a node (over ${String(seconds)} s)`,
        value: `${perNode.toFixed(2)} a second`,
        target: '≤ 2 a second',
      },
      {
        name: `${store}: guard, PSS`,
        value: `with a workload ${shown[0] ?? ''}; started ahead ${shown[1] ?? ''}`,
        target: 'no figure is set',
      },
    ];
  } finally {
    await group.close();
  }
}

/** A guard that was started ahead may be replaced while it is looked at. @param {number} pid */
function memoryOf(pid) {
  try {
    return mib(pssKib(pid));
  } catch {
    return 'none';
  }
}

/**
 * A loop of a few lines, killed: the next one starts when the lease has ended.
 * @param {{ stamp: string, directory: string, server: Server, trials: number }} how
 */
export async function leaseLoop({ stamp, directory, server, trials }) {
  const file = join(directory, 'lease-loop');
  const port = new URL(server.lease).port;
  const program = join(import.meta.dirname, 'lease-loop.js');
  return floor(file, trials, () =>
    spawn(process.execPath, [program, port, String(TTL_MS), stamp, file], { stdio: 'ignore' }),
  );
}

/**
 * @param {string} file
 * @param {number} trials
 * @param {() => import('node:child_process').ChildProcess} start
 */
async function floor(file, trials, start) {
  const starts = () => readStamps(file).filter(({ what }) => what === 'start');
  /** @type {number[]} */
  const values = [];
  let [holder, waiter] = [start(), start()];
  await waitFor('a holder', () => starts()[0]);
  for (let trial = 0; trial < trials; trial += 1) {
    await pause(SETTLED_MS);
    const { pid } = starts().at(-1) ?? { pid: 0 };
    // Whose child it is: either may have been first.
    if (!childrenOf(holder.pid ?? 0).includes(pid)) [holder, waiter] = [waiter, holder];
    const count = starts().length;
    const at = now();
    holder.kill('SIGKILL');
    kill(pid, 'SIGKILL');
    values.push((await waitFor('the next start', () => starts()[count])).atMs - at);
    [holder, waiter] = [waiter, start()];
  }
  kill(starts().at(-1)?.pid ?? 0, 'SIGKILL');
  for (const each of [holder, waiter]) each.kill('SIGKILL');
  return summary(values).median;
}

/**
 * `etcdctl lock` on a server of its own, killed; null where it is not installed.
 * @param {{ stamp: string, directory: string, trials: number }} how
 */
export async function etcdctlLock({ stamp, directory, trials }) {
  if (!isInstalled('etcd', ['--version']) || !isInstalled('etcdctl', ['version'])) return null;
  const [client, peer] = [await freePort(), await freePort()].map(
    (port) => `http://127.0.0.1:${String(port)}`,
  );
  const etcd = spawn(
    'etcd',
    [
      ...['--data-dir', join(directory, 'etcd'), '--log-level', 'panic', '--name', 'bench'],
      ...['--listen-client-urls', client ?? '', '--advertise-client-urls', client ?? ''],
      ...['--listen-peer-urls', peer ?? '', '--initial-advertise-peer-urls', peer ?? ''],
      ...['--initial-cluster', `bench=${peer ?? ''}`],
    ],
    { stdio: 'ignore' },
  );
  const file = join(directory, 'etcdctl');
  const args = ['--endpoints', client ?? '', '--dial-timeout', '30s'];
  const lock = [...args, 'lock', '--ttl', '2', 'bench', '--', stamp, file];
  try {
    return await floor(file, trials, () => spawn('etcdctl', lock, { stdio: 'ignore' }));
  } finally {
    etcd.kill('SIGKILL');
  }
}

/** @param {How} how @param {{ name: string, values: number[], target: string }} what */
function row({ store, floorMs }, { name, values, target }) {
  const { median, p99, n } = summary(values);
  const beside = Number.isNaN(floorMs) ? '' : `; ${(median / floorMs).toFixed(3)} × a lease loop`;
  return {
    name: `${store}: ${name} (n=${String(n)})`,
    value: `median ${ms(median)}, p99 ${ms(p99)}${beside}`,
    target,
  };
}
