// Every check of the project in one command: all of them run, and the last line counts the tests.
import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';

/** @type {readonly (readonly [name: string, command: string])[]} */
const BESIDE_TESTS = [
  ['publint', 'npm run --silent publint'],
  ['attw', 'npm run --silent attw'],
  ['docs', 'npm run --silent docs:check'],
  ['knip', 'npm run --silent knip'],
  ['types', 'npm run --silent typecheck'],
  ['lint', 'npm run --silent lint'],
  ['format', 'npm run --silent format:check'],
];

/** The tests run what is in dist, so nobody builds beside them: not what packs either. */
const WITHOUT_BUILD = { ...process.env, npm_config_ignore_scripts: 'true' };

/** @type {string[]} */
const failed = [];
// Where it makes nothing there is nothing to try.
const isBuilt = await check('build', 'npm run --silent build', process.env);
const [tests] = await Promise.all([isBuilt ? runTests() : null, checkBesideTests()]);
const totals = /^(\d+) passed, (\d+) failed(.*)$/.exec(tests?.totals ?? '');
if (failed.length > 0) process.stdout.write(`Checks that failed: ${failed.join(', ')}.\n`);
// A failed check counts as a failure, so that the last line never reads better than the run was.
const failedTests = Number(totals?.[2] ?? 1);
const failures = failed.length + (tests?.code === 0 ? failedTests : Math.max(1, failedTests));
process.stdout.write(
  `${totals?.[1] ?? '0'} passed, ${String(failures)} failed${totals?.[3] ?? ''}\n`,
);
process.exitCode = failures > 0 ? 1 : 0;

/**
 * One after the other, in what the tests leave of the CPUs: many of them wait for something.
 * @returns {Promise<void>}
 */
async function checkBesideTests() {
  for (const [name, command] of BESIDE_TESTS) {
    await check(name, `nice -n 19 ${command}`, WITHOUT_BUILD);
  }
}

/**
 * Runs one check and says how it went, in one piece: the tests write there as well.
 * @param {string} name
 * @param {string} command
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<boolean>}
 */
async function check(name, command, env) {
  const startedMs = performance.now();
  let output = '';
  const code = await run(command, env, (text) => {
    output += text;
  });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const verdict = `${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n`;
  if (code !== 0) failed.push(name);
  process.stdout.write(code !== 0 || output.includes('warning') ? verdict + output : verdict);
  return code === 0;
}

/**
 * Runs the tests and shows what they say as it comes, in whole lines; all but the totals, which are the last line
 * also when a check ends after them.
 * @returns {Promise<{ code: number, totals: string }>}
 */
async function runTests() {
  let totals = '';
  /** @param {string} line */
  const show = (line) => {
    const isTotals = /^\d+ passed, \d+ failed/.test(line);
    // Those that count are the last: what a test has said before them is shown.
    const shown = isTotals ? totals : line;
    if (isTotals) totals = line;
    if (shown !== '' || !isTotals) process.stdout.write(`${shown}\n`);
  };
  const code = await run('npx vitest run', process.env, inLines(show));
  return { code, totals };
}

/**
 * Hands on whole lines; what is left at the end, which is no line, with the end of the text ('').
 * @param {(line: string) => void} onLine
 * @returns {(text: string, stream: 'stdout' | 'stderr') => void}
 */
function inLines(onLine) {
  const rest = { stdout: '', stderr: '' };
  return (text, stream) => {
    const lines = (rest[stream] + text).split('\n');
    rest[stream] = lines.pop() ?? '';
    for (const line of lines) onLine(line);
    if (text === '' && rest[stream] !== '') onLine(rest[stream]);
  };
}

/**
 * Runs one command of the shell, and hands on its output as it comes, at the end of each stream an empty text.
 * @param {string} command
 * @param {NodeJS.ProcessEnv} env
 * @param {(text: string, stream: 'stdout' | 'stderr') => void} onText
 * @returns {Promise<number>} its exit code
 */
function run(command, env, onText) {
  return new Promise((resolve) => {
    const child = spawn(command, { shell: true, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of /** @type {const} */ (['stdout', 'stderr'])) {
      /** @param {string} text */
      const hand = (text) => {
        onText(text, stream);
      };
      child[stream].setEncoding('utf8').on('data', hand);
      child[stream].on('end', () => {
        hand('');
      });
    }
    child.on('error', (error) => {
      onText(`${error.message}\n`, 'stderr');
      resolve(1);
    });
    child.on('close', (code) => {
      resolve(code ?? 1);
    });
  });
}
