// What left the session of its run is known by its lock alone: also when the lock file has gone from its place.
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';

const WAYS: readonly (readonly [how: string, displace: (group: Group) => void])[] = [
  [
    'workload.lock is replaced',
    (group) => {
      const path = join(group.groupDir, 'workload.lock');
      writeFileSync(`${path}.fresh`, '', { mode: 0o600 });
      renameSync(`${path}.fresh`, path);
    },
  ],
  [
    'workload.lock is removed',
    (group) => {
      rmSync(join(group.groupDir, 'workload.lock'));
    },
  ],
  [
    'the directory is removed',
    (group) => {
      group.remove(group.groupDir);
    },
  ],
  [
    'the directory is moved away and made anew',
    (group) => {
      renameSync(group.groupDir, `${group.groupDir}-old`);
      mkdirSync(group.groupDir, { recursive: true, mode: 0o700 });
    },
  ],
];

describe.each([
  ['a workload that left its session', 'setsid "$W" & wait'],
  ['a helper that left the session', 'setsid sleep 900 & exec "$W"'],
])('%s', (_what, run) => {
  it.each(WAYS)('ends, and then another leads, when %s', (_how, displace) =>
    inGroup(async (group) => {
      const nodes = await group.startAll(['a', 'b', 'c'], { run });
      const { pid } = await group.active(1);
      displace(group);
      await group.active(2);
      group.judge();
      await group.until('the end of the first', () => !group.lives(pid));
      await group.primaryOf(nodes);
    }),
  );
});

describe('a hot standby whose lock file is not made while others hold a former one', () => {
  it('says whom it waits for, and leads once they have ended', () =>
    inGroup(
      async (group) => {
        // The signal of the promotion goes to the whole process group, which the helper is in until setsid runs.
        const helperFirst =
          'trap "" USR1 USR2; setsid sleep 901 & trap - USR1 USR2; exec "$W" --hot';
        const [a] = await group.startAll(['a'], { run: helperFirst });
        await group.active(1);
        const helper = await group.until('its helper', () =>
          group.marked().find(({ command }) => command.startsWith('sleep 901')),
        );
        a.kill('SIGKILL');
        rmSync(join(group.groupDir, 'workload.lock'));
        const b = await group.start('b', { run: 'exec "$W" --hot' });
        const advice = `\`kill ${String(helper.pid)}\``;
        await group.until('a word of it', () => b.warnings.some((text) => text.includes(advice)));
        group.signal(helper.pid, 'SIGKILL');
        await group.reaches(b, 'serving');
        await group.active(2);
      },
      { options: { standby: 'hot', 'promote-signal': 'SIGUSR1', 'demote-signal': 'SIGUSR2' } },
    ));
});
