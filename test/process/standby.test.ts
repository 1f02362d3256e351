// Armed and hot standbys: ready before they are needed, and active one at a time all the same.
import { describe, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import { signal } from '../support/process-list.ts';
import { CALM } from '../support/process-steps.ts';

/** Confirms a demotion once the witness has written the end of this epoch. */
const CONFIRM =
  'i=0; until grep -q "^end [0-9]* $FAILOVER_EPOCH " witness.log; do i=$((i+1)); [ $i -lt 100 ] || exit 1; sleep 0.01; done';

const HOT = {
  standby: 'hot',
  'promote-signal': 'SIGUSR1',
  'demote-signal': 'SIGUSR2',
  'demote-command': CONFIRM,
};

/** How many hot workloads have come up: a signal before that would meet none. */
const upCount = (text: string): number => {
  // One that is told to lead writes again.
  const up = text.split('\n').filter((line) => /^(standby|start)/.test(line));
  return new Set(up.map((line) => line.split(' ')[3])).size;
};

describe('armed', () => {
  it('takes over with the process that waited behind its gate', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        await group.active(1);
        const waiting = await group.until(
          'the gate of b',
          () => group.records().find(({ node }) => node === 'b')?.sessions[0]?.process.pid,
        );
        a.kill('SIGKILL');
        expect((await group.active(2)).pid).toBe(waiting);
        await group.reaches(b, 'serving');
      },
      { options: { standby: 'armed' } },
    ));

  it('spawns a new one when the one that waited was killed', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        const sessionOf = (id: string): number | undefined =>
          group.records().find(({ node }) => node === id)?.sessions[0]?.process.pid;
        const first = await group.until('the gate of b', () => sessionOf('b'));
        signal(first, 'SIGKILL');
        const second = await group.until('another gate of b', () => {
          const pid = sessionOf('b');
          return pid !== first && pid;
        });
        a.kill('SIGKILL');
        await group.reaches(b, 'serving');
        expect((await group.active(2)).pid).toBe(second);
      },
      { options: { standby: 'armed' } },
    ));

  it('leaves nothing when its supervisor is killed', () =>
    inGroup(
      async (group) => {
        const [, b] = await group.startAll(['a', 'b']);
        const gate = await group.until(
          'the gate of b',
          () => group.records().find(({ node }) => node === 'b')?.sessions[0]?.process.pid,
        );
        b.kill('SIGKILL');
        await group.until('the end of the gate', () => !group.lives(gate));
      },
      { options: { standby: 'armed' } },
    ));
});

describe('hot', () => {
  const run = 'exec "$W" --hot';

  it('is told by signal, and the workload that stood by becomes active', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b'], { run });
        await group.until('both workloads', () => upCount(group.text('witness.log')) >= 2);
        const standby = group.lines.find(({ what }) => what === 'standby' || what === 'start');
        expect(standby).toBeDefined();
        await group.active(1);
        a.kill('SIGKILL');
        await group.reaches(b, 'serving');
        expect((await group.active(2)).epoch).toBe(2);
      },
      { options: HOT },
    ));

  it('hands over by a confirmed demotion, and both workloads go on', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b'], { run });
        await group.until('both workloads', () => upCount(group.text('witness.log')) >= 2);
        const first = await group.active(1);
        expect((await group.client('promote', 'b')).code).toBe(0);
        await group.reaches(b, 'serving');
        await group.active(2);
        expect((await group.client('promote', 'a')).code).toBe(0);
        await group.reaches(a, 'serving', 2);
        expect((await group.active(3)).pid).toBe(first.pid);
      },
      { options: { ...CALM.options, ...HOT } },
    ));

  it('that does not confirm its demotion is stopped before anyone else is active', () =>
    inGroup(
      async (group) => {
        const disobeying = 'exec "$W" --disobey';
        const [a, b] = await group.startAll(['a', 'b'], { run: disobeying });
        await group.until('both workloads', () => upCount(group.text('witness.log')) >= 2);
        const first = await group.active(1);
        expect((await group.client('promote', 'b')).code).toBe(0);
        await group.reaches(b, 'serving');
        await group.active(2);
        expect(group.lives(first.pid)).toBe(false);
        await group.reaches(a, 'watching');
      },
      { options: { ...CALM.options, ...HOT, 'demote-timeout': '300ms' } },
    ));

  it('whose promotion fails is stopped and started anew as secondary', () =>
    inGroup(
      async (group) => {
        const [a] = await group.startAll(['a'], { run });
        await group.active(1);
        const b = await group.start('b', { run, options: { 'promote-command': 'exit 1' } });
        await group.reaches(b, 'watching');
        const hot = await group.until(
          'the workload of b',
          () => group.records().find(({ node }) => node === 'b')?.sessions[0]?.process.pid,
        );
        a.kill('SIGKILL');
        await group.until('a failed promotion', () => b.timesIn('waiting') >= 1);
        expect(group.lives(hot)).toBe(false);
        await group.start('c', { run });
        const c = group.nodes.at(-1);
        await group.until('c to serve', () => c?.phase === 'serving');
      },
      { options: HOT },
    ));

  it('fails over at once when the active workload dies', () =>
    inGroup(
      async (group) => {
        const [, b] = await group.startAll(['a', 'b'], { run });
        await group.until('both workloads', () => upCount(group.text('witness.log')) >= 2);
        await group.beats(12);
        signal((await group.active(1)).pid, 'SIGKILL');
        await group.reaches(b, 'serving');
        expect((await group.active(2)).epoch).toBe(2);
      },
      { options: HOT },
    ));

  it('reads its role from the role file of its own run', () =>
    inGroup(async (group) => {
      const options = { ...HOT, 'promote-command': 'cat "$FAILOVER_ROLE_FILE" >> roles' };
      const [a] = await group.startAll(['a'], { run, options });
      await group.active(1);
      expect(JSON.parse(group.text('roles'))).toMatchObject({ role: 'primary', epoch: 1 });
      const files = group.files(group.groupDir).filter((name) => name.startsWith('role-'));
      expect(files).toHaveLength(1);
      a.kill('SIGTERM');
      await group.ends(a);
      expect(group.files(group.groupDir).filter((name) => name.startsWith('role-'))).toStrictEqual(
        [],
      );
    }));
});
