// What people run: wrappers, pipelines, helpers that stay behind. All of it ends before the next starts.
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import { signal } from '../support/process-list.ts';
import { handOver, takeOver } from '../support/process-steps.ts';

/** Each is a script in which the witness is the server that must not run twice. */
const SHAPES = {
  'a wrapper that closes what it inherited': 'exec 3>&-; "$W" & wait',
  'a wrapper that waits for its server': '"$W" & wait',
  'a pipeline': '"$W" --stop-ms 50 | tee -a piped.log',
  'a server in a process group of its own': 'set -m; "$W" & wait',
  'a server that ignores SIGTERM': 'exec "$W" --ignore-term',
  'a server that takes its time': 'exec "$W" --stop-ms 300',
  'a server two shells away': 'sh -c \'sh -c "\\"$W\\"; true"; true\'',
} as const;

describe.each(Object.entries(SHAPES))('%s', (_name, run) => {
  it('is emptied after its supervisor was killed, before the next starts', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b'], { run });
      await group.active(1);
      await takeOver(group, a, b);
    }));

  it('is emptied when its node ends in order', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b'], { run });
      await group.active(1);
      await handOver(group, a, b);
    }));
});

describe('a main process that ends', () => {
  it('and leaves its server behind: that is emptied before the restart in place', () =>
    inGroup(
      async (group) => {
        const [a] = await group.startAll(['a'], { run: '"$W" & sleep 0.2; exit 1' });
        await group.active(4);
        await group.until('three restarts', () => a.timesIn('restarting') >= 3);
      },
      { options: { 'restart-limit': '1000' } },
    ));

  it('and leaves a server behind that has closed the lock: that is emptied too', () =>
    inGroup(
      async (group) => {
        await group.startAll(['a'], { run: 'exec 3>&-; "$W" --ignore-term & sleep 0.2; exit 1' });
        await group.active(4);
      },
      { options: { 'restart-limit': '1000', 'fence-grace': '100ms' } },
    ));

  it('when it is killed under its wrapper: the rest of the pipeline goes with it', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a'], { run: '"$W" | tee -a piped.log' });
      const { pid } = await group.active(1);
      signal(pid, 'SIGKILL');
      await group.active(2);
      await group.reaches(a, 'serving', 2);
    }));

  it('at once, each time: the limit is reached and the node cools off, then tries again', () =>
    inGroup(
      async (group) => {
        const a = await group.start('a', { run: 'exec "$W" --exit-after-ms 0 --exit-code 3' });
        await group.until('two rounds', () => a.timesIn('acquiring') >= 3);
        expect(a.transitions.some(({ reason }) => reason?.includes('exit code 3'))).toBe(true);
        expect(group.starts).toBeGreaterThanOrEqual(3);
      },
      { options: { 'restart-limit': '1', 'cool-off': '100ms' } },
    ));
});

describe('a server that left', () => {
  it('into the background, its starter gone: its session is emptied before each next start', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b'], { run: '("$W" &) ; exit 0' });
        await group.active(2);
        const primary = await group.primaryOf([a, b]);
        primary.kill('SIGKILL');
        // Nobody but a node that leads empties what the first one left.
        const next = primary === a ? b : a;
        await group.until('the next one to serve', () => next.timesIn('serving') > 0);
      },
      { options: { 'restart-limit': '1000' } },
    ));

  it('its session, and kept the lock: it is found by what it holds', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b'], { run: 'setsid "$W" & wait' });
      await group.active(1);
      await takeOver(group, a, b);
      b.kill('SIGTERM');
      expect(await group.ends(b)).toBe(0);
    }));
});

describe('100 MB on stdout', () => {
  it('passes through while the node goes on', () =>
    inGroup(
      async (group) => {
        const run = '"$W" & head -c 100000000 /dev/zero; touch written; wait';
        const [a, b] = await group.startAll(['a', 'b'], { run });
        await group.until(
          'the output',
          () => group.text('written') === '' && a.output.length > 99_999_999,
        );
        await group.reaches(b, 'watching');
        expect([a.phase, b.phase, group.starts]).toStrictEqual(['serving', 'watching', 1]);
      },
      // The machine may be too busy with all of it for an earlier heartbeat.
      { options: { 'heartbeat-timeout': '5s' } },
    ));
});

describe('what can not be run', () => {
  it('a command that does not exist: exit 127, named, without a trace', () =>
    inGroup(async (group) => {
      const a = group.launch('a', { run: ['no-such-program-here'] });
      expect(await group.ends(a)).toBe(127);
      expect(a.stray).toContain('no-such-program-here');
    }));

  it('a file that is no program: exit 126', () =>
    inGroup(async (group) => {
      writeFileSync(group.path('text'), 'no program', { mode: 0o600 });
      const a = group.launch('a', { run: [group.path('text')] });
      expect(await group.ends(a)).toBe(126);
    }));

  it('a command that has disappeared: the promotion fails and the next node serves', () =>
    inGroup(async (group) => {
      symlinkSync('/bin/sh', group.path('shell'));
      const [a] = await group.startAll(['a']);
      const b = await group.start('b', { run: [group.path('shell'), '-c', 'exec "$W"'] });
      const c = await group.start('c');
      for (const node of [b, c]) await group.reaches(node, 'watching');
      rmSync(group.path('shell'));
      await group.beats(12);
      a.kill('SIGKILL');
      await group.reaches(c, 'serving');
      expect(b.end).toBeNull();
    }));
});
