// Runs one check in a tree, and says whether it failed: for a mutant that is what has to happen.
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describeCheck } from './mutant.js';
import { run } from './tree.js';

/** @typedef {import('./mutant.js').Check} Check */
/** @typedef {import('./mutant.js').TestCheck} TestCheck */
/** @typedef {import('./mutant.js').SimulationCheck} SimulationCheck */
/** @typedef {import('./simulate.js').Simulated} Simulated */

/**
 * - `passed`: it found nothing.
 * - `failed`: it found something.
 * - `broken`: it could not be made at all, which says nothing.
 *
 * @typedef {{ readonly outcome: 'passed' | 'failed' | 'broken', readonly detail: string }} Verdict
 */

/** Far more than any of them takes where nothing is broken, seconds. */
const LIMIT_S = 180;

/**
 * @typedef {object} Place
 * @property {string} root Of the tree.
 * @property {string} temporary For what the tests write. Of this run only: every process that has it as
 *   TMPDIR is ended after a check.
 */

/** @param {Check} check */
export function needsBundle(check) {
  return 'test' in check && check.test.startsWith('test/process/');
}

/**
 * @param {Check} check
 * @param {Place} place
 * @returns {Promise<Verdict>}
 */
export async function make(check, place) {
  const verdicts = await makeAll([check], place);
  return verdicts.get(check) ?? { outcome: 'broken', detail: 'it was not made' };
}

/**
 * Makes several checks; all tests of them in one run.
 *
 * @param {readonly Check[]} checks
 * @param {Place} place
 * @returns {Promise<Map<Check, Verdict>>}
 */
export async function makeAll(checks, place) {
  try {
    /** @type {Map<Check, Verdict>} */
    const verdicts = new Map();
    for (const check of checks) {
      if (!('test' in check)) verdicts.set(check, await makeSimulation(check, place));
    }
    const tests = checks.filter((check) => 'test' in check);
    if (tests.length > 0) {
      const report = await runTests(tests, place);
      for (const check of tests) verdicts.set(check, judge(check, report, place));
    }
    return verdicts;
  } finally {
    endStrays(place.temporary);
  }
}

/**
 * What became of the tests; as a text: why there is no report.
 *
 * @typedef {object} Report
 * @property {boolean} timedOut
 * @property {readonly TestFile[] | string} files
 */

/**
 * @typedef {object} TestFile
 * @property {string} name
 * @property {string} [message] Why it could not be loaded.
 * @property {readonly Assertion[]} assertionResults
 */

/**
 * @typedef {object} Assertion
 * @property {string} status
 * @property {string} fullName
 */

/**
 * @param {readonly TestCheck[]} checks
 * @param {Place} place
 * @returns {Promise<Report>}
 */
async function runTests(checks, { root, temporary }) {
  const path = join(root, 'report.json');
  rmSync(path, { force: true });
  const files = new Set(checks.map(({ test }) => test));
  const titles = checks.map(({ title }) => title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const limitS = checks.length === 1 ? (checks[0]?.hangs ?? LIMIT_S) : LIMIT_S * checks.length;
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const { output, timedOut } = await run(
    [vitest, 'run', ...files, '-t', titles.join('|'), '--reporter=json', `--outputFile=${path}`],
    {
      cwd: root,
      env: { ...process.env, TMPDIR: temporary, NO_COLOR: '1' },
      limitMs: limitS * 1_000,
    },
  );
  /** @type {(text: string) => { readonly testResults: readonly TestFile[] }} */
  const parse = JSON.parse;
  try {
    return { timedOut, files: parse(readFileSync(path, 'utf8')).testResults };
  } catch {
    return { timedOut, files: `no report: ${lastLines(output)}` };
  }
}

/**
 * @param {TestCheck} check
 * @param {Report} report
 * @param {Place} place
 * @returns {Verdict}
 */
function judge({ test, title, hangs }, { timedOut, files }, { root }) {
  if (timedOut) {
    return hangs === undefined
      ? { outcome: 'broken', detail: `no end after ${String(LIMIT_S)} s` }
      : { outcome: 'failed', detail: `${test}: ${title}: hangs, no end after ${String(hangs)} s` };
  }
  if (typeof files === 'string') return { outcome: 'broken', detail: files };
  const file = files.find(({ name }) => name === join(root, test));
  const tests = file?.assertionResults.filter(({ fullName }) => fullName.includes(title)) ?? [];
  const failed = tests.find(({ status }) => status === 'failed');
  if (failed !== undefined) {
    return {
      outcome: 'failed',
      detail: `${test.replace(/^test\//, '')}: ${failed.fullName.trim()}`,
    };
  }
  if (tests.some(({ status }) => status === 'passed')) return { outcome: 'passed', detail: '' };
  const said = lastLines(file?.message ?? '');
  return { outcome: 'broken', detail: `no test of that name was run. ${said}` };
}

/**
 * @param {SimulationCheck} check
 * @param {Place} place
 * @returns {Promise<Verdict>}
 */
async function makeSimulation(check, { root, temporary }) {
  const { code, output, timedOut } = await run(
    [join(root, 'test', 'mutants', 'simulate.js'), JSON.stringify(check)],
    { cwd: root, env: { ...process.env, TMPDIR: temporary }, limitMs: LIMIT_S * 1_000 },
  );
  if (timedOut || code !== 0) {
    return { outcome: 'broken', detail: `${describeCheck(check)}: ${lastLines(output)}` };
  }
  /** @type {(text: string) => Simulated} */
  const parse = JSON.parse;
  const { violation, seed, steps } = parse(output);
  if (violation === null) return { outcome: 'passed', detail: '' };
  const where = `seed ${String(seed)}, step ${String(steps)}`;
  const detail = `simulate (${where}): ${violation.promise}: ${violation.what}`;
  return { outcome: 'failed', detail };
}

/** @param {string} text */
function lastLines(text) {
  return text.trim().split('\n').slice(-3).join(' ').slice(0, 300);
}

/**
 * Ends what a broken program has left: everything that inherited this run's own TMPDIR.
 *
 * @param {string} temporary
 */
function endStrays(temporary) {
  for (const name of listProcesses()) {
    try {
      const environment = readFileSync(`/proc/${name}/environ`, 'latin1').split('\0');
      if (environment.includes(`TMPDIR=${temporary}`)) process.kill(Number(name), 'SIGKILL');
    } catch {
      // It has ended, or is another user's.
    }
  }
}

function listProcesses() {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}
