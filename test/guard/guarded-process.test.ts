// What a supervisor makes of what its guard says: by when a process had ended, also where it hears of that late.
import { spawn } from 'node:child_process';
import { expect, it, onTestFinished } from 'vitest';
import { GuardedProcess } from '../../src/guard/guarded-process.ts';
import type { FromGuard } from '../../src/guard/messages.ts';

const START: FromGuard = { type: 'spawned', pid: 999_999_999, startTime: '7' };

it('has ended when its guard says so, and was started when that says so', async () => {
  const end: FromGuard = { type: 'ended', exitCode: 3, signal: null, at: 123 };
  const { guarded, ended } = await saying([START, end]);
  expect(await ended).toEqual([{ exitCode: 3, signal: null }, 123]);
  expect(guarded.identity).toMatchObject({ pid: 999_999_999, startTime: '7' });
  const later = new Promise((resolve) => {
    guarded.onEnd((...how) => {
      resolve(how);
    });
  });
  expect(await later).toEqual([{ exitCode: 3, signal: null }, 123]);
});

it.each([
  ['was known to live until its guard has said something last', 45],
  ['was never known to live where that has said nothing', null],
])('whose guard is gone %s', async (_, at) => {
  const heard: FromGuard[] = at === null ? [] : [{ type: 'heard', number: 1, at }];
  const { ended } = await saying([START, ...heard]);
  expect(await ended).toEqual([{ exitCode: null, signal: 'SIGKILL' }, at]);
});

/** A guard that says these, and ends. */
async function saying(words: readonly FromGuard[]): Promise<{
  readonly guarded: GuardedProcess;
  readonly ended: Promise<unknown>;
}> {
  const lines = words.map((word) => JSON.stringify(word));
  // The rest once it was told what to start, and then something more.
  const script = 'read -r _; echo "$1" >&4; read -r _; shift; for word; do echo "$word" >&4; done';
  const child = spawn('sh', ['-c', script, 'sh', ...lines], {
    stdio: ['pipe', 'ignore', 'ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const guarded = new GuardedProcess(child);
  const starter = { group: 'g', stateDir: '/nowhere', node: 'a' };
  await guarded.begin(
    {
      ...{ command: ['true'], environment: {}, lockFd: null, lockFiles: [] },
      ...{ deathSignal: null, output: 'inherit' },
    },
    { starter, startLimitMs: 60_000, deathSignal: false },
    () => undefined,
  );
  const ended = new Promise((resolve) => {
    guarded.onEnd((...how) => {
      resolve(how);
    });
  });
  guarded.close();
  return { guarded, ended };
}
