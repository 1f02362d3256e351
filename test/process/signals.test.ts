// Told to end: in order at the first signal, at once at the second, and the next one serves.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import { handOver } from '../support/process-steps.ts';

describe('a primary that is told to end', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'by %s ends with 0, and a secondary serves',
    (name) =>
      inGroup(async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        await group.active(1);
        a.kill(name);
        expect(await group.ends(a)).toBe(0);
        await group.reaches(b, 'serving');
        await group.active(2);
        expect(group.lines.map(({ what }) => what).slice(0, 3)).toStrictEqual([
          'start',
          'end',
          'start',
        ]);
      }),
  );

  it('lets a workload that takes its time finish before anyone else starts', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b'], { run: 'exec "$W" --stop-ms 700' });
      await group.active(1);
      await handOver(group, a, b);
      expect(group.lines.map(({ what }) => what).slice(0, 3)).toStrictEqual([
        'start',
        'end',
        'start',
      ]);
    }));

  it('twice does not wait for a workload that ignores SIGTERM', () =>
    inGroup(async (group) => {
      const options = { 'stop-grace': '1m' };
      const [a, b] = await group.startAll(['a', 'b'], { run: 'exec "$W" --ignore-term', options });
      await group.active(1);
      a.kill('SIGINT');
      await group.until('the workload to ignore it', () =>
        group.lines.some(({ what }) => what === 'ignored'),
      );
      expect(a.end).toBeNull();
      a.kill('SIGINT');
      expect(await group.ends(a)).toBe(0);
      await group.reaches(b, 'serving');
      b.kill('SIGTERM');
      b.kill('SIGINT');
      await group.ends(b);
    }));

  it('again after its last word ends with the code that it said', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      await group.active(1);
      a.kill('SIGTERM');
      // As often as there is time for: what is left of it takes a few milliseconds.
      while (a.end === null) {
        if (a.isDone) a.kill('SIGTERM');
        await nextTurn();
      }
      expect([a.end, a.log.at(-1)?.exitCode]).toStrictEqual([0, 0]);
    }));

  it('in the middle of its promotion undoes that, frees the lease and ends', () =>
    inGroup(async (group) => {
      const options = { 'promote-command': 'exec sleep 4' };
      const a = await group.start('a', { options });
      await group.reaches(a, 'promoting');
      await group.active(1);
      a.kill('SIGTERM');
      expect(await group.ends(a)).toBe(0);
      await group.startAll(['b']);
      expect((await group.active(2)).epoch).toBe(2);
    }));
});

describe('a secondary that is told to end', () => {
  it('ends with 0 and leaves the primary alone', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      b.kill('SIGTERM');
      expect(await group.ends(b)).toBe(0);
      await group.beats(3);
      expect([a.phase, group.starts]).toStrictEqual(['serving', 1]);
    }));
});
