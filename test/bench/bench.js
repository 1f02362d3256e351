// `npm run bench [-- PART…]`: the figures of the README, as ratios taken in the same run.
// Parts: crash, restart, hang, switchover, standby, startup, simulator, groups (a thousand), and each store whose server is installed
// here (redis, etcd, postgres), or of all of them what idle nodes ask alone (idle). Needs cc and flock (util-linux).
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { standbyCost, startUp } from './cost.js';
import { manyGroups } from './groups.js';
import { etcdctlLock, idleOn, leaseLoop, onServer } from './on-server.js';
import { simulatorSpeed } from './simulator.js';
import { buildStamp } from './stamps.js';
import { ms } from './statistics.js';
import { installedStores } from './stores.js';
import { crashTakeover, hangTakeover, restartInPlace, switchoverGap } from './takeover.js';

/** @typedef {import('./takeover.js').Row} Row */

const stores = installedStores();
const PARTS = [
  ...[
    'crash',
    'restart',
    'hang',
    'switchover',
    'standby',
    'startup',
    'simulator',
    'groups',
    'idle',
  ],
  ...stores.map(({ name }) => name),
];
const asked = process.argv.slice(2);
const unknown = asked.filter((part) => !PARTS.includes(part));
if (unknown.length > 0) {
  process.stderr.write(`bench: unknown part ${unknown.join(', ')}. Parts: ${PARTS.join(', ')}\n`);
  process.exit(2);
}
/** @param {string} part */
const wants = (part) => asked.length === 0 || asked.includes(part);

const directory = mkdtempSync(join(tmpdir(), 'failover-bench-'));
const stamp = buildStamp(directory);
const cpu = cpus()[0]?.model ?? 'unknown CPU';
process.stdout.write(`${String(cpus().length)} × ${cpu}, node ${process.version}\n\n`);

try {
  if (wants('crash')) await benchCrash();
  if (wants('restart')) print(await restartInPlace({ stamp, trials: 20 }));
  if (wants('switchover')) print(await switchoverGap({ stamp, trials: 15 }));
  if (wants('hang')) print(await hangTakeover({ stamp, trials: 3, mode: '' }));
  if (wants('hang')) print(await hangTakeover({ stamp, trials: 2, mode: 'stubborn' }));
  if (wants('standby')) (await standbyCost({ stamp, seconds: 30 })).forEach(print);
  if (wants('startup')) (await startUp({ stamp, trials: 20 })).forEach(print);
  await benchStores();
  if (wants('groups')) (await manyGroups({ groups: 1000, seconds: 30 })).forEach(print);
  if (wants('simulator')) print(simulatorSpeed({ trials: 3, steps: 1_000_000 }));
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function benchCrash() {
  for (const standby of /** @type {const} */ (['cold', 'armed', 'hot'])) {
    let alone = Number.NaN;
    for (const secondaries of [1, 5, 20]) {
      const trials = secondaries === 20 ? 20 : 30;
      const { row, median } = await crashTakeover({ stamp, standby, secondaries, trials });
      if (secondaries === 1) alone = median;
      const beside = `; ${(median / alone).toFixed(2)} × that of 1`;
      print({ ...row, value: row.value + (secondaries === 1 ? '' : beside) });
    }
  }
}

/** Beside what is written by hand, on the first server, and what comes with etcd. */
async function benchStores() {
  const wanted = stores.filter(({ name }) => wants(name) || asked.includes('idle'));
  let floorMs = Number.NaN;
  for (const { name: store, start } of wanted) {
    const server = await start(directory);
    try {
      const floors = store === 'redis' && wants(store);
      if (floors) floorMs = await benchFloors(server);
      const rows = wants(store) ? onServer : idleOn;
      for await (const row of rows({ stamp, store, server, floorMs })) print(row);
    } finally {
      await server.stop();
    }
  }
}

/** @param {import('./stores.js').Server} server */
async function benchFloors(server) {
  const loopMs = await leaseLoop({ stamp, directory, server, trials: 5 });
  const lockMs = await etcdctlLock({ stamp, directory, trials: 3 });
  print({
    name: 'a lease loop of 3 s on Redis, killed (n=5)',
    value: `median ${ms(loopMs)}; etcdctl lock --ttl 2 ${lockMs === null ? 'is not here' : ms(lockMs)}`,
    target: 'what the stores below are compared with',
  });
  return loopMs;
}

/** @param {Row} row */
function print({ name, value, target }) {
  process.stdout.write(`${name}\n  ${value}\n  to reach: ${target}\n`);
}
