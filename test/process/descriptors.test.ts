// A standby that may open next to nothing more while the primary changes: it follows the new one once it may again.
//
// Nobody may connect to it meanwhile: libzmq ends a process that can't accept a connection for want of a
// descriptor. So the next primary alone is asked, as `failover promote` does once it has looked at all.
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { ask } from '../../src/cli/client.ts';
import { listNodes } from '../../src/lease/file/node-registry.ts';
import { groupPaths } from '../../src/lease/file/group-paths.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import type { GroupSetup } from '../support/process-setup.ts';
import { openFilesOf } from '../support/process-list.ts';
import { ANSWERED } from '../support/process-steps.ts';

const HOT = { standby: 'hot', 'promote-signal': 'SIGUSR1', 'demote-signal': 'SIGUSR2' };

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;

it.skipIf(!hasPrlimit)('a node that had no descriptors left follows again, and ends in order', () =>
  inGroup(async (group) => {
    const [a, b, c] = await group.startAll(['a', 'b', 'c']);
    const most = softLimit(c.pid);
    // Each more lets it come one step further with its connections.
    for (const [turn, spare] of [0, 3, 6, 12].entries()) {
      const next = turn % 2 === 0 ? b : a;
      await group.beats(2);
      setLimit(c.pid, openFilesOf(c.pid).length + spare);
      await promote(group, next.id);
      await group.reaches(next, 'serving');
      // As long as c takes to see it, and to fail at what it can't do.
      await group.beats(6);
      setLimit(c.pid, most);
      await group.reaches(c, 'watching');
    }
    await group.beats(12);
    // It asks the primary to step down.
    const { code, stderr } = await group.client('promote', 'c');
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    await group.reaches(c, 'serving');
  }, ANSWERED),
);

// What the manual says of it. Where libzmq has learned to wait instead, the manual can say so.
it.skipIf(!hasPrlimit).each<readonly [string, GroupSetup, string]>([
  ['cold', {}, 'exec "$W"'],
  ['hot', { options: HOT }, 'exec "$W" --hot'],
])(
  'a %s primary that has none ends when somebody connects, and another leads',
  (_kind, setup, run) =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b'], { run });
      await group.active(1);
      setLimit(a.pid, 1);
      const { code } = await group.client('status');
      expect([0, 3]).toContain(code);
      expect(await group.ends(a)).toBe('SIGABRT');
      await group.reaches(b, 'serving');
      expect((await group.active(2)).epoch).toBe(2);
      expect(group.sessionOf('a')).toEqual([]);
    }, setup),
);

it.skipIf(!hasPrlimit)(
  'a primary that has none heeds a signal, and ends once it may look again',
  () =>
    inGroup(async (group) => {
      const a = await group.start('a');
      await group.active(1);
      const most = softLimit(a.pid);
      setLimit(a.pid, 4);
      a.kill('SIGTERM');
      await group.reaches(a, 'demoting');
      setLimit(a.pid, most);
      expect(await group.ends(a)).toBe(0);
      expect(a.stray).toBe('');
      expect(group.sessionOf('a')).toEqual([]);
    }),
);

async function promote(group: Group, id: string): Promise<void> {
  const record = listNodes(groupPaths(group.groupDir)).find(({ node }) => node === id);
  if (record === undefined) throw new Error(`${id} is not on record`);
  await ask(record, {
    ...{ group: 'g', method: 'instance.promote', params: { force: false } },
    timeoutMs: 30_000,
  });
}

function softLimit(pid: number): number {
  const columns = ['--nofile', '--output', 'SOFT', '--noheadings', '--raw'];
  return Number(spawnSync('prlimit', ['--pid', String(pid), ...columns]).stdout.toString());
}

function setLimit(pid: number, soft: number): void {
  const done = spawnSync('prlimit', ['--pid', String(pid), `--nofile=${soft}:`]);
  if (done.status !== 0) throw new Error(done.stderr.toString());
}
