// A state directory on a file system without room, blocks or names: what runs goes on, also its failovers.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import { CALM } from '../support/process-steps.ts';

const mountable = canMount();
if (!mountable)
  process.stderr.write('Skipped: the tests of a full disk, since mount is refused.\n');

describe.runIf(mountable).each([
  ['blocks', fillBlocks],
  ['names', fillNames],
] as const)('a file system without %s', (_what, fill) => {
  it('keeps its primary, takes over twice, and is as before once there is room again', () =>
    inGroup(async (group) => {
      mountSmall(group);
      const [a, b, c] = await group.startAll(['a', 'b', 'c']);
      await group.active(1);
      await group.beats(12);
      const filling = fill(group);
      await group.beats(12);
      expect([a.phase, b.phase, c.phase]).toStrictEqual(['serving', 'watching', 'watching']);

      a.kill('SIGKILL');
      await group.active(2);
      const second = await group.primaryOf([b, c]);
      const third = second === b ? c : b;
      await group.reaches(third, 'watching', third.timesIn('watching'));
      await group.beats(12);
      expect(group.starts).toBe(2);
      second.kill('SIGTERM');
      expect(await group.ends(second)).toBe(0);
      await group.reaches(third, 'serving');
      await group.active(3);

      rmSync(filling, { recursive: true });
      const d = await group.start('d');
      await group.reaches(d, 'watching');
      third.kill('SIGKILL');
      await group.reaches(d, 'serving');
      expect((await group.active(4)).epoch).toBe(4);
    }, CALM));

  it('refuses who comes new, by name, and lets it in once there is room', () =>
    inGroup(async (group) => {
      mountSmall(group);
      const [a] = await group.startAll(['a']);
      await group.active(1);
      const filling = fill(group);
      const b = group.launch('b');
      expect(await group.ends(b)).toBe(1);
      expect(b.stray).toContain('no space is left on the file system');
      expect(b.stray).toContain('Free space or inodes');
      const { code, stderr } = await group.client('pause');
      expect(code).toBe(1);
      expect(stderr).toContain('no space is left on the file system');
      await group.beats(3);
      expect([a.phase, group.starts]).toStrictEqual(['serving', 1]);
      rmSync(filling, { recursive: true });
      await group.start('c').then((node) => group.reaches(node, 'watching'));
    }, CALM));
});

function canMount(): boolean {
  return spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;
}

/** Puts the state directory on a small file system of its own. */
function mountSmall(group: Group): void {
  mkdirSync(group.stateDir, { mode: 0o700 });
  const options = 'size=1m,nr_inodes=512,mode=700';
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'none', group.stateDir]);
  if (mounted.status !== 0) throw new Error(mounted.stderr.toString());
  // Before the group's own end of the test, which can't remove what is mounted on.
  onTestFinished(() => {
    spawnSync('umount', ['--lazy', group.stateDir]);
  });
}

/** @returns what to remove to have room again. */
function fillBlocks(group: Group): string {
  const path = join(group.stateDir, 'filling');
  const fd = openSync(path, 'w');
  try {
    for (const size of [65_536, 4096, 1]) {
      while (hasRoom(() => writeSync(fd, Buffer.alloc(size)))) continue;
    }
  } finally {
    closeSync(fd);
  }
  return path;
}

function fillNames(group: Group): string {
  const directory = join(group.stateDir, 'filling');
  mkdirSync(directory);
  for (let i = 0; hasRoom(() => mkdirSync(join(directory, String(i)), { recursive: true })); i += 1)
    continue;
  return directory;
}

function hasRoom(take: () => unknown): boolean {
  try {
    take();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false;
    throw error;
  }
}
