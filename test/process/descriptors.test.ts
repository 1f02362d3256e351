// A standby that may open next to nothing more while the primary changes: it follows the new one once it may again.
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import { openFilesOf } from '../support/process-list.ts';

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;

it.skipIf(!hasPrlimit)('a node that had no descriptors left follows again, and ends in order', () =>
  inGroup(async (group) => {
    const [a, b, c] = await group.startAll(['a', 'b', 'c']);
    const most = spawnSync('prlimit', [
      ...['--pid', String(c.pid), '--nofile', '--output', 'SOFT', '--noheadings', '--raw'],
    ]);
    // Each more lets it come one step further with its connections.
    for (const [turn, spare] of [0, 3, 6, 12].entries()) {
      const next = turn % 2 === 0 ? b : a;
      await group.beats(2);
      setLimit(c.pid, openFilesOf(c.pid).length + spare);
      await group.client('promote', next.id);
      await group.reaches(next, 'serving');
      // As long as c takes to see it, and to fail at what it can't do.
      await group.beats(6);
      setLimit(c.pid, Number(most.stdout.toString()));
      await group.reaches(c, 'watching');
    }
    await group.beats(12);
    // It asks the primary to step down.
    const { code, stderr } = await group.client('promote', 'c');
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    await group.reaches(c, 'serving');
  }),
);

function setLimit(pid: number, soft: number): void {
  const done = spawnSync('prlimit', ['--pid', String(pid), `--nofile=${soft}:`]);
  if (done.status !== 0) throw new Error(done.stderr.toString());
}
