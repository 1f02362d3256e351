// Lock files count only if they say that they are themselves, and others are replaced under their own lock.
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { expect, it } from 'vitest';
import { identityOfPath } from '../../../src/lease/file/file-identity.ts';
import { groupPaths } from '../../../src/lease/file/group-paths.ts';
import type { GroupPaths } from '../../../src/lease/file/group-paths.ts';
import { KernelLock } from '../../../src/lease/file/kernel-lock.ts';
import { LockFiles } from '../../../src/lease/file/lock-files.ts';
import { readLockNote } from '../../../src/lease/file/lock-note.ts';
import { temporaryDirectory } from '../support/fixtures.ts';

function setUp(): { readonly paths: GroupPaths; readonly files: LockFiles } {
  const paths = groupPaths(temporaryDirectory());
  return { paths, files: new LockFiles(paths) };
}

function known(epoch: number, lockfile: string | null = null): Parameters<LockFiles['make']>[0] {
  return { epoch, lockfile, isStill: () => true };
}

it('are not made in another directory than that of which something is known', () => {
  const { paths, files } = setUp();
  expect(files.make({ ...known(3), isStill: () => false })).toBe(false);
  expect(readdirSync(paths.directory)).toEqual([]);
});

it('are made where they are missing, private and with room for the note', () => {
  const { paths, files } = setUp();
  expect(files.areThere).toBe(false);
  expect(files.make(known(3))).toBe(true);
  expect(files.areThere).toBe(true);
  for (const path of [paths.primaryLock, paths.workloadLock]) {
    expect(statSync(path)).toMatchObject({ size: 512, mode: 0o100600 });
  }
  const before = identityOfPath(paths.primaryLock);
  expect(new LockFiles(paths).make(known(4))).toBe(true);
  expect(identityOfPath(paths.primaryLock)).toBe(before);
  expect(readdirSync(paths.directory)).toHaveLength(2);
});

it('say which lockfile a holder of the file of before has made', () => {
  const { paths, files } = setUp();
  files.make(known(3, 'some identity'));
  const fd = openSync(paths.primaryLock, 'r');
  const { lockfile } = readLockNote(fd);
  closeSync(fd);
  expect(lockfile).toEqual({ state: 'made', identity: 'some identity' });
});

it.each([
  [
    'an empty one',
    (path: string) => {
      writeFileSync(path, '');
    },
  ],
  [
    'text of somebody',
    (path: string) => {
      writeFileSync(path, '{"self":"me"}');
    },
  ],
])('do not count where %s is in their place, and are made anew', (_, put) => {
  const { paths, files } = setUp();
  put(paths.workloadLock);
  const stranger = identityOfPath(paths.workloadLock);
  expect(files.areThere).toBe(false);
  expect(files.make(known(0))).toBe(true);
  expect(identityOfPath(paths.workloadLock)).not.toBe(stranger);
  expect(files.areThere).toBe(true);
});

it('do not count where a copy of them is in their place, also for who knew them before', () => {
  const { paths, files } = setUp();
  files.make(known(0));
  copyFileSync(paths.workloadLock, `${paths.workloadLock}.copy`);
  renameSync(`${paths.workloadLock}.copy`, paths.workloadLock);
  expect(files.areThere).toBe(false);
  expect(new LockFiles(paths).areThere).toBe(false);
});

it('are not replaced while what is in their place is locked', () => {
  const { paths, files } = setUp();
  writeFileSync(paths.primaryLock, '');
  const stranger = identityOfPath(paths.primaryLock);
  const holder = new KernelLock(paths.primaryLock).open();
  expect(holder.tryLock()).toBe(true);
  expect(files.make(known(0))).toBe(false);
  expect(identityOfPath(paths.primaryLock)).toBe(stranger);
  holder.close();
  expect(files.make(known(0))).toBe(true);
});

it('do not count where a directory or nothing readable is in their place', () => {
  const { paths, files } = setUp();
  files.make(known(0));
  const other = new LockFiles(paths);
  truncateSync(paths.primaryLock);
  expect(other.areThere).toBe(false);
  const { paths: blocked, files: none } = setUp();
  mkdirSync(blocked.primaryLock);
  expect(() => none.areThere).toThrow(
    `Cannot open ${blocked.primaryLock}: a directory has the name of a file`,
  );
});
