// Where hardly any file may be open: a command does its work or says what it lacks, and never prints a stack trace.
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import { LAUNCHER } from '../support/process-node.ts';
import { CALM } from '../support/process-steps.ts';

/** From what Node.js itself can hardly start with to what everything works with; each where clients begin to work. */
const LIMITS = [20, 24, 28, 30, 31, 32, 34, 40, 50, 56, 60, 64, 70, 90, 120];

/** Less than what a node has open and what a few others open of it. */
const TOO_FEW = 70;

it.each(['run', 'status', 'promote'] as const)('`%s` under each limit', (command) =>
  inGroup(async (group) => {
    await group.startAll(['a', 'b']);
    const codes = new Set<number | null>();
    for (const limit of LIMITS) {
      if (!startsUnder(limit, group)) continue;
      // One that starts is the first of a group of its own, and ends with its command.
      const words =
        command === 'run'
          ? ['run', '--group', `g${limit}`, '--restart', 'never', '--', 'true']
          : [command, '--group', 'g'];
      const { code, stderr } = await group.until(`an answer at ${limit}`, async () => {
        const result = await runUnder(limit, words, group);
        // On a busy machine it may be that no node has answered in time: that is not for lack of descriptors.
        return result.code !== 3 && result;
      });
      codes.add(code);
      expect(stderr, `at ${limit}`).not.toMatch(/^\s+at /m);
      expect([0, 1], `at ${limit}: ${stderr}`).toContain(code);
      // Who connected to a node of so few would end it by abort.
      if (command === 'run' && limit <= TOO_FEW) expect(code, `at ${limit}`).toBe(1);
      if (code === 1) expect(stderr, `at ${limit}`).toMatch(/^failover: Cannot .+\n.*`ulimit -n`/m);
    }
    expect([...codes].sort()).toEqual([0, 1]);
  }, CALM),
);

/** Whether this Node.js itself can load a program: what it says where it can't is not ours to word. */
function startsUnder(limit: number, group: Group): boolean {
  const program = group.path('empty.js');
  writeFileSync(program, '');
  const script = `ulimit -n ${limit}; exec "$@"`;
  const words = ['-c', script, 'sh', process.execPath, program];
  return spawnSync('sh', words, { stdio: ['ignore', 'ignore', 'pipe'] }).status === 0;
}

interface Result {
  readonly code: number | null;
  readonly stderr: string;
}

async function runUnder(limit: number, words: readonly string[], group: Group): Promise<Result> {
  const [command = '', ...rest] = words;
  const own = [process.execPath, LAUNCHER, command, '--state-dir', group.stateDir, ...rest];
  const child = spawn('sh', ['-c', `ulimit -n ${limit}; exec "$@"`, 'sh', ...own], {
    env: { ...process.env, NODE_OPTIONS: '', XDG_RUNTIME_DIR: group.path('run') },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stderr };
}
