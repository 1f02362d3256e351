// Preloaded into a node of a test: acts at one exact call, takes kernel locks away, makes its clock jump.
import fs from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';

/**
 * `linkSync /epochs/ before SIGSTOP`: the function of node:fs, a part of any of its arguments, when, and
 * what is done there, once: a signal that the process sends to itself, the path of a directory that is
 * emptied, or of a file that is made.
 */
const [name = '', part = '', when = '', act = ''] = (process.env['SHIM_AT'] ?? '').split(' ');
const readdirSync = fs.readdirSync.bind(fs);
const rmSync = fs.rmSync.bind(fs);
const { existsSync, writeFileSync } = fs;

function doIt() {
  if (!act.startsWith('/')) process.kill(process.pid, act);
  else if (!existsSync(act)) writeFileSync(act, 'made by a test');
  else for (const entry of readdirSync(act)) rmSync(`${act}/${entry}`, { recursive: true });
}

if (name !== '') {
  /** @type {Record<string, (...args: unknown[]) => unknown>} Only functions are named in the tests. */
  const functions = /** @type {never} */ (fs);
  const original = functions[name];
  let done = false;
  functions[name] = (...args) => {
    const hit = !done && args.some((arg) => String(arg).includes(part));
    done ||= hit;
    if (hit && when === 'before') doIt();
    try {
      return original?.(...args);
    } finally {
      if (hit && when === 'after') doIt();
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

// `refused`: as on a file system without them. `shared`: as on one where they keep nobody out.
const locks = process.env['SHIM_LOCKS'];
if (locks !== undefined) {
  /** @type {unknown} It has no types. */
  const loaded = createRequire(import.meta.url)('fs-native-extensions');
  const native = /** @type {{ tryLock: (fd: number) => boolean }} */ (loaded);
  native.tryLock = () => {
    if (locks === 'shared') return true;
    throw Object.assign(new Error('no locks available'), { code: 'ENOLCK' });
  };
}
