// Nodes of which one alone may ever lead.
import { expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';

it('a node that is not the one of --lease static:NODE stands by, and leads not when that one is killed', () =>
  inGroup(
    async (group) => {
      const b = await group.start('b');
      await group.until('b to wait', () => b.phase === 'waiting');
      const a = await group.start('a');
      await group.reaches(a, 'serving');
      await group.reaches(b, 'watching');
      const before = group.starts;
      a.kill('SIGKILL');
      await group.until('b to wait again', () => b.phase === 'waiting');
      const again = await group.start('a');
      await group.reaches(again, 'serving');
      await group.active(before + 1);
      expect(b.timesIn('acquiring')).toBe(0);
    },
    { options: { lease: 'static:a' } },
  ));
