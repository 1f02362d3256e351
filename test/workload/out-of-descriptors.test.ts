// A process that has no descriptor left can't start another; it says so and goes on.
import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { join } from 'node:path';

const FIXTURE = join(import.meta.dirname, '../support/workload-starved.js');

/** What came of each attempt with 0, 1, 2... descriptors left. */
async function attemptsOfStarved(): Promise<Record<string, readonly string[]>> {
  // The fixture takes all but a few itself: to load it takes more of them at once than the fewest that it leaves.
  const limited = ['-c', 'ulimit -n 512; exec "$@"', 'sh', process.execPath, FIXTURE];
  const child = spawn('sh', limited, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk: Buffer) => (output[name] += chunk.toString()));
  }
  const exitCode = await new Promise((resolve) => child.once('close', resolve));
  expect({ exitCode, stderr: output.stderr }).toEqual({ exitCode: 0, stderr: '' });
  // Only the fixture writes here.
  return JSON.parse(output.stdout) as Record<string, readonly string[]>;
}

it('goes on after a start that the system refused for lack of descriptors', async () => {
  const { gate, hook, check, probe } = await attemptsOfStarved();
  const refusal = 'Cannot start true: EMFILE';
  expect(gate?.[0]).toBe(refusal);
  expect(new Set(gate)).toEqual(new Set([refusal, 'started']));
  const hookRefusal = 'could not be started: Cannot start sh: EMFILE';
  expect(hook?.[0]).toBe(hookRefusal);
  expect(new Set(hook)).toEqual(new Set([hookRefusal, 'started']));
  for (const told of [check, probe]) {
    expect(told?.[0]).toBe('did not pass');
    expect(new Set(told)).toEqual(new Set(['did not pass', 'started']));
  }
});
