// When a program that has just started can be told something by a signal without dying of it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { awaitListening } from '../../src/workload/listening.ts';
import { until } from '../support/until.ts';
import { lives, textOf } from '../support/workload.ts';

const BLOCK = 'sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGUSR2));';
const UNBLOCK = 'sigprocmask(SIG_UNBLOCK, POSIX::SigSet->new(SIGUSR2));';
const SPIN = 'my $end = time + 0.3; 1 while time < $end;';
const SAY_READY = 'open(my $file, ">", $ARGV[0]); print $file "ready"; close $file;';
const SLEEP_ON = 'sleep 1000 while 1;';

it.each([
  ['installs its handler late', `sleep 0.2; $SIG{USR2} = sub {}; ${SAY_READY} ${SLEEP_ON}`],
  ['ignores it late', `sleep 0.2; $SIG{USR2} = 'IGNORE'; ${SAY_READY} ${SLEEP_ON}`],
  ['blocks it late, and for good', `sleep 0.2; ${BLOCK} ${SAY_READY} ${SLEEP_ON}`],
  [
    'blocks it for an instant, and installs its handler later',
    `${BLOCK} ${SPIN} ${UNBLOCK} sleep 0.2; $SIG{USR2} = sub {}; ${SAY_READY} ${SLEEP_ON}`,
  ],
])('a program that %s is waited for, and lives on', async (_, script) => {
  const { pid, atMs, isReady } = startProgram(script);
  await awaitListening('SIGUSR2', { pid, atMs, isOver: () => false });
  process.kill(pid, 'SIGUSR2');
  await until('it to be ready', isReady);
  expect(lives(pid)).toBe(true);
});

it('a program that has ended, or that nobody needs any more, is not waited for', async () => {
  const { pid, atMs } = startProgram(SLEEP_ON);
  await awaitListening('SIGUSR2', { pid, atMs, isOver: () => true });
  process.kill(pid, 'SIGKILL');
  await awaitListening('SIGUSR2', { pid, atMs, isOver: () => false });
});

it('a program that had time enough to start is not waited for', async () => {
  const { pid, atMs } = startProgram(SLEEP_ON);
  await awaitListening('SIGUSR2', { pid, atMs: atMs - 3_600_000, isOver: () => false });
  expect(lives(pid)).toBe(true);
});

interface Program {
  readonly pid: number;
  readonly atMs: number;
  readonly isReady: () => boolean;
}

function startProgram(script: string): Program {
  const directory = mkdtempSync(join(tmpdir(), 'failover-listening-'));
  const path = join(directory, 'ready');
  const atMs = performance.now();
  const modules = 'use POSIX qw(:signal_h); use Time::HiRes qw(sleep time);';
  const child = spawn('perl', ['-e', `${modules} ${script}`, path], { stdio: 'ignore' });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await until('its end', () => child.exitCode !== null || child.signalCode !== null);
    rmSync(directory, { recursive: true, force: true });
  });
  return { pid: child.pid ?? -1, atMs, isReady: () => textOf(path) === 'ready' };
}
