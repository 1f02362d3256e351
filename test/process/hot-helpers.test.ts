// A helper of a hot workload that left the session: it ends with its node, also where that only stood by.
import { describe, it } from 'vitest';
import { readStat } from '../../src/fence/process-identity.ts';
import { inGroup } from '../support/process-group.ts';
import { markedProcesses } from '../support/process-list.ts';

describe('a hot standby whose workload has a helper in another session', () => {
  it('leaves nothing when its node ends in order', () =>
    inGroup(
      async (group) => {
        const run = 'setsid sleep 900 & exec "$W" --hot';
        const [, b] = await group.startAll(['a', 'b'], { run });
        const hasLeft = ({ pid }: { readonly pid: number }): boolean =>
          readStat(pid)?.session === pid;
        await group.until('both helpers to leave their sessions', () => {
          const helpers = markedProcesses(group.mark).filter(({ command }) =>
            command.startsWith('sleep'),
          );
          return helpers.length === 2 && helpers.every(hasLeft);
        });
        b.kill('SIGTERM');
        await group.ends(b);
      },
      {
        options: { standby: 'hot', 'promote-signal': 'SIGUSR1', 'demote-signal': 'SIGUSR2' },
      },
    ));
});
