// Who gets the CPU first: the guard, as far as the system allows, and nothing that it starts.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { constants, getPriority } from 'node:os';
import { expect, it } from 'vitest';
import { readStat } from '../../src/fence/process-identity.ts';
import { ledBefore } from '../contracts/support/shared-directory.ts';
import { textOf } from '../support/text-of.ts';
import { inGroup } from '../support/process-group.ts';
import { guardOf } from '../support/process-list.ts';

/** Whether this user may have more of the CPU than others. */
const mayRaise = Number(spawnSync('nice', ['-n', '-20', 'nice']).stdout.toString()) < getPriority();

it('the workload and its hooks run as nicely as the node was started, and the guard comes before them', () =>
  inGroup(
    async (group) => {
      const own = Math.min(getPriority() + 5, constants.priority.PRIORITY_LOW);
      mkdirSync(group.stateDir);
      ledBefore(group.stateDir, 'g');
      const hook = (name: string): string => `nice >${group.path(name)}`;
      const a = await group.start('a', {
        run: 'nice >workload; exec "$W"',
        options: { 'promote-command': hook('promote'), 'demote-command': hook('demote') },
        through: ['nice', '-n', '5'],
      });
      await group.reaches(a, 'serving');
      const { pid } = await group.active(1);
      const guard = guardOf(a.pid) ?? -1;
      expect(readStat(pid)?.parent).toBe(guard);
      const ofGuard = mayRaise ? constants.priority.PRIORITY_HIGHEST : own;
      expect(threadsOf(guard).map((thread) => getPriority(thread))).toEqual(
        threadsOf(guard).map(() => ofGuard),
      );
      expect([a.pid, pid].map((each) => getPriority(each))).toEqual([own, own]);
      if (mayRaise && existsSync('/proc/self/autogroup'))
        expect([shareOf(guard), shareOf(pid)]).toEqual(['-20', '0']);
      a.kill('SIGTERM');
      await group.ends(a);
      const said = ['workload', 'promote', 'demote'].map((name) => group.text(name).trim());
      expect(said).toEqual(said.map(() => String(own)));
    },
    // A lease with a guard that takes no server.
    { options: { 'lease-ttl': '3s' } },
  ));

function threadsOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${String(pid)}/task`).map(Number);
}

/** What its session counts where sessions share the CPU; undefined where they can't. */
function shareOf(pid: number): string | undefined {
  return / nice (\S+)/.exec(textOf(`/proc/${String(pid)}/autogroup`))?.[1];
}
