// proper-lockfile under the kernel lock: what it may remove, and what it reports.
import { closeSync, existsSync, mkdirSync, openSync, rmdirSync, utimesSync } from 'node:fs';
import type * as fs from 'node:fs';
import { join } from 'node:path';
import properLockfile from 'proper-lockfile';
import { expect, it, onTestFinished, vi } from 'vitest';
import { identityOfPath } from '../../../src/lease/file/file-identity.ts';
import { Lockfile } from '../../../src/lease/file/lockfile.ts';
import { readLockNote, writeLockNote } from '../../../src/lease/file/lock-note.ts';
import { eventually, temporaryDirectory } from '../support/fixtures.ts';

const disk = vi.hoisted(() => ({ full: false }));

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof fs>();
  return {
    ...original,
    mkdirSync: (...parameters: Parameters<typeof original.mkdirSync>) => {
      if (disk.full) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      return original.mkdirSync(...parameters);
    },
  };
});

function setUp(): { path: string; file: string; fd: number; lockfile: Lockfile; causes: string[] } {
  const directory = temporaryDirectory();
  const file = join(directory, 'primary.lock');
  const path = `${file}.lock`;
  const fd = openSync(file, 'w+');
  const causes: string[] = [];
  const lockfile = new Lockfile({
    path,
    now: () => performance.now(),
    onCompromised: (cause) => causes.push(cause),
  });
  onTestFinished(async () => {
    await lockfile.release(fd);
    closeSync(fd);
  });
  return { path, file, fd, lockfile, causes };
}

it('is what other users of the package respect while it is held', async () => {
  const { file, fd, lockfile } = setUp();
  expect(await lockfile.take(fd)).toBe('taken');
  expect(await properLockfile.check(file, { realpath: false })).toBe(true);
  await expect(properLockfile.lock(file)).rejects.toMatchObject({ code: 'ELOCKED' });
  await lockfile.release(fd);
  const release = await properLockfile.lock(file);
  expect(await lockfile.take(fd)).toBe('foreign');
  await release();
  expect(await lockfile.take(fd)).toBe('taken');
});

it('takes a leftover that the note names over at once: its holder lost the kernel lock', async () => {
  const { path, file, fd, lockfile } = setUp();
  mkdirSync(path);
  const longAgo = Date.now() / 1000 - 3600;
  utimesSync(path, longAgo, longAgo);
  const identity = identityOfPath(path) ?? '';
  writeLockNote(fd, { lockfile: { state: 'made', identity } });
  expect(await lockfile.take(fd)).toBe('taken');
  expect(identityOfPath(path)).toBe(identity);
  // To its other users it is fresh again.
  expect(await properLockfile.check(file, { realpath: false })).toBe(true);
  await lockfile.release(fd);
  expect(existsSync(path)).toBe(false);
});

it('takes a leftover of a holder that died before it could note it over at once', async () => {
  const { path, fd, lockfile } = setUp();
  writeLockNote(fd, { lockfile: { state: 'making' } });
  mkdirSync(path);
  expect(await lockfile.take(fd)).toBe('taken');
  expect(readLockNote(fd).lockfile).toEqual({ state: 'made', identity: identityOfPath(path) });
});

it('a directory made long after an unfinished note is somebody else’s', async () => {
  const { path, file, fd, lockfile } = setUp();
  writeLockNote(fd, { lockfile: { state: 'making' } });
  const longAgo = Date.now() / 1000 - 60;
  utimesSync(file, longAgo, longAgo);
  mkdirSync(path);
  expect(await lockfile.take(fd)).toBe('foreign');
  expect(existsSync(path)).toBe(true);
});

it('a directory that replaced the noted one is somebody else’s', async () => {
  const { path, fd, lockfile } = setUp();
  mkdirSync(path);
  const identity = identityOfPath(path) ?? '';
  rmdirSync(path);
  // The same inode number, as likely as not.
  mkdirSync(path);
  writeLockNote(fd, { lockfile: { state: 'made', identity } });
  expect(await lockfile.take(fd)).toBe('foreign');
  expect(existsSync(path)).toBe(true);
});

it('a foreign one that looks stale by its time only is left alone', async () => {
  const { path, fd, lockfile } = setUp();
  mkdirSync(path);
  const longAgo = Date.now() / 1000 - 3600;
  utimesSync(path, longAgo, longAgo);
  expect(await lockfile.take(fd)).toBe('foreign');
  // Also at the next look: by this process's clock it has not been there for long.
  expect(await lockfile.take(fd)).toBe('foreign');
  expect(existsSync(path)).toBe(true);
});

it('release never removes the directory of the one who took it over', async () => {
  const { path, fd, lockfile } = setUp();
  expect(await lockfile.take(fd)).toBe('taken');
  rmdirSync(path);
  mkdirSync(path);
  await lockfile.release(fd);
  expect(existsSync(path)).toBe(true);
  expect(lockfile.isHeld).toBe(false);
});

it('notes nothing after a release', async () => {
  const { fd, lockfile } = setUp();
  await lockfile.take(fd);
  expect(readLockNote(fd).lockfile.state).toBe('made');
  await lockfile.release(fd);
  expect(readLockNote(fd).lockfile).toEqual({ state: 'none' });
});

it('a directory that was taken away is reported, not thrown, and the next term is not blamed', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const { path, fd, lockfile, causes } = setUp();
  await lockfile.take(fd);
  rmdirSync(path);
  await vi.advanceTimersByTimeAsync(5000);
  expect(causes).toEqual([expect.stringContaining(`${path} was removed or changed`)]);
  await lockfile.release(fd);
  expect(await lockfile.take(fd)).toBe('taken');
  await vi.advanceTimersByTimeAsync(5000);
  vi.useRealTimers();
  await eventually(() => (existsSync(path) ? true : undefined));
  expect(causes).toHaveLength(1);
});

it('is done without on a full disk: the kernel lock and the epoch guard alone', async () => {
  const { path, fd, lockfile } = setUp();
  disk.full = true;
  expect(await lockfile.take(fd)).toBe('unavailable');
  disk.full = false;
  expect(lockfile.isHeld).toBe(false);
  expect(existsSync(path)).toBe(false);
  expect(readLockNote(fd).lockfile).toEqual({ state: 'none' });
});
