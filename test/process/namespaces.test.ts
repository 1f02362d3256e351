// Nodes of one group in different pid namespaces: they are told that they can't see each other's processes.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../support/until.ts';

const FAILOVER = join(import.meta.dirname, '../../bin/failover.js');

it('a node warns of those in another pid namespace, in its log and in `status`', async (context) => {
  if (!canUnshare()) context.skip('this user may not make a pid namespace (needs root)');
  const { env, stateDir } = place();
  const run = (node: string): string[] => {
    const options = ['--group', 'web', '--node', node, '--state-dir', stateDir];
    return [FAILOVER, 'run', ...options, '--', 'sleep', '1000'];
  };
  const first = start(process.execPath, run('a'), env);
  await until('its record', () => recordsIn(stateDir) === 1);
  const inner = start('unshare', [...UNSHARE, process.execPath, ...run('b')], env);
  const warning = 'node a of this group is in another pid namespace';
  await until('the warning', () => inner.said().includes(warning));
  await until('its record', () => recordsIn(stateDir) === 2);
  const { status, stdout } = spawnSync(
    process.execPath,
    [FAILOVER, 'status', '--json', '--group', 'web', '--state-dir', stateDir],
    { env, encoding: 'utf8' },
  );
  expect(status).toBe(0);
  expect(stdout).toContain('node b of this group is in another pid namespace');
  expect(inner.said().split(warning)).toHaveLength(2);
  expect(first.said()).not.toContain('pid namespace');
}, 60_000);

/** What ends the namespace ends all in it. */
const UNSHARE = ['-pf', '--mount-proc', '--kill-child'];

function canUnshare(): boolean {
  return spawnSync('unshare', [...UNSHARE, 'true']).status === 0;
}

function place(): { readonly env: NodeJS.ProcessEnv; readonly stateDir: string } {
  const directory = mkdtempSync(join(tmpdir(), 'failover-namespaces-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  const runtime = join(directory, 'runtime');
  mkdirSync(runtime, { mode: 0o700 });
  const env = { ...process.env, XDG_RUNTIME_DIR: runtime, NO_COLOR: '1' };
  return { env, stateDir: join(directory, 'state') };
}

function recordsIn(stateDir: string): number {
  try {
    return readdirSync(join(stateDir, 'web', 'nodes')).length;
  } catch {
    return 0;
  }
}

interface Started {
  readonly child: ChildProcess;
  /** What it has written to stderr. */
  readonly said: () => string;
}

function start(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Started {
  const child = spawn(file, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    // One in this namespace ends in order, with its command; the other with its namespace.
    child.kill(file === 'unshare' ? 'SIGKILL' : 'SIGTERM');
    await ended;
  });
  return { child, said: () => text };
}
