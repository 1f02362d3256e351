// What a standby costs, and what a command's start costs, beside a bare node process.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Group } from './group.js';
import { cpuTicks, mib, pssKib } from './processes.js';
import { now } from './stamps.js';
import { ms, summary } from './statistics.js';

const BIN = join(import.meta.dirname, '../../bin/failover.js');
const TICKS_PER_SECOND = 100;
const SETTLED_MS = 15_000;

/** Memory and CPU of one secondary at the defaults. @param {{ stamp: string, seconds: number }} how */
export async function standbyCost({ stamp, seconds }) {
  const group = new Group(stamp);
  const bare = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  try {
    await group.grow(2);
    const standby = group.nodes.find(({ phase }) => phase === 'watching');
    const pid = standby?.process.pid;
    if (pid === undefined || bare.pid === undefined) throw new Error('no standby');
    // Past the compactions of the heap that follow a start: a standby lives for months.
    await pause(SETTLED_MS);
    const ticks = cpuTicks(pid);
    const since = now();
    await pause(seconds * 1000);
    const share = (cpuTicks(pid) - ticks) / TICKS_PER_SECOND / ((now() - since) / 1000);
    const mine = pssKib(pid);
    const its = pssKib(bare.pid);
    return [
      {
        name: 'one standby, PSS',
        value: `${mib(mine)}; bare node ${mib(its)}; ratio ${(mine / its).toFixed(2)}`,
        target: '≤ 2.2 × bare node',
      },
      {
        name: `one standby, CPU over ${String(seconds)} s`,
        value: `${(share * 100).toFixed(2)} % of a core`,
        target: '≤ 0.3 %',
      },
    ];
  } finally {
    bare.kill('SIGKILL');
    await group.close();
  }
}

/** Whole processes in turn with `node -e 0`. @param {{ stamp: string, trials: number }} how */
export async function startUp({ stamp, trials }) {
  const group = new Group(stamp);
  try {
    await group.grow(2);
    const status = [BIN, 'status', '--group', 'bench', '--state-dir', group.directory];
    return [
      compare('start-up of --version', [BIN, '--version'], { trials, target: '≤ 1.4 × node -e 0' }),
      compare('start-up of status', status, { trials, target: '≤ 2.5 × node -e 0' }),
    ];
  } finally {
    await group.close();
  }
}

/**
 * @param {string} name
 * @param {string[]} args
 * @param {{ trials: number, target: string }} how
 */
function compare(name, args, { trials, target }) {
  /** @type {number[]} */
  const mine = [];
  /** @type {number[]} */
  const its = [];
  for (let trial = 0; trial <= trials; trial += 1) {
    const floor = time(['-e', '0']);
    const own = time(args);
    if (trial === 0) continue;
    its.push(floor);
    mine.push(own);
  }
  const own = summary(mine).median;
  const floor = summary(its).median;
  return {
    name: `${name} (n=${String(trials)})`,
    value: `median ${ms(own)}; node -e 0 ${ms(floor)}; ratio ${(own / floor).toFixed(2)}`,
    target,
  };
}

/** @param {string[]} args */
function time(args) {
  const start = now();
  spawnSync(process.execPath, args, { stdio: 'ignore' });
  return now() - start;
}
