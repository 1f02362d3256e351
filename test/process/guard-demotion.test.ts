// The demote command of a node whose supervisor was killed, on a lease that ends by itself: its guard runs it.
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { lackOfRedis } from '../contracts/support/redis-server.ts';
import type { Group } from '../support/process-group.ts';
import type { MarkedProcess } from '../support/process-list.ts';
import { groupsWithRedis } from './redis-groups.ts';
import { guardOf, startBoth, startNode } from './store-nodes.ts';

/** Which lines the witness has written by now: of what has started, and of what has ended. */
const COUNTS =
  'grep -c "^start" "$WITNESS_DIR/witness.log"; grep -c "^end" "$WITNESS_DIR/witness.log"';
const NOTES = `{ echo "$FAILOVER_NODE $FAILOVER_ROLE $FAILOVER_EPOCH $FAILOVER_REASON"; ${COUNTS}; }`;

describe.runIf(lackOfRedis() === null)('a node whose supervisor is killed', () => {
  const play = groupsWithRedis();

  /** All that sleeps for so long, whoever started it. */
  const sleeping = (group: Group, prefix: string): readonly MarkedProcess[] =>
    group.marked().filter(({ command }) => command.startsWith(`sleep ${prefix}`));

  it('is demoted once, before its workload ends and another starts', () =>
    play(async (group) => {
      const demote = `sleep 0.2; ${NOTES} >> "$WITNESS_DIR/demoted"`;
      const [a, b] = await startBoth(group, { options: { 'demote-command': demote } });
      a.kill('SIGKILL');
      await group.reaches(b, 'serving');
      await group.active(2);
      const told = ['a secondary 1 the supervisor has exited', '1', '0', ''];
      expect(group.text('demoted').split('\n')).toEqual(told);
    }));

  it('is demoted once also in the middle of its promotion, while a guard of the promote command lives', () =>
    play(async (group) => {
      const promote =
        'echo begun >> "$WITNESS_DIR/promoting"; [ "$FAILOVER_NODE" = b ] || sleep 1000';
      const options = {
        'promote-command': promote,
        'promote-timeout': '1h',
        'demote-command': `sleep 0.2; ${NOTES} >> "$WITNESS_DIR/demoted"`,
      };
      const a = await startNode(group, 'a', { options });
      await group.until('the promotion', () => group.text('promoting') !== '');
      const b = await startNode(group, 'b', { options });
      a.kill('SIGKILL');
      await group.reaches(b, 'serving');
      const told = ['a secondary 1 the supervisor has exited', '1', '0', ''];
      expect(group.text('demoted').split('\n')).toEqual(told);
    }));

  it('is followed in time also when its demote command does not end', () =>
    play(async (group) => {
      const demote =
        'trap "" TERM; echo begun >> "$WITNESS_DIR/demoted"; exec 3>&-; sleep 1000 & sleep 1001';
      const [a, b] = await startBoth(group, { options: { 'demote-command': demote } });
      a.kill('SIGKILL');
      await group.until('the demotion', () => group.text('demoted') !== '');
      await group.reaches(b, 'serving');
      await group.active(2);
      expect([group.text('demoted'), sleeping(group, '100')]).toEqual(['begun\n', []]);
    }));

  it('is not demoted again when that had begun', () =>
    play(async (group) => {
      const demote = 'echo "$FAILOVER_REASON" >> "$WITNESS_DIR/demoted"; sleep 1';
      const [a, b] = await startBoth(group, { options: { 'demote-command': demote } });
      a.kill('SIGTERM');
      await group.until('the demotion', () => group.text('demoted') !== '');
      a.kill('SIGKILL');
      await group.reaches(b, 'serving');
      await group.active(2);
      expect(group.text('demoted')).toBe('SIGTERM\n');
    }));

  it('is not demoted where it stood still until another one leads', () =>
    play(async (group) => {
      const demote = 'echo "$FAILOVER_NODE" >> "$WITNESS_DIR/demoted"';
      const [a, b] = await startBoth(group, { options: { 'demote-command': demote } });
      const guard = guardOf(a);
      a.kill('SIGSTOP');
      await group.reaches(b, 'serving');
      a.kill('SIGKILL');
      await group.until('the end of its guard', () => !group.lives(guard));
      expect(group.text('demoted')).toBe('');
    }));

  it('leaves nothing of a demote command whose guard is killed in the middle of it', () =>
    play(async (group) => {
      const options = {
        'promote-command': 'true',
        'demote-command': 'sleep 1002 & echo begun >> "$WITNESS_DIR/demoted"; sleep 1003',
      };
      const [a] = await startBoth(group, { run: null, options });
      const guard = guardOf(a);
      a.kill('SIGKILL');
      await group.until('the demotion', () => group.text('demoted') !== '');
      group.signal(guard, 'SIGKILL');
      await group.until('the end of what it started', () => sleeping(group, '100').length === 0);
    }));

  it('is demoted also while its workload ends to be started again for its health', () =>
    play(async (group) => {
      const options = {
        ...{ health: 'exec:test ! -e "$WITNESS_DIR/sick"', 'health-grace': '0s' },
        ...{ 'health-interval': '2s', 'health-timeout': '2s', 'health-fast-interval': '50ms' },
        'demote-command': 'echo "$FAILOVER_REASON" >> "$WITNESS_DIR/demoted"',
      };
      // It hears SIGTERM and goes on.
      const run = 'trap \'echo >> "$WITNESS_DIR/told"\' TERM; while :; do sleep 0.1; done';
      const a = await startNode(group, 'a', { run, options });
      await group.reaches(a, 'serving');
      writeFileSync(group.path('sick'), '');
      await group.until('the end of the workload to begin', () => group.text('told') !== '');
      a.kill('SIGKILL');
      await group.until('the demotion', () => group.text('demoted') !== '');
      expect(group.text('demoted')).toBe('the supervisor has exited\n');
    }));

  it('is demoted also where its output is read, and what left the session of that ends first', () =>
    play(async (group) => {
      const options = {
        'ready-when': 'log:/up/',
        'demote-command':
          'echo said; setsid sleep 1004 & sleep 0.2; echo done >> "$WITNESS_DIR/demoted"',
      };
      const [a, b] = await startBoth(group, { run: 'echo up; exec "$W"', options });
      a.kill('SIGKILL');
      await group.reaches(b, 'serving');
      expect([group.text('demoted'), sleeping(group, '1004')]).toEqual(['done\n', []]);
    }));

  it('is demoted, and gives its lease back, also where it has no command but promote and demote commands', () =>
    play(async (group) => {
      const options = {
        'promote-command': 'echo "up $FAILOVER_NODE $FAILOVER_EPOCH" >> "$WITNESS_DIR/told"',
        'demote-command':
          'sleep 0.2; echo "down $FAILOVER_NODE $FAILOVER_EPOCH" >> "$WITNESS_DIR/told"',
      };
      const [a, b] = await startBoth(group, { run: null, options });
      a.kill('SIGKILL');
      await group.reaches(b, 'serving');
      expect(group.text('told')).toBe('up a 1\ndown a 1\nup b 2\n');
    }));
});
