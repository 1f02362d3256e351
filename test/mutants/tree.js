// A copy of the project to break: faults never touch the tree that is worked on.
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { applied } from './mutant.js';

/** @typedef {import('./mutant.js').Mutant} Mutant */

export const PROJECT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** What a build and the tests read. */
const COPIED = ['bin', 'docs', 'scripts', 'src', 'test'];

export class Tree {
  /** @param {string} root A directory that is made. */
  constructor(root) {
    this.root = root;
    mkdirSync(root);
    for (const name of COPIED) {
      // Files of tests may be links, and what a link leads to is none of ours to change.
      cpSync(join(PROJECT, name), join(root, name), { recursive: true, dereference: true });
    }
    for (const entry of readdirSync(PROJECT, { withFileTypes: true })) {
      if (entry.isFile()) cpSync(join(PROJECT, entry.name), join(root, entry.name));
    }
    linkModules(root);
  }

  /**
   * The mutant's file is broken until `mend` is called.
   *
   * @param {Mutant} mutant
   * @returns {boolean} False: the mutant no longer applies, and nothing was changed.
   */
  break(mutant) {
    const path = join(this.root, mutant.file);
    const text = existsSync(path) ? applied(mutant, readFileSync(path, 'utf8')) : null;
    if (text !== null) writeFileSync(path, text);
    return text !== null;
  }

  /** @param {Mutant} mutant */
  mend(mutant) {
    writeFileSync(join(this.root, mutant.file), readFileSync(join(PROJECT, mutant.file)));
  }

  /**
   * Compiles what changed; with `bundled`, also bundles what the launcher runs.
   *
   * @param {{ readonly bundled: boolean }} how
   * @returns {Promise<string | null>} What the compiler says; null: nothing.
   */
  async build({ bundled }) {
    const tsc = join(this.root, 'node_modules', 'typescript', 'bin', 'tsc');
    const build = bundled ? [join(this.root, 'scripts', 'build.js')] : [tsc, '-b', 'src'];
    const { code, output } = await run(build, { cwd: this.root, env: process.env });
    // The set-up of the tests would build again, with the bundle, where a source is newer than this.
    if (!bundled) writeFileSync(join(this.root, 'dist', '.built'), '');
    return code === 0 ? null : output.trim();
  }
}

/** Each package by a link of its own, so that caches of tools do not go into the project's folder. @param {string} root */
function linkModules(root) {
  const from = join(PROJECT, 'node_modules');
  const to = join(root, 'node_modules');
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    if (name.startsWith('.') && name !== '.bin') continue;
    symlinkSync(join(from, name), join(to, name));
  }
}

/** @type {Set<number>} */
const running = new Set();

/** Ends what is running, at an interruption. */
export function endAll() {
  for (const pid of running) endGroup(pid);
}

/** @param {number} pid */
function endGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/**
 * Runs a program of Node.js in a process group of its own, and ends the group when its time is over.
 *
 * @param {readonly string[]} args
 * @param {{ readonly cwd: string, readonly env: NodeJS.ProcessEnv, readonly limitMs?: number }} how
 * @returns {Promise<{ code: number | null, output: string, timedOut: boolean }>}
 */
export function run(args, { cwd, env, limitMs = 300_000 }) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const pid = child.pid ?? 0;
    let output = '';
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      endGroup(pid);
    }, limitMs);
    /** @param {string} text */
    const collect = (text) => {
      if (output.length < OUTPUT_LIMIT) output += text;
    };
    running.add(pid);
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.on('error', reject);
    // Not `close`: a process that was left behind may keep the pipes.
    child.on('exit', (code) => {
      clearTimeout(timer);
      running.delete(pid);
      setImmediate(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        resolve({ code, output, timedOut });
      });
    });
  });
}

const OUTPUT_LIMIT = 1_000_000;
