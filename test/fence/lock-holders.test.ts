import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  findDeletedHolders,
  findLockHolders,
  KnownHolder,
  SeenLocks,
} from '../../src/fence/lock-holders.ts';
import { KernelLock } from '../../src/lease/file/kernel-lock.ts';
import { until } from '../support/until.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());

const pids = (holders: readonly { readonly pid: number }[]): number[] =>
  [...new Set(holders.map((holder) => holder.pid))].sort((a, b) => a - b);

it('nobody holds a free lock, even with the file open', async () => {
  const description = stage.workloadLock.open();
  expect(findLockHolders(stage.workloadLock.path)).toEqual([]);
  description.close();
  const actor = await stage.start(
    `exec 4<'${stage.workloadLock.path}'; echo ready; exec sleep 1000`,
  );
  expect(findLockHolders(stage.workloadLock.path, [actor.identity.pid])).toEqual([]);
});

it('this process is named with its descriptor', () => {
  const description = stage.workloadLock.open();
  description.tryLock();
  expect(findLockHolders(stage.workloadLock.path)).toEqual([
    { pid: process.pid, fd: description.fd },
  ]);
  description.close();
  expect(findLockHolders(stage.workloadLock.path)).toEqual([]);
});

it('each process that inherited the description is named, and nobody else', async () => {
  const actor = await stage.start('sleep 1000 & echo $!; echo ready; wait', { lock: true });
  await stage.start('echo ready; exec sleep 1000');
  await until('the helper is known', () => actor.lines.length === 1);
  const expected = [actor.identity.pid, Number(actor.lines[0])].sort((a, b) => a - b);
  expect(pids(findLockHolders(stage.workloadLock.path))).toEqual(expected);
  expect(findLockHolders(stage.primaryLock.path)).toEqual([]);
});

it('a lock file that was renamed is still known by its inode; a missing one has no holder', async () => {
  const actor = await stage.start('echo ready; exec sleep 1000', { lock: true });
  renameSync(stage.workloadLock.path, `${stage.workloadLock.path}.moved`);
  expect(findLockHolders(stage.workloadLock.path)).toEqual([]);
  expect(pids(findLockHolders(`${stage.workloadLock.path}.moved`))).toEqual([actor.identity.pid]);
});

it('only the processes asked about are looked at', async () => {
  const actor = await stage.start('echo ready; exec sleep 1000', { lock: true });
  expect(findLockHolders(stage.workloadLock.path, [process.pid])).toEqual([]);
  expect(pids(findLockHolders(stage.workloadLock.path, [actor.identity.pid]))).toHaveLength(1);
});

it('who looks for many locks of one process believes what it remembers only while it is so', () => {
  const seen = new SeenLocks();
  const [one, two] = [stage.workloadLock.open(), stage.primaryLock.path];
  one.tryLock();
  expect(seen.find(two, process.pid, () => false)).toBeNull();
  const holder = { pid: process.pid, fd: one.fd };
  expect(seen.find(stage.workloadLock.path, process.pid, () => false)).toEqual(holder);
  expect(seen.find(stage.workloadLock.path, process.pid, () => false)).toEqual(holder);
  expect(seen.find(stage.workloadLock.path, process.ppid, () => false)).toBeNull();
  // Another file has the name now, and what is remembered is of the first.
  renameSync(stage.workloadLock.path, `${stage.workloadLock.path}.moved`);
  writeFileSync(stage.workloadLock.path, '');
  expect(seen.find(stage.workloadLock.path, process.pid, () => false)).toBeNull();
  expect(seen.find(`${stage.workloadLock.path}.moved`, process.pid, () => false)).toEqual(holder);
  one.close();
  expect(seen.find(`${stage.workloadLock.path}.moved`, process.pid, () => false)).toBeNull();
  const again = stage.workloadLock.open();
  again.tryLock();
  expect(seen.find(stage.workloadLock.path, process.pid, () => false)?.fd).toBe(again.fd);
  again.close();
});

it('goes through a process once more only where the lock may be held', () => {
  const seen = new SeenLocks();
  const path = stage.workloadLock.path;
  const asked: string[] = [];
  const look = (isFree: boolean): number | undefined =>
    seen.find(path, process.pid, () => asked.push('asked') > 0 && isFree)?.fd;
  expect([look(true), asked]).toEqual([undefined, []]);
  const description = stage.workloadLock.open();
  description.tryLock();
  expect([look(true), asked]).toEqual([undefined, ['asked']]);
  expect(look(false)).toBe(description.fd);
  description.close();
});

it('who asks of one holder again and again hears at once that it has the lock no more', () => {
  const { path } = stage.workloadLock;
  const stats = (): BigIntStats => statSync(path, { bigint: true });
  const held = stage.workloadLock.open();
  const holder = new KnownHolder(path, { pid: process.pid, fd: held.fd });
  expect(holder.holdsNow(stats())).toBe(false);
  for (let round = 0; round < 2; round += 1) {
    held.tryLock();
    expect([holder.holdsNow(stats()), holder.holdsNow(stats())]).toEqual([true, true]);
    held.unlock();
    expect(holder.holdsNow(stats())).toBe(false);
  }
  held.tryLock();
  expect(holder.holdsNow(null)).toBe(false);
  // Another file has the name now, and then the first again.
  renameSync(path, `${path}.moved`);
  writeFileSync(path, '');
  expect(holder.holdsNow(stats())).toBe(false);
  renameSync(`${path}.moved`, path);
  expect(holder.holdsNow(stats())).toBe(true);
  held.close();
  expect(holder.holdsNow(stats())).toBe(false);
});

it('a descriptor that was closed and is one of another lock now holds the first no more', () => {
  const { path } = stage.workloadLock;
  const first = stage.workloadLock.open();
  first.tryLock();
  const holder = new KnownHolder(path, { pid: process.pid, fd: first.fd });
  expect(holder.holdsNow(statSync(path, { bigint: true }))).toBe(true);
  first.close();
  const second = stage.primaryLock.open();
  second.tryLock();
  expect(second.fd).toBe(first.fd);
  expect(holder.holdsNow(statSync(path, { bigint: true }))).toBe(false);
  second.close();
});

it('who runs on with a lock file of a directory that was removed and made again is found', async () => {
  const directory = dirname(stage.workloadLock.path);
  const actor = await stage.start('echo ready; exec sleep 1000', { lock: true });
  expect(findDeletedHolders(directory)).toEqual([]);
  rmSync(directory, { recursive: true });
  mkdirSync(directory);
  writeFileSync(stage.workloadLock.path, '');
  expect(findLockHolders(stage.workloadLock.path)).toEqual([]);
  expect(findDeletedHolders(directory)).toEqual([
    { pid: actor.identity.pid, fd: 3, path: stage.workloadLock.path },
  ]);
  expect(findDeletedHolders(join(stage.stateDir, 'other'))).toEqual([]);
});

it('a flock lock, which keeps none of ours out, makes no holder', async () => {
  const path = stage.primaryLock.path;
  const actor = await stage.startCommand(
    ['flock', path, 'sh', '-c', 'echo ready; exec sleep 1000'],
    {},
  );
  expect(pids(findLockHolders(path))).toEqual([]);
  expect(new KernelLock(path).isFree()).toBe(true);
  expect(actor.identity.pid).toBeGreaterThan(0);
});
