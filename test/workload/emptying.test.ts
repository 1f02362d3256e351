// The ladder that ends sessions looks at each process again right before each signal.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { readStat } from '../../src/fence/process-identity.ts';
import { Emptying } from '../../src/workload/emptying.ts';
import type { Member } from '../../src/workload/living-members.ts';
import { until } from '../support/until.ts';
import { lives, textOf } from '../support/workload.ts';

/** What each look finds, in turn; then nothing any more. */
const looks = vi.hoisted(() => ({ next: [] as (readonly Member[] | Error)[] }));

vi.mock('../../src/workload/living-members.ts', () => ({
  livingMembers: () => {
    const found = looks.next.shift() ?? [];
    if (found instanceof Error) throw found;
    return found;
  },
}));

afterEach(() => {
  looks.next = [];
});

it.each([
  ['told', 10_000],
  ['killed', 0],
])(
  'a process that has got the pid of a member since it was listed is not %s',
  async (_, graceMs) => {
    const { pid, startTime, heard } = await startProcess();
    const listed = { pid, startTime: `${startTime}0`, session: pid };
    looks.next = [[listed], [listed]];
    expect(await new Emptying(() => [], graceMs).done).toEqual([]);
    // Of the signals that wait, a shell takes the lower number first: TERM would be told by now.
    process.kill(pid, 'SIGWINCH');
    await until('its word', () => heard().includes('asked'));
    expect(heard()).toBe('ready\nasked\n');
    expect(lives(pid)).toBe(true);
  },
);

it('a member is told once, however often it is listed, and killed when its time is over', async () => {
  const { pid, startTime, heard } = await startProcess();
  const listed = { pid, startTime, session: pid };
  looks.next = Array.from({ length: 20 }, () => [listed]);
  const emptying = new Emptying(() => [], 60_000);
  await until('the word', () => heard().includes('told'));
  await until('more looks', () => looks.next.length < 10);
  expect(heard()).toBe('ready\ntold\n');
  looks.next = [[listed]];
  emptying.shorten(0);
  await emptying.done;
  await until('its end', () => !lives(pid));
});

it('a look that failed is no proof that nobody is there: it looks again', async () => {
  const { pid, startTime } = await startProcess();
  const listed = { pid, startTime, session: pid };
  looks.next = [new Error('no descriptor left'), [listed], new Error('no descriptor left'), []];
  expect(await new Emptying(() => [], 0).done).toEqual([]);
  expect(looks.next).toEqual([]);
  await until('its end', () => !lives(pid));
});

it('says what kept it from looking where it never could', async () => {
  const failure = new Error('no descriptor left');
  looks.next = Array.from({ length: 10_000 }, () => failure);
  const emptying = new Emptying(() => [], 0);
  await emptying.done;
  expect(emptying.failure).toBe(failure);
});

interface Listener {
  readonly pid: number;
  readonly startTime: string;
  /** What it has written about the signals that it got. */
  readonly heard: () => string;
}

async function startProcess(): Promise<Listener> {
  const directory = mkdtempSync(join(tmpdir(), 'failover-emptying-'));
  const path = join(directory, 'heard');
  const script = `trap 'echo told >> "$0"' TERM; trap 'echo asked >> "$0"' WINCH
    echo ready >> "$0"; while :; do sleep 0.02; done`;
  const child = spawn('sh', ['-c', script, path], { detached: true, stdio: 'ignore' });
  const pid = child.pid ?? -1;
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await until('its end', () => child.exitCode !== null || child.signalCode !== null);
    rmSync(directory, { recursive: true, force: true });
  });
  await until('the start', () => textOf(path) === 'ready\n');
  return { pid, startTime: readStat(pid)?.startTime ?? '', heard: () => textOf(path) };
}
