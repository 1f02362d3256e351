// How long a guard takes from its own start until it has started something, beside a bare node process.
import { spawnSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { launch } from '../../src/guard/guarded-process.ts';
import { now } from './stamps.js';
import { ms, summary } from './statistics.js';

/** @typedef {import('./takeover.js').Row} Row */

/** Longer than it takes to start, ms. */
const SETTLED_MS = 500;

/** No server has a part in it. @param {{ store: string, trials: number }} how @returns {Promise<Row>} */
export async function guardStart({ store, trials }) {
  /** @type {Record<'atOnce' | 'ahead' | 'bare', number[]>} */
  const values = { atOnce: [], ahead: [], bare: [] };
  for (let trial = 0; trial <= trials; trial += 1) {
    const [atOnce, ahead, bare] = [await started(0), await started(SETTLED_MS), bareNode()];
    // The first reads the files that the others find in memory.
    if (trial === 0) continue;
    values.atOnce.push(atOnce);
    values.ahead.push(ahead);
    values.bare.push(bare);
  }
  const [atOnce, ahead, bare] = [values.atOnce, values.ahead, values.bare].map(summary);
  return {
    name: `${store}: guard, until a process waits at its gate (n=${String(trials)})`,
    value:
      `median ${ms(atOnce?.median ?? NaN)}, p99 ${ms(atOnce?.p99 ?? NaN)}; ` +
      `started ahead ${ms(ahead?.median ?? NaN)}; node -e 0 ${ms(bare?.median ?? NaN)}`,
    target: 'no figure is set',
  };
}

/**
 * From the start of the guard, or from when it is told, until what it is to start is there.
 * @param {number} aheadMs how long before it is told it was started
 */
async function started(aheadMs) {
  const place = /** @type {const} */ ({ output: 'inherit', lockFd: null });
  const command = ['true'];
  let since = now();
  const guarded = launch({ ...place, command });
  const gone = new Promise((resolve) => {
    guarded.onGone(() => {
      resolve(null);
    });
  });
  if (aheadMs > 0) {
    await pause(aheadMs);
    since = now();
  }
  await guarded.begin(
    { ...place, command, environment: {}, deathSignal: null, lockFiles: [] },
    { ...TERMS, deathSignal: process.platform === 'linux' },
    () => undefined,
  );
  const tookMs = now() - since;
  guarded.onEnd(() => {
    guarded.tell({ type: 'dismiss' });
  });
  guarded.close();
  // Its end takes CPU that the next one needs.
  await gone;
  return tookMs;
}

const TERMS = {
  starter: { group: 'bench', stateDir: '/nowhere', node: 'n1' },
  startLimitMs: 60_000,
};

function bareNode() {
  const since = now();
  spawnSync(process.execPath, ['-e', '0'], { stdio: 'ignore' });
  return now() - since;
}
