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
const failures = failed.length + Number(totals?.[2] ?? 1);
process.stdout.write(
  `${totals?.[1] ?? '0'} passed, ${String(failures)} failed${totals?.[3] ?? ''}\n`,
);
process.exitCode = failures > 0 || tests?.code !== 0 ? 1 : 0;

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
  let rest = '';
  let totals = '';
  const code = await run('npx vitest run', process.env, (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (/^\d+ passed, \d+ failed/.test(line)) totals = line;
      else process.stdout.write(`${line}\n`);
    }
  });
  process.stdout.write(rest);
  return { code, totals };
}

/**
 * Runs one command of the shell, and hands on its output as it comes.
 * @param {string} command
 * @param {NodeJS.ProcessEnv} env
 * @param {(text: string) => void} onText
 * @returns {Promise<number>} its exit code
 */
function run(command, env, onText) {
  return new Promise((resolve) => {
    const child = spawn(command, { shell: true, env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.setEncoding('utf8').on('data', onText);
    child.stderr.setEncoding('utf8').on('data', onText);
    child.on('error', (error) => {
      onText(`${error.message}\n`);
      resolve(1);
    });
    child.on('close', (code) => {
      resolve(code ?? 1);
    });
  });
}
