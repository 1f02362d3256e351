// The guards undo a fault when they are told to, and when whoever started them is killed.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { guardStopped, startLoops } from '../../../src/cli/drill/guard.ts';
import { readIdentity, readStat } from '../../../src/fence/process-identity.ts';
import { scanSessions } from '../../../src/fence/session-members.ts';
import type { ProcessIdentity } from '../../../src/lease/lease-store.ts';
import { until } from '../../support/until.ts';

const GUARD = fileURLToPath(import.meta.resolve('../../../src/cli/drill/guard.ts'));
const LOADER = fileURLToPath(import.meta.resolve('../../support/typescript.js'));
const LONG_MS = 600_000;
const started: ChildProcess[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

function sleeper(): ProcessIdentity {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  started.push(child);
  const identity = readIdentity(child.pid ?? -1);
  if (identity === null) throw new Error('the process has ended');
  return identity;
}

function stateOf({ pid }: ProcessIdentity): string {
  return readStat(pid)?.state ?? '';
}

async function stopped(): Promise<ProcessIdentity> {
  const target = sleeper();
  process.kill(target.pid, 'SIGSTOP');
  await until('the stop', () => stateOf(target) === 'T');
  return target;
}

/** The guards that this process started: children that lead a session of their own. */
function guards(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const stat = readStat(pid);
      return stat?.parent === process.pid && stat.session === pid && stat.state !== 'Z';
    });
}

describe('the guard of a stopped process', () => {
  it('continues it when it is released, and is gone then', async () => {
    const target = await stopped();
    const guard = await guardStopped(target, LONG_MS);
    expect(stateOf(target)).toBe('T');
    await guard.release();
    await until('it to go on', () => stateOf(target) !== 'T');
    expect(guards()).toEqual([]);
    await guard.release();
  });

  it('continues it by itself when the time is over', async () => {
    const target = await stopped();
    const guard = await guardStopped(target, 1);
    await until('it to go on', () => stateOf(target) !== 'T');
    await guard.release();
  });

  it('leaves a process alone that has the pid and is another', async () => {
    const target = await stopped();
    const guard = await guardStopped({ ...target, startTime: '1' }, LONG_MS);
    await guard.release();
    expect(stateOf(target)).toBe('T');
  });

  it('heeds no signal that ends what runs on a terminal', async () => {
    const target = await stopped();
    const guard = await guardStopped(target, LONG_MS);
    const [pid = -1] = guards();
    for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.kill(-pid, signal);
    expect(stateOf(target)).toBe('T');
    await guard.release();
    await until('it to go on', () => stateOf(target) !== 'T');
  });

  it('continues it also when whoever asked was killed before it heard of it', async () => {
    const target = await stopped();
    // A shell that begins after the end of its parent.
    const bin = mkdtempSync(join(tmpdir(), 'failover-guard-'));
    onTestFinished(() => {
      rmSync(bin, { recursive: true });
    });
    const slow = '#!/bin/sh\nwhile [ -e "/proc/$ASKING" ]; do :; done\nexec /bin/sh "$@"\n';
    writeFileSync(join(bin, 'sh'), slow, { mode: 0o700 });
    const asks = `import { guardStopped } from ${JSON.stringify(GUARD)};
      // Its shell may begin after its end, and would find another parent.
      process.env.ASKING = String(process.pid);
      void guardStopped(${JSON.stringify(target)}, ${String(LONG_MS)});
      process.kill(process.pid, 'SIGKILL');`;
    const options = ['--import', LOADER, '--input-type=module', '--eval', asks];
    const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    const asking = spawn(process.execPath, options, { stdio: 'inherit', env });
    expect(await once(asking, 'exit')).toEqual([null, 'SIGKILL']);
    await until('it to go on', () => stateOf(target) !== 'T');
  });
});

describe('busy loops', () => {
  it('are as many as were asked for, and none when they are released', async () => {
    const guard = await startLoops(3, LONG_MS);
    const [pid = -1] = guards();
    const members = (): number => scanSessions(new Set([pid])).get(pid)?.length ?? 0;
    // The shell, its loops, and what waits: at least the first four.
    expect(members()).toBeGreaterThanOrEqual(4);
    await guard.release();
    expect(members()).toBe(0);
  });
});
