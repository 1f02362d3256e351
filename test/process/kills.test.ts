// Killing a supervisor, its workload, or both: another takes over, and never two at once.
import { describe, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import { signal } from '../support/process-list.ts';
import { takeOver } from '../support/process-steps.ts';

describe('what is killed', () => {
  it('the supervisor: its workload ends, and a secondary takes over at the next epoch', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      const first = await group.active(1);
      a.kill('SIGKILL');
      const second = await group.active(2);
      expect(second.epoch).toBe(first.epoch + 1);
      await group.reaches(b, 'serving');
    }));

  it('the workload: it is started again in place, at a new epoch', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      signal((await group.active(1)).pid, 'SIGKILL');
      const second = await group.active(2);
      expect(second.epoch).toBeGreaterThan(1);
      await group.reaches(a, 'serving', 2);
      expect(b.phase).toBe('watching');
    }));

  it('both at once', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      signal((await group.active(1)).pid, 'SIGKILL');
      await takeOver(group, a, b);
    }));

  it('the primary, and then its successor in the middle of the promotion', () =>
    inGroup(
      async (group) => {
        const [a, b, c] = await group.startAll(['a', 'b', 'c']);
        await group.active(1);
        a.kill('SIGKILL');
        const successor = await group.until('a promotion under way', () =>
          [b, c].find((node) => node.phase === 'promoting'),
        );
        await group.active(2);
        successor.kill('SIGKILL');
        const last = successor === b ? c : b;
        await group.reaches(last, 'serving');
        expect((await group.active(3)).epoch).toBe(3);
      },
      {
        options: {
          'promote-command': '[ "$FAILOVER_EPOCH" != 2 ] || exec sleep 60',
          'promote-timeout': '60s',
        },
      },
    ));

  it('one primary after the other, until the last is left', () =>
    inGroup(async (group) => {
      const nodes = await group.startAll(['a', 'b', 'c', 'd', 'e']);
      const living = [...nodes];
      while (living.length > 1) {
        const primary = await group.primaryOf(living);
        await group.active(nodes.length - living.length + 1);
        primary.kill('SIGKILL');
        living.splice(living.indexOf(primary), 1);
      }
      await group.reaches(await group.primaryOf(living), 'serving');
      expect((await group.active(5)).epoch).toBe(5);
    }));

  it('the workload again and again: the limit is reached, the node steps down, another serves', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        for (let run = 1; run <= 3; run += 1) {
          signal((await group.active(run)).pid, 'SIGKILL');
        }
        await group.reaches(b, 'serving');
        // The log of a comes by another pipe than that of b: it may be read later.
        await group.until('a to say why it stepped down', () =>
          a.transitions.some(({ reason }) => reason?.includes('2 restarts within')),
        );
        expect(a.phase).not.toBe('serving');
      },
      { options: { 'restart-limit': '2' } },
    ));
});

describe('who starts', () => {
  it('four at the same time: one is primary, three follow it', () =>
    inGroup(async (group) => {
      const nodes = ['a', 'b', 'c', 'd'].map((id) => group.launch(id));
      const primary = await group.primaryOf(nodes);
      for (const node of nodes) if (node !== primary) await group.reaches(node, 'watching');
      await group.active(1);
      await group.beats(3);
      await group.hasStarted(1);
    }));

  it('all of them again after all were killed: the epochs go on', () =>
    inGroup(async (group) => {
      const before = await group.startAll(['a', 'b', 'c']);
      const first = await group.active(1);
      for (const node of before) node.kill('SIGKILL');
      for (const node of before) await group.ends(node);
      const again = ['d', 'e', 'f'].map((id) => group.launch(id));
      await group.primaryOf(again);
      expect((await group.active(2)).epoch).toBe(first.epoch + 1);
    }));

  it('all of them again after an end in order: the epochs go on', () =>
    inGroup(async (group) => {
      const before = await group.startAll(['a', 'b']);
      await group.active(1);
      for (const node of before) node.kill('SIGTERM');
      for (const node of before) await group.ends(node);
      const [c] = await group.startAll(['c']);
      expect((await group.active(2)).epoch).toBe(2);
      expect(c.epoch).toBe(2);
    }));
});
