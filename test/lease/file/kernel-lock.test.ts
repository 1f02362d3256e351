// Locks of descriptions, as the kernel keeps and shows them.
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { KernelLock, refuseWithoutKernelLock } from '../../../src/lease/file/kernel-lock.ts';
import { LockTableRow } from '../../../src/lease/file/lock-table.ts';
import { failureOf } from '../../support/failover-error.ts';
import { temporaryDirectory } from '../support/fixtures.ts';

function lockFile(): string {
  const path = join(temporaryDirectory(), 'workload.lock');
  writeFileSync(path, '');
  return path;
}

it('one description has it, a second has not, and closing frees it', () => {
  const lock = new KernelLock(lockFile());
  const [first, second] = [lock.open(), lock.open()];
  expect(lock.isFree()).toBe(true);
  expect(first.tryLock()).toBe(true);
  expect(first.tryLock()).toBe(true);
  expect(second.tryLock()).toBe(false);
  expect([lock.isFree()]).toEqual([false]);
  first.close();
  first.close();
  expect(second.tryLock()).toBe(true);
  second.unlock();
  expect([lock.isFree()]).toEqual([true]);
  second.close();
});

it('stays held after our copy is closed, until the child that inherited it has ended', async () => {
  const lock = new KernelLock(lockFile());
  const description = lock.open();
  expect(description.tryLock()).toBe(true);
  const child = spawn('cat', [], { stdio: ['pipe', 'ignore', 'ignore', description.fd] });
  const ended = once(child, 'close');
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await once(child, 'spawn');
  description.close();
  expect([lock.isFree()]).toEqual([false]);
  child.stdin?.end();
  await ended;
  expect([lock.isFree()]).toEqual([true]);
});

it('a description of a file that was replaced is not locked, though nobody else has it', () => {
  const path = lockFile();
  const lock = new KernelLock(path);
  const old = lock.open();
  expect(old.isReplaced()).toBe(false);
  rmSync(path);
  // Nothing has its place yet: nobody could do better.
  expect(old.isReplaced()).toBe(false);
  writeFileSync(path, '');
  expect([old.isNamed(), old.isReplaced()]).toEqual([false, true]);
  expect(old.tryLock()).toBe(false);
  // The lock on the deleted file says nothing of the new one.
  expect([lock.isFree()]).toEqual([true]);
  old.close();
});

it('opening never makes a file that was removed', () => {
  const path = lockFile();
  const lock = new KernelLock(path);
  rmSync(path);
  expect(failureOf(() => lock.open())).toMatchObject({ code: 'FAILOVER_LEASE_LOST' });
  expect([lock.isFree()]).toEqual([true]);
});

it('looking takes nothing: a claimant is never kept out by it', () => {
  const path = lockFile();
  const row = new LockTableRow(path);
  const lock = new KernelLock(path);
  for (let round = 0; round < 50; round += 1) {
    const claimant = lock.open();
    expect(row.isHeld()).toBe(false);
    expect(claimant.tryLock()).toBe(true);
    expect(row.isHeld()).toBe(true);
    claimant.close();
  }
});

it('is found in a long table of locks too', () => {
  const directory = mkdtempSync(join(temporaryDirectory(), 'many-'));
  const descriptions = Array.from({ length: 400 }, (_, index) => {
    const path = join(directory, String(index));
    closeSync(openSync(path, 'w'));
    return new KernelLock(path).open();
  });
  onTestFinished(() => {
    for (const description of descriptions) description.close();
  });
  const rows = readdirSync(directory).map((name) => new LockTableRow(join(directory, name)));
  expect(rows.every((row) => row.isHeld() === false)).toBe(true);
  for (const description of descriptions) expect(description.tryLock()).toBe(true);
  expect(rows.every((row) => row.isHeld() === true)).toBe(true);
});

it('the test by function passes here and leaves an existing file alone', () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'probe');
  refuseWithoutKernelLock(path);
  expect(
    failureOf(() => {
      refuseWithoutKernelLock(path);
    }),
  ).toMatchObject({
    code: 'FAILOVER_STATE_DIR_NOT_A_DIRECTORY',
  });
});
