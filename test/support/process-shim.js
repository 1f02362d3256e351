// Preloaded into a node of a test: stops or kills it at one exact call, or makes its wall clock jump.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/**
 * `linkSync /epochs/ before SIGSTOP`: the function of node:fs, a part of any of its arguments, when, and
 * the signal that the process sends to itself, once.
 */
const [name = '', part = '', when = '', signal = ''] = (process.env['SHIM_AT'] ?? '').split(' ');

if (name !== '') {
  /** @type {Record<string, (...args: unknown[]) => unknown>} Only functions are named in the tests. */
  const functions = /** @type {never} */ (fs);
  const original = functions[name];
  let done = false;
  functions[name] = (...args) => {
    const hit = !done && args.some((arg) => String(arg).includes(part));
    done ||= hit;
    if (hit && when === 'before') process.kill(process.pid, signal);
    try {
      return original?.(...args);
    } finally {
      if (hit && when === 'after') process.kill(process.pid, signal);
    }
  };
  syncBuiltinESMExports();
}

if (process.env['SHIM_CLOCK'] === 'jumps') {
  const now = Date.now.bind(Date);
  let calls = 0;
  Date.now = () => {
    calls += 1;
    return now() + (calls % 2 === 0 ? 1 : -1) * 6 * 3_600_000;
  };
}
