// The chaos harness itself: a short fixed plan holds, a workload that nothing holds is found out, and nothing is left.
import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { markedProcesses, signal } from '../support/process-list.ts';
import { ClientProcess } from '../support/process-node.ts';
import { until } from '../support/until.ts';

it('finds no promise broken in a short plan, and leaves nothing', async () => {
  const run = chaos('--seed', '4', '--cases', '1', '--rounds', '3', '--json', '--verbose');
  const { code, stdout, stderr } = await run.done;
  const { directory, mark } = groupOf(stderr);
  const result: unknown = JSON.parse(stdout);
  expect(result, stderr).toMatchObject({
    verdict: 'held',
    violations: [],
    figures: { overlaps: 0, cases: 1 },
    cases: [{}],
  });
  expect(code).toBe(0);
  expect([existsSync(directory), markedProcesses(mark)]).toStrictEqual([false, []]);
});

it('finds two active when the workload escapes, keeps the logs and names the seed', async () => {
  const plan = ['--seed', '11', '--cases', '1', '--rounds', '1', '--only', 'kill-primary'];
  const run = chaos(...plan, '--escape', '--verbose');
  const { code, stdout, stderr } = await run.done;
  const { directory, mark } = groupOf(stderr);
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  expect(stdout).toContain('while another was active');
  expect(stdout).toContain(`Logs, records and the plan: ${directory}`);
  expect(stdout).toContain('npm run chaos -- --seed 11 --case 0 --rounds 1');
  expect(code).toBe(1);
  expect(existsSync(join(directory, 'plan.json'))).toBe(true);
  expect(markedProcesses(mark)).toStrictEqual([]);
});

it('leaves nothing either when it is killed itself', async () => {
  const run = chaos('--seed', '4', '--cases', '1', '--verbose');
  const { directory, mark } = await until('the group', () => groupIn(run.stderr), LIMIT_MS);
  await until('its nodes', () => markedProcesses(mark).length > 2, LIMIT_MS);
  run.kill('SIGKILL');
  await until('the end of all', () => markedProcesses(mark).length === 0, LIMIT_MS);
  await until('the end of its files', () => !existsSync(directory), LIMIT_MS);
});

const HERE = import.meta.dirname;

const LIMIT_MS = 60_000;

function chaos(...args: readonly string[]): ClientProcess {
  const hook = pathToFileURL(join(HERE, '..', 'support', 'typescript.js')).href;
  const child = spawn(process.execPath, ['--import', hook, join(HERE, 'main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const run = new ClientProcess(child);
  // Ctrl-C: it ends all that it started.
  onTestFinished(() => {
    if (run.end === null) signal(run.pid, 'SIGINT');
  });
  return run;
}

interface ChaosGroup {
  readonly directory: string;
  readonly mark: string;
}

/** Where the group of the first case is, and how its processes are known. */
function groupIn(output: string): ChaosGroup | null {
  const { directory, mark } =
    /in (?<directory>\S+), mark (?<mark>\w+)\n/.exec(output)?.groups ?? {};
  return directory === undefined || mark === undefined ? null : { directory, mark };
}

function groupOf(output: string): ChaosGroup {
  const group = groupIn(output);
  if (group === null) throw new Error(`no group in ${output}`);
  return group;
}
