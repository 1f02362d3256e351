// A helper of a hot workload that left the session: it ends with its node, also where that only stood by.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { readStat } from '../../src/fence/process-identity.ts';
import { inGroup } from '../support/process-group.ts';
import { markedProcesses } from '../support/process-list.ts';
import type { MarkedProcess } from '../support/process-list.ts';

describe('a hot standby whose workload has a helper in another session', () => {
  it.each<readonly [string, (lock: string) => void]>([
    ['the lock file is where it was', () => undefined],
    [
      'the lock file was replaced',
      (lock) => {
        writeFileSync(`${lock}.fresh`, '', { mode: 0o600 });
        renameSync(`${lock}.fresh`, lock);
      },
    ],
    [
      'the lock file was moved away',
      (lock) => {
        renameSync(lock, `${lock}.old`);
      },
    ],
  ])('leaves nothing when its node ends in order and %s', (_what, displace) =>
    inGroup(
      async (group) => {
        const run = 'setsid sleep 900 & exec "$W" --hot';
        const [, b] = await group.startAll(['a', 'b'], { run });
        const hasLeft = ({ pid }: MarkedProcess): boolean => readStat(pid)?.session === pid;
        const helpers = (): MarkedProcess[] =>
          markedProcesses(group.mark).filter(({ command }) => command.startsWith('sleep'));
        await group.until('both helpers to leave their sessions', () => {
          return helpers().length === 2 && helpers().every(hasLeft);
        });
        // Before the node could look at it and make its process anew.
        b.kill('SIGSTOP');
        displace(join(group.groupDir, 'workload.lock'));
        b.kill('SIGTERM');
        b.kill('SIGCONT');
        await group.ends(b);
        await group.until('the end of its helper', () => helpers().length <= 1);
      },
      {
        options: { standby: 'hot', 'promote-signal': 'SIGUSR1', 'demote-signal': 'SIGUSR2' },
      },
    ),
  );
});
