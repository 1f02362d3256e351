// What is news of a group, and what is not.
import { mkdirSync, renameSync, rmSync, utimesSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { GroupWatch } from '../../../src/lease/file/group-watch.ts';
import { eventually, granted, openLease, temporaryDirectory } from '../support/fixtures.ts';

it('tells of a claim, a pause and a resume', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  const b = openLease(stateDir, 'b');
  let calls = 0;
  b.watch(() => (calls += 1));
  for (const change of [
    () => granted(a.acquire(0)),
    () => a.setPaused(true, 'x'),
    () => a.setPaused(false, 'x'),
    () => a.advanceEpoch(0),
  ]) {
    const before = calls;
    await change();
    await eventually(() => (calls > before ? true : undefined));
  }
});

it('does not tell of the sign of life', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  const b = openLease(stateDir, 'b');
  await granted(a.acquire(0));
  let calls = 0;
  b.watch(() => (calls += 1));
  // Hears of the same change through the same queue, after it.
  const heard: (string | null)[] = [];
  const other = watch(a.paths.directory, (kind, name) => heard.push(`${kind} ${String(name)}`));
  onTestFinished(() => {
    other.close();
  });
  a.verify();
  await eventually(() => (heard.includes('change primary.lock') ? true : undefined));
  expect(calls).toBe(0);
});

it('tells the holder at once of a lock file that was removed, and nobody else', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  const b = openLease(stateDir, 'b');
  let calls = 0;
  let callsOfOthers = 0;
  a.watch(() => (calls += 1));
  b.watch(() => (callsOfOthers += 1));
  await granted(a.acquire(0));
  await eventually(() => (calls > 0 && callsOfOthers > 0 ? true : undefined));
  await new Promise((resolve) => setImmediate(resolve));
  const before = calls;
  const beforeOfOthers = callsOfOthers;
  rmSync(a.paths.primaryLock);
  await eventually(() => (calls > before ? true : undefined));
  expect(callsOfOthers).toBe(beforeOfOthers);
  expect(a.verify()).toMatchObject({ type: 'lost' });
});

it('loses nothing that happens just before the holder is guarded, or no longer', async () => {
  const { paths } = openLease(temporaryDirectory(), 'a');
  const { watching, calls } = watched(paths);
  for (const isGuarding of [true, false]) {
    const before = calls();
    writeFileSync(join(paths.epochs, isGuarding ? '7' : '8'), '');
    watching.guard(isGuarding);
    expect(watching.isGuarding).toBe(isGuarding);
    await eventually(() => (calls() > before ? true : undefined));
  }
});

it('tells the holder of what has come into a directory that was made anew while nothing was watched', async () => {
  const { paths } = openLease(temporaryDirectory(), 'a');
  const { watching, calls } = watched(paths);
  rmSync(paths.directory, { recursive: true });
  watching.check();
  const before = calls();
  for (const path of [paths.epochs, paths.marks]) mkdirSync(path, { recursive: true });
  writeFileSync(join(paths.epochs, '7'), '');
  watching.guard(true);
  await eventually(() => (calls() > before ? true : undefined));
  expect(watching.isGuarding).toBe(true);
});

it('does not tell the holder that the times of a directory were set', async () => {
  const a = openLease(temporaryDirectory(), 'a');
  let calls = 0;
  a.watch(() => (calls += 1));
  await granted(a.acquire(0));
  await eventually(() => (calls > 0 ? true : undefined));
  await new Promise((resolve) => setImmediate(resolve));
  const before = calls;
  // Hears of the same changes through the same queue, after it; the last of them by its name alone.
  const heard: (string | null)[] = [];
  const other = watch(a.paths.directory, (_kind, name) => heard.push(name));
  onTestFinished(() => {
    other.close();
  });
  for (const path of [a.paths.lockfile, a.paths.epochs, a.paths.marks]) utimesSync(path, 1, 1);
  await eventually(() => (heard.includes('marks') ? true : undefined));
  expect(calls).toBe(before);
  renameSync(a.paths.lockfile, `${a.paths.lockfile}.moved`);
  await eventually(() => (calls > before ? true : undefined));
  renameSync(`${a.paths.lockfile}.moved`, a.paths.lockfile);
});

it('tells many changes in few calls', async () => {
  const a = openLease(temporaryDirectory(), 'a');
  const calls: number[] = [];
  a.watch(() => calls.push(performance.now()));
  for (let epoch = 1; epoch <= 200; epoch += 1) {
    writeFileSync(join(a.paths.epochs, String(epoch)), '');
    if (epoch % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually(() => (calls.length > 0 ? true : undefined));
  const gaps = calls.slice(1).map((at, index) => at - (calls[index] ?? 0));
  expect(Math.min(Infinity, ...gaps)).toBeGreaterThanOrEqual(4.99);
});

it('tells that the directory was removed, and goes on in the one that takes its place', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  let calls = 0;
  a.watch(() => (calls += 1));
  rmSync(a.paths.directory, { recursive: true });
  await eventually(() => (calls > 0 ? true : undefined));
  const afterRemoval = calls;
  expect(await granted(a.acquire(1))).toBe(2);
  await eventually(() => (calls > afterRemoval ? true : undefined));
  const before = calls;
  await a.advanceEpoch(0);
  await eventually(() => (calls > before ? true : undefined));
});

it('tells of a directory that was exchanged at a look', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  let calls = 0;
  a.watch(() => (calls += 1));
  renameSync(a.paths.directory, `${a.paths.directory}.old`);
  mkdirSync(a.paths.epochs, { recursive: true });
  a.observe();
  expect(calls).toBe(1);
  writeFileSync(join(a.paths.epochs, '5'), '');
  await eventually(() => (calls > 1 ? true : undefined));
  expect(a.observe().epoch).toBe(5);
});

it('is silent once the lease is closed', async () => {
  const stateDir = temporaryDirectory();
  const a = openLease(stateDir, 'a');
  const b = openLease(stateDir, 'b');
  let closedCalls = 0;
  let openCalls = 0;
  a.watch(() => (closedCalls += 1));
  b.watch(() => (openCalls += 1));
  await a.close();
  closedCalls = 0;
  await granted(b.acquire(0));
  await eventually(() => (openCalls > 0 ? true : undefined));
  expect(closedCalls).toBe(0);
});

/** A watch of its own, and how often it has called. */
function watched(paths: ConstructorParameters<typeof GroupWatch>[0]): {
  readonly watching: GroupWatch;
  readonly calls: () => number;
} {
  let calls = 0;
  const watching = new GroupWatch(paths, () => (calls += 1));
  onTestFinished(() => {
    watching.close();
  });
  return { watching, calls: () => calls };
}
