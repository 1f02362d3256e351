// A supervisor for tests that kill one: a process of its own, told over IPC what to do with a workload.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KernelLock } from '../../dist/lease/file/kernel-lock.js';
import { createWorkload } from '../../dist/workload/create-workload.js';
import { probeDeathSignal } from '../../dist/workload/death-signal.js';

/**
 * @typedef {object} Setup
 * @property {string} directory
 * @property {readonly string[]} command
 * @property {'cold' | 'armed' | 'hot'} standby
 * @property {'stop' | 'kill' | 'keep'} orphan
 * @property {string | null} promoteCommand
 * @property {string | null} log The pattern to wait for in the output; null: none.
 * @property {boolean} holdsBack Whether the ledger waits for ever: what was spawned never gets further.
 */

/**
 * Written by the test that starts this.
 * @type {(text: string) => Setup}
 */
const readSetup = JSON.parse;
const setup = readSetup(process.argv[2] ?? '{}');
const { directory } = setup;
const workload = createWorkload(setup.standby, {
  command: setup.command,
  orphan: setup.orphan,
  promoteCommand: setup.promoteCommand,
  demoteCommand: null,
  promoteSignal: null,
  demoteSignal: null,
  readyWhen: setup.log === null ? null : { kind: 'log', pattern: new RegExp(setup.log) },
  context: {
    group: 'web',
    node: 'a',
    stateDir: directory,
    roleFile: join(directory, 'role.json'),
  },
  deathSignal: await probeDeathSignal(),
  lock: new KernelLock(join(directory, 'workload.lock')),
  ledger: {
    setSessions: (sessions) => {
      writeFileSync(join(directory, 'sessions.json'), JSON.stringify(sessions));
      if (setup.holdsBack) {
        process.send?.({ event: 'spawned', sessions });
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      }
    },
  },
  listener: {
    ready: () => process.send?.({ event: 'ready' }),
    ended: (end) =>
      process.send?.({ event: 'ended', ...end, peakKiB: process.resourceUsage().maxRSS }),
    disarmed: (detail) => process.send?.({ event: 'disarmed', detail }),
  },
  warn: (message) => process.send?.({ event: 'warned', message }),
});
const term = { epoch: 7, previous: 'b', reason: 'a test' };

process.on('message', (/** @type {string} */ request) => {
  void perform(request);
});
process.send?.({ event: 'up' });

/**
 * @param {string} request
 * @returns {Promise<void>}
 */
async function perform(request) {
  if (request === 'arm') await workload.arm();
  if (request === 'activate') await workload.activate(term);
  if (request === 'stop') await workload.stop(500);
  if (request === 'exit') process.exit();
  const hook = request === 'hook' ? await workload.runHook('promote', term, 60_000) : null;
  process.send?.({ event: `done ${request}`, pid: workload.describe().pid, hook });
}
