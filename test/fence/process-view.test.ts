// How another process is told of in a message.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { describeProcess } from '../../src/fence/process-view.ts';
import { until } from '../support/until.ts';

it.each([
  ['whole, where it is short', 'x'.repeat(10), `sh -c read line ${'x'.repeat(10)}`],
  ['cut where it is long, and it is seen', 'x'.repeat(100), `sh -c read line ${'x'.repeat(63)}…`],
  ['cut between characters', '😀'.repeat(100), `sh -c read line ${'😀'.repeat(63)}…`],
])('the command line of a process is %s', async (_, word, shown) => {
  const child = spawn('sh', ['-c', 'read line', word]);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const pid = child.pid ?? -1;
  // The kernel closes the pipe by which an exec is known before the new command line can be read.
  await until('its command line', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '');
  expect(describeProcess(pid)).toBe(`pid ${pid} (${shown})`);
});
