// A state directory on a file system without room, blocks or names: what runs goes on, also its failovers.
import { rmSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import { CALM } from '../support/process-steps.ts';
import { canMount, fillBlocks, fillNames, mountSmall, unmount } from '../support/small-disk.ts';

const mountable = canMount();
if (!mountable)
  process.stderr.write('Skipped: the tests of a full disk, since mount is refused.\n');

describe.runIf(mountable).each([
  ['blocks', fillBlocks],
  ['names', fillNames],
] as const)('a file system without %s', (_what, fill) => {
  it('keeps its primary, takes over twice, and is as before once there is room again', () =>
    inGroup(async (group) => {
      useSmallDisk(group);
      const [a, b, c] = await group.startAll(['a', 'b', 'c']);
      await group.active(1);
      await group.beats(12);
      const filling = fill(group.stateDir);
      await group.beats(12);
      expect([a.phase, b.phase, c.phase]).toStrictEqual(['serving', 'watching', 'watching']);

      a.kill('SIGKILL');
      await group.active(2);
      const second = await group.primaryOf([b, c]);
      const third = second === b ? c : b;
      await group.reaches(third, 'watching', third.timesIn('watching'));
      await group.beats(12);
      await group.hasStarted(2);
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
      useSmallDisk(group);
      const [a] = await group.startAll(['a']);
      await group.active(1);
      const filling = fill(group.stateDir);
      const b = group.launch('b');
      expect(await group.ends(b)).toBe(1);
      expect(b.stray).toContain('no space left on the file system');
      expect(b.stray).toContain('Free up space or inodes');
      const { code, stderr } = await group.client('pause');
      expect(code).toBe(1);
      expect(stderr).toContain('no space left on the file system');
      await group.beats(3);
      expect([a.phase, group.starts]).toStrictEqual(['serving', 1]);
      rmSync(filling, { recursive: true });
      await group.start('c').then((node) => group.reaches(node, 'watching'));
    }, CALM));
});

/** Puts the state directory on a small file system of its own. */
function useSmallDisk(group: Group): void {
  mountSmall(group.stateDir);
  // Before the group's own end of the test, which can't remove what is mounted on.
  onTestFinished(() => {
    unmount(group.stateDir);
  });
}
