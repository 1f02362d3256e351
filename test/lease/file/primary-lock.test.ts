// A release is proved: by taking the lock, or by the epoch that another has claimed since.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { findLockHolders } from '../../../src/fence/lock-holders.ts';
import { PrimaryLock } from '../../../src/lease/file/primary-lock.ts';
import { granted, openLease, temporaryDirectory } from '../support/fixtures.ts';

it('is free when nobody has it, and when another has claimed the next epoch', async () => {
  const path = join(temporaryDirectory(), 'primary.lock');
  writeFileSync(path, '');
  const lock = new PrimaryLock(path);
  expect(await lock.proveFree(() => false)).toBeNull();
  const taken = lock.take();
  expect(await lock.proveFree(() => true)).toBeNull();
  taken?.close();
});

it('names who has it, within a bound', async () => {
  const path = join(temporaryDirectory(), 'primary.lock');
  writeFileSync(path, '');
  const pid = await stranger(path);
  const heldBy = await new PrimaryLock(path).proveFree(() => false);
  // As much of its command as is shown: where Node.js lies deep, that is less than the script.
  expect(heldBy).toContain(`pid ${String(pid)} (${process.execPath.slice(0, 60)}`);
});

it('is not called free when it can not be looked at', async () => {
  const path = temporaryDirectory();
  expect(await new PrimaryLock(path).proveFree(() => false)).toContain('cannot be inspected');
});

it('makes a release say that a copy of the descriptor is left', async () => {
  const a = openLease(temporaryDirectory(), 'a');
  await granted(a.acquire(0));
  const [own] = findLockHolders(a.paths.primaryLock, [process.pid]);
  const child = spawn('cat', [], { stdio: ['pipe', 'ignore', 'ignore', own?.fd ?? 'ignore'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await once(child, 'spawn');
  expect(await a.release()).toEqual({ heldBy: `pid ${String(child.pid)} (cat)` });
  child.stdin?.end();
  await once(child, 'exit');
  await granted(a.acquire(0));
  expect(await a.release()).toEqual({ heldBy: null });
});

/** A process of another program that has locked the file; its pid. */
async function stranger(path: string): Promise<number> {
  const script = join(import.meta.dirname, '../../support/process-lock-holder.js');
  const child = spawn(process.execPath, [script, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const [word] = (await once(child.stdout, 'data')) as [Buffer];
  expect(word.toString()).toBe('held\n');
  return child.pid ?? 0;
}
