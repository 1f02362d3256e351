// What a starter starts: with the lock, behind its gate, and gone with it.
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readStat } from '../../src/fence/process-identity.ts';
import { KernelLock } from '../../src/lease/file/kernel-lock.ts';
import { monotonicNow } from '../../src/runtime/clock.ts';
import type { WorkloadEnd } from '../../src/runtime/ports.ts';
import { placeAt } from '../../src/starter/place.ts';
import { Starter } from '../../src/starter/starter.ts';
import type { GatedProcess } from '../../src/workload/gate.ts';
import type { StartPlace } from '../../src/workload/start-places.ts';
import { until } from '../support/until.ts';
import { lives, textOf, workloadDirectory } from '../support/workload.ts';

const MESSAGE = { role: 'primary', epoch: '7', previous: 'b', reason: 'a test' } as const;

it('starts a command that inherits the lock, and tells how it ended', async () => {
  const { directory, lock, spawn, place, starter } = stage();
  await until('it is ready', () => starter.isReady);
  const gated = await spawn(
    'echo "$FAILOVER_GROUP $FAILOVER_EPOCH" > $D/ran; while [ ! -e $D/go ]; do sleep 0.02; done; exit 9',
  );
  expect(readStat(gated.identity.pid)).toMatchObject({
    startTime: gated.identity.startTime,
    parent: starter.pid,
    session: gated.identity.pid,
  });
  expect(await place.description.tryLock()).toBe(true);
  expect(textOf(join(directory, 'ran'))).toBe('');
  gated.open(MESSAGE);
  place.leave();
  await until('it runs', () => textOf(join(directory, 'ran')) === 'web 7\n');
  expect(lock.isFree()).toBe(false);
  writeFileSync(join(directory, 'go'), '\n');
  expect(await endOf(gated)).toEqual({ exitCode: 9, signal: null });
  expect(lock.isFree()).toBe(true);
});

it('tells by when a command had ended, and of one that ended with it by when both were known to live', async () => {
  const { spawn, starter, path } = stage(new Starter(20));
  const beforeMs = Math.floor(monotonicNow());
  const gated = await spawn('exit 0');
  const other = placeAt(starter, new KernelLock(path));
  const orphan = await other.spawn({ ...REQUEST, command: ['sleep', '1000'] });
  const known = Promise.all(
    [gated, orphan].map(
      (each) =>
        new Promise<number | null>((resolve) => {
          each.onEnd((_, atMs) => {
            resolve(atMs);
          });
        }),
    ),
  );
  gated.close();
  await endOf(gated);
  await until('it can be used', () => starter.isReady);
  const before = saidBy(starter);
  // It is asked nothing else.
  await until('a sign of life', () => saidBy(starter) > before);
  process.kill(pidOf(starter), 'SIGKILL');
  for (const atMs of await known) {
    expect(atMs).toBeGreaterThanOrEqual(beforeMs);
    expect(atMs).toBeLessThanOrEqual(monotonicNow());
  }
});

it('tells of an end that came with the start, and of a gate that was never opened', async () => {
  const { spawn } = stage();
  const gated = await spawn('exit 1');
  gated.close();
  expect(await endOf(gated)).toEqual({ exitCode: 125, signal: null });
  expect(gated.end()).toEqual({ exitCode: 125, signal: null });
  // It has ended: nobody owes it an answer.
  gated.open(MESSAGE);
});

it('writes the role file before the command runs, and says why it could not be', async () => {
  const { directory, spawn } = stage();
  const failures: string[] = [];
  const path = join(directory, 'role');
  const onFailure = (error: string): number => failures.push(error);
  const first = await spawn('cp $D/role $D/seen');
  first.openTelling?.(MESSAGE, { path, onFailure });
  expect(await endOf(first)).toEqual({ exitCode: 0, signal: null });
  expect(JSON.parse(textOf(join(directory, 'seen')))).toEqual({
    ...{ role: 'primary', epoch: 7, reason: 'a test' },
  });
  expect(failures).toEqual([]);
});

it('opens the gate also where the role file can not be written, and says so', async () => {
  const { directory, spawn } = stage();
  const failures: string[] = [];
  const path = join(directory, 'workload.lock', 'role');
  const gated = await spawn('exit 9');
  gated.openTelling?.(MESSAGE, { path, onFailure: (error) => failures.push(error) });
  expect(await endOf(gated)).toEqual({ exitCode: 9, signal: null });
  await until('the failure', () => failures.length > 0);
  expect(failures[0]).toContain('ENOTDIR');
});

it('does not take a lock that another has, nor one on a file that lost its name', async () => {
  const { lock, place, path } = stage();
  const other = lock.open();
  expect(other.tryLock()).toBe(true);
  expect(await place.description.tryLock()).toBe(false);
  other.close();
  renameSync(path, `${path}.away`);
  expect(await place.description.tryLock()).toBe(false);
  writeFileSync(path, '');
  expect(place.description.isReplaced()).toBe(true);
  expect(await place.description.tryLock()).toBe(false);
});

it('lets the lock go where the place is left, and starts nothing there any more', async () => {
  const { lock, place, spawn } = stage();
  expect(await place.description.tryLock()).toBe(true);
  expect(lock.isFree()).toBe(false);
  place.leave();
  await until('a free lock', () => lock.isFree());
  await expect(spawn('true')).rejects.toMatchObject({ code: 'FAILOVER_COMMAND_NOT_EXECUTABLE' });
});

it('names what the system refuses', async () => {
  const { place } = stage();
  const command = ['echo', 'x'.repeat(200_000)];
  await expect(place.spawn({ ...REQUEST, command })).rejects.toMatchObject({
    code: 'FAILOVER_COMMAND_NOT_EXECUTABLE',
    message: 'Cannot start echo: E2BIG',
  });
});

it('takes along what it has started, whose end is told all the same', async () => {
  const { spawn, starter, place, directory } = stage();
  const gated = await spawn(
    `trap 'echo TERM > $D/got; exit' TERM; : > $D/ran; while :; do sleep 0.02; done`,
  );
  gated.open(MESSAGE);
  await until('it runs', () => existsSync(join(directory, 'ran')));
  process.kill(pidOf(starter), 'SIGKILL');
  expect(await endOf(gated)).toEqual({ exitCode: null, signal: 'SIGTERM' });
  await until('it has ended as well', () => !lives(gated.identity.pid));
  expect(textOf(join(directory, 'got'))).toBe('TERM\n');
  expect(starter.isGone).toBe(true);
  await expect(place.description.tryLock()).rejects.toThrow('has exited');
});

it('is ended where it stands still, though nothing is asked of it', async () => {
  // Looked at so seldom that one which waits for the CPU is not taken for one that stands still.
  const { starter, spawn } = stage(new Starter(100));
  await until('it can be used', () => starter.isReady);
  const gated = await spawn('exit 0');
  process.kill(pidOf(starter), 'SIGSTOP');
  expect(await endOf(gated)).toEqual({ exitCode: null, signal: 'SIGTERM' });
  await until('it has ended', () => !lives(pidOf(starter)));
});

it('is ended where it stands still, and nobody waits for it', async () => {
  const { starter, place } = stage(new Starter(20));
  await until('it can be used', () => starter.isReady);
  process.kill(pidOf(starter), 'SIGSTOP');
  await expect(place.description.tryLock()).rejects.toThrow('has exited');
  await until('it has ended', () => !lives(pidOf(starter)));
});

it('refuses a command that is too long to be told, and goes on', async () => {
  const { starter, place } = stage();
  const command = ['echo', 'x'.repeat(5_000_000)];
  await expect(place.spawn({ ...REQUEST, command })).rejects.toMatchObject({
    message: 'Cannot start echo: E2BIG',
  });
  expect(starter.isGone).toBe(false);
});

const REQUEST = {
  environment: { FAILOVER_GROUP: 'web' },
  lockFd: 3,
  deathSignal: 'TERM',
  output: 'inherit',
} as const;

function stage(starter: Starter = new Starter()): {
  readonly starter: Starter;
  readonly directory: string;
  readonly path: string;
  readonly lock: KernelLock;
  readonly place: StartPlace;
  /** A script that finds the directory in `$D`. */
  readonly spawn: (script: string) => Promise<GatedProcess>;
} {
  const directory = workloadDirectory();
  const path = join(directory, 'workload.lock');
  const lock = new KernelLock(path);
  const place = placeAt(starter, lock);
  onTestFinished(() => {
    place.leave();
    if (!starter.isGone) process.kill(pidOf(starter), 'SIGKILL');
  });
  const spawn = (script: string): Promise<GatedProcess> =>
    place.spawn({ ...REQUEST, command: ['sh', '-c', `D='${directory}'\n${script}`] });
  return { starter, directory, path, lock, place, spawn };
}

function pidOf({ pid }: Starter): number {
  if (pid === undefined) throw new Error('the system refused the starter');
  return pid;
}

/** How much, in bytes. */
function saidBy(starter: Starter): number {
  const [, bytes] = /^wchar: (\d+)$/m.exec(textOf(`/proc/${String(pidOf(starter))}/io`)) ?? [];
  return Number(bytes);
}

function endOf(gated: GatedProcess): Promise<WorkloadEnd> {
  return new Promise((resolve) => {
    const end = gated.end();
    if (end === null) gated.onEnd(resolve);
    else resolve(end);
  });
}
