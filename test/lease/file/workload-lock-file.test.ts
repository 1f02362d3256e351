// workload.lock counts as held as long as something holds a file that had its name.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { findLockHolders } from '../../../src/fence/lock-holders.ts';
import { KernelLock } from '../../../src/lease/file/kernel-lock.ts';
import { WorkloadLockFile } from '../../../src/lease/file/workload-lock-file.ts';
import { temporaryDirectory } from '../support/fixtures.ts';

function setUp(): { readonly path: string; readonly file: WorkloadLockFile } {
  const path = join(temporaryDirectory(), 'workload.lock');
  writeFileSync(path, '');
  const file = new WorkloadLockFile(path);
  file.keep();
  onTestFinished(() => {
    file.close();
  });
  return { path, file };
}

it.each([
  ['removed', false],
  ['replaced', true],
])('is not free while the file of before that was %s is held, and shows by whom', (_, replaced) => {
  const { path, file } = setUp();
  const run = new KernelLock(path).open();
  expect(run.tryLock()).toBe(true);
  expect([file.isFree(), file.hasDisplaced()]).toEqual([false, false]);
  rmSync(path);
  if (replaced) writeFileSync(path, '');
  for (let look = 0; look < 2; look += 1) {
    expect([file.isFree(), file.hasDisplaced()]).toEqual([false, true]);
    const [displaced = ''] = file.displacedPaths();
    expect(findLockHolders(displaced).map(({ pid }) => pid)).toEqual([process.pid]);
    file.keep();
  }
  run.close();
  expect([file.isFree(), file.hasDisplaced()]).toEqual([true, false]);
});

it('knows of several, and forgets each as soon as nothing holds it', () => {
  const { path, file } = setUp();
  const runs = [1, 2, 3].map(() => {
    const run = new KernelLock(path).open();
    expect(run.tryLock()).toBe(true);
    rmSync(path);
    writeFileSync(path, '');
    file.keep();
    return run;
  });
  for (const [index, run] of runs.entries()) {
    expect(file.displacedPaths()).toHaveLength(3 - index);
    run.close();
  }
  expect(file.displacedPaths()).toEqual([]);
});

it('takes a file that was only open, by an armed process, for free', () => {
  const { path, file } = setUp();
  const armed = new KernelLock(path).open();
  rmSync(path);
  expect(file.hasDisplaced()).toBe(false);
  armed.close();
});
