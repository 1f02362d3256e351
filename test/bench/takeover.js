// Takeovers beside `flock -F`: a crash, the supervisor alone, a hang, a restart in place, a switchover.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Group } from './group.js';
import { kill } from './processes.js';
import { readStamps, now, waitFor } from './stamps.js';
import { ms, summary } from './statistics.js';

const SETTLED_MS = 800;

/** @typedef {{ name: string, value: string, target: string }} Row */

/**
 * Kills the primary's supervisor and workload at once; the floor, `flock -F`, is killed in turn.
 * @param {{ stamp: string, standby: 'cold' | 'armed' | 'hot', secondaries: number, trials: number }} how
 * @returns {Promise<{ row: Row, median: number }>}
 */
export async function crashTakeover({ stamp, standby, secondaries, trials }) {
  const group =
    standby === 'hot'
      ? new Group(stamp, ['--standby', standby, '--promote-signal', 'SIGUSR1'], 'hot')
      : new Group(stamp, ['--standby', standby]);
  const floor = new FlockFloor(stamp, join(group.directory, 'floor'));
  /** @type {number[]} */
  const ours = [];
  /** @type {number[]} */
  const theirs = [];
  try {
    for (let trial = 0; trial < trials; trial += 1) {
      await group.grow(secondaries + 1);
      floor.grow(secondaries + 1);
      // A standby has stood by for a while when it is needed: long enough to have rehearsed.
      await pause(SETTLED_MS);
      theirs.push(await floor.kill());
      ours.push(await crashOnce(group));
    }
  } finally {
    floor.close();
    await group.close();
  }
  const mine = summary(ours);
  const its = summary(theirs);
  const ratio = (mine.median / its.median).toFixed(1);
  return {
    median: mine.median,
    row: {
      name: `crash takeover, ${standby}, ${String(secondaries)} secondaries (n=${String(mine.n)})`,
      value: `median ${ms(mine.median)}, p99 ${ms(mine.p99)}; flock -F ${ms(its.median)}; ratio ${ratio}`,
      target: `median ${LIMITS[standby]}; p99 ≤ 30 ms`,
    },
  };
}

const LIMITS = {
  cold: '≤ 10 ms, ≤ 10 × flock',
  armed: '≤ 6 ms, ≤ 6 × flock',
  hot: '(to being told) no figure is set',
};

/** @param {Group} group */
async function crashOnce(group) {
  const { node, workloadPid } = await group.primary();
  const count = group.starts().length;
  const at = now();
  node.process.kill('SIGKILL');
  kill(workloadPid, 'SIGKILL');
  const start = await group.nextStart(count);
  // The kernel may still be taking it down when its successor runs: the next trial is not to count it.
  await waitFor('its end to be seen', () => (node.gone ? true : null));
  return start.atMs - at;
}

/** The workload alone is killed. @param {{ stamp: string, trials: number }} how */
export async function restartInPlace({ stamp, trials }) {
  const group = new Group(stamp, ['--restart-limit', '1000']);
  const values = [];
  try {
    await group.grow(1);
    for (let trial = 0; trial < trials; trial += 1) {
      const { workloadPid } = await group.primary();
      const count = group.starts().length;
      const at = now();
      kill(workloadPid, 'SIGKILL');
      values.push((await group.nextStart(count)).atMs - at);
    }
  } finally {
    await group.close();
  }
  const { median, p99, n } = summary(values);
  return {
    name: `restart in place (n=${String(n)})`,
    value: `median ${ms(median)}, p99 ${ms(p99)}`,
    target: 'median ≤ 8 ms',
  };
}

/**
 * The primary's supervisor is stopped, at the default timings.
 * @param {{ stamp: string, trials: number, mode: '' | 'stubborn' }} how
 */
export async function hangTakeover({ stamp, trials, mode }) {
  const group = new Group(stamp, [], mode);
  const values = [];
  try {
    for (let trial = 0; trial < trials; trial += 1) {
      await group.grow(2);
      const { node } = await group.primary();
      const count = group.starts().length;
      const at = now();
      node.process.kill('SIGSTOP');
      values.push((await group.nextStart(count)).atMs - at);
      await waitFor('its end to be seen', () => (node.gone ? true : null));
    }
  } finally {
    await group.close();
  }
  const { median, max, n } = summary(values);
  const ends = mode === '' ? 'ends on SIGTERM' : 'ignores SIGTERM';
  const grace = mode === '' ? '' : ' + 10 s stop grace (the orphan is stopping already)';
  return {
    name: `hang takeover, SIGSTOP, defaults, the workload ${ends} (n=${String(n)})`,
    value: `median ${ms(median)}, max ${ms(max)}`,
    target: `≤ 2 s timeout + 2 × 500 ms probes${grace} + 50 ms`,
  };
}

/** From the old workload's end to the new one's first instruction. @param {{ stamp: string, trials: number }} how */
export async function switchoverGap({ stamp, trials }) {
  const group = new Group(stamp);
  const values = [];
  try {
    await group.grow(2);
    for (let trial = 0; trial < trials; trial += 1) {
      const count = group.starts().length;
      await waitFor('a standby', () =>
        group.nodes.some(({ phase }) => phase === 'watching') ? true : null,
      );
      await group.command(['promote']);
      const start = await group.nextStart(count);
      const end = readStamps(group.file)
        .filter(({ what }) => what === 'end')
        .at(-1);
      if (end !== undefined) values.push(start.atMs - end.atMs);
    }
  } finally {
    await group.close();
  }
  const { median, p99, n } = summary(values);
  return {
    name: `switchover gap (n=${String(n)})`,
    value: `median ${ms(median)}, p99 ${ms(p99)}`,
    target: 'median ≤ 10 ms',
  };
}

/** The floor: util-linux's flock, which execs the command once the kernel grants the lock. */
class FlockFloor {
  /** @type {import('node:child_process').ChildProcess[]} */
  #waiters = [];

  /**
   * @param {string} stamp
   * @param {string} file
   */
  constructor(stamp, file) {
    this.stamp = stamp;
    this.file = file;
  }

  /** @param {number} size */
  grow(size) {
    while (this.#waiters.length < size) {
      const args = ['-F', `${this.file}.lock`, this.stamp, this.file];
      this.#waiters.push(spawn('flock', args, { stdio: 'ignore' }));
    }
  }

  /** Kills the holder; returns the ms until the next one ran. */
  async kill() {
    const starts = () => readStamps(this.file).filter(({ what }) => what === 'start');
    const holder = await waitFor('a flock holder', () =>
      this.#waiters.find(({ pid }) => pid === starts().at(-1)?.pid),
    );
    const count = starts().length;
    const at = now();
    holder.kill('SIGKILL');
    this.#waiters = this.#waiters.filter((waiter) => waiter !== holder);
    const start = await waitFor('the next flock holder', () => starts()[count]);
    return start.atMs - at;
  }

  close() {
    for (const waiter of this.#waiters) waiter.kill('SIGKILL');
  }
}
