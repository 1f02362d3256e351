// A process that takes its last descriptors but a few and then starts things: what it is told, as JSON.
import { closeSync, openSync } from 'node:fs';
import { checkCommand } from '../../dist/health/command-check.js';
import { tryDeathSignal } from '../../dist/workload/death-signal.js';
import { spawnGated } from '../../dist/workload/gate.js';
import { runHook } from '../../dist/workload/hooks.js';
import { outputSink } from '../../dist/workload/output.js';
import { SessionBook } from '../../dist/workload/session-book.js';

/** More than a start with a pipe takes. */
const MOST_LEFT = 12;

const message = { role: /** @type {const} */ ('primary'), epoch: '1', previous: '', reason: '' };
const output = outputSink(null);
const starter = { group: 'g', stateDir: '/nowhere', node: 'a', since: '0' };
const book = new SessionBook({ setSessions: () => undefined }, starter);

/** @type {Record<string, () => Promise<string>>} */
const ATTEMPTS = {
  gate: async () => {
    try {
      const gated = await spawnGated({
        command: ['true'],
        environment: {},
        lockFd: null,
        deathSignal: null,
        output: 'inherit',
      });
      gated.open(message);
      return 'started';
    } catch (error) {
      return error instanceof Error ? error.message : 'no error';
    }
  },
  hook: async () => {
    const request = {
      name: /** @type {const} */ ('promote'),
      command: 'true',
      environment: {},
      message,
      lockFd: null,
      deathSignal: false,
      timeoutMs: 60_000,
      output,
      spawn: spawnGated,
      isCancelled: () => false,
      onBegin: () => undefined,
    };
    const { ok, detail } = await runHook(request, book);
    return ok ? 'started' : detail;
  },
  check: async () => {
    const { signal } = new AbortController();
    const fault = await checkCommand('true', { signal, environment: {}, deathSignal: false });
    return fault === null ? 'started' : 'did not pass';
  },
  probe: async () => ((await tryDeathSignal()) ? 'started' : 'did not pass'),
};

// Also takes what the first of each needs for itself: the loop's own descriptors, the streams.
for (const attempt of Object.values(ATTEMPTS)) await attempt();

/** @type {number[]} */
const taken = [];
/** @type {Record<string, string[]>} By attempt: what came of it with 0, 1, 2... descriptors left. */
const results = {};
for (const [name, attempt] of Object.entries(ATTEMPTS)) {
  const told = (results[name] = /** @type {string[]} */ ([]));
  for (let left = 0; left <= MOST_LEFT; left += 1) {
    takeAll();
    for (let free = 0; free < left; free += 1) closeSync(taken.pop() ?? -1);
    told.push(await attempt());
  }
}
for (const fd of taken) closeSync(fd);
process.stdout.write(`${JSON.stringify(results)}\n`);

function takeAll() {
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    // None is left.
  }
}
