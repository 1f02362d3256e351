// How fast the deciding part runs through simulated trouble.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { summary } from './statistics.js';

const BIN = join(import.meta.dirname, '../../bin/failover.js');

/** The same runs in each trial, in a process of its own; enough that its start is no part of the speed. @param {{ trials: number, steps: number }} how */
export function simulatorSpeed({ trials, steps }) {
  const speeds = Array.from({ length: trials }, () => stepsPerSecond(steps));
  const { median, max } = summary(speeds);
  return {
    name: `simulator, ${count(steps)} steps with every kind of fault (n=${String(trials)})`,
    value: `median ${count(median)} steps/s, best ${count(max)}`,
    target: '≥ 200,000 steps/s on one core',
  };
}

/** @param {number} steps */
function stepsPerSecond(steps) {
  const args = [BIN, 'simulate', '--json', '--seed', '1', '--steps', String(steps)];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the simulation ended with ${String(status)}`);
  /** @type {unknown} */
  const result = JSON.parse(stdout);
  return /** @type {{ perSecond: number }} */ (result).perSecond;
}

/** @param {number} value */
function count(value) {
  return value.toLocaleString('en');
}
