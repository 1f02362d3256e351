// Every check of the project in one command: all of them run, and the last line counts the tests.
import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';

/** @type {readonly (readonly [name: string, command: string])[]} */
const STEPS = [
  ['build', 'npm run --silent build'],
  ['types', 'npm run --silent typecheck'],
  ['lint', 'npm run --silent lint'],
  ['format', 'npm run --silent format:check'],
  ['docs', 'npm run --silent docs:check'],
  ['knip', 'npm run --silent knip'],
  ['publint', 'npm run --silent publint'],
  ['attw', 'npm run --silent attw'],
];

/** @type {string[]} */
const failed = [];
for (const [name, command] of STEPS) {
  const startedMs = performance.now();
  const { code, output } = await run(command);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n`);
  if (code !== 0) failed.push(name);
  if (code !== 0 || output.includes('warning')) process.stdout.write(output);
}

const tests = await run('npm test --silent', true);
const totals = /(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$/.exec(tests.output);
if (failed.length > 0) process.stdout.write(`Checks that failed: ${failed.join(', ')}.\n`);
if (failed.length > 0 || totals === null) {
  // A failed check counts as a failure, so that the last line never reads better than the run was.
  const failures = failed.length + Number(totals?.[2] ?? 1);
  const skipped = totals?.[3] === undefined ? '' : `, ${totals[3]} skipped`;
  process.stdout.write(`${totals?.[1] ?? '0'} passed, ${String(failures)} failed${skipped}\n`);
}
process.exitCode = failed.length > 0 || tests.code !== 0 || totals === null ? 1 : 0;

/**
 * Runs one command of the shell and collects its output, shown as it comes when asked.
 * @param {string} command
 * @param {boolean} [shown]
 * @returns {Promise<{ code: number, output: string }>}
 */
function run(command, shown = false) {
  return new Promise((resolve) => {
    const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    /** @param {string} text */
    const collect = (text) => {
      output += text;
      if (shown) process.stdout.write(text);
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.on('error', (error) => {
      resolve({ code: 1, output: error.message });
    });
    child.on('close', (code) => {
      resolve({ code: code ?? 1, output });
    });
  });
}
