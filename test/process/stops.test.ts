// SIGSTOP: a primary that hangs is fenced, one that goes on has lost, and a stopped workload is still one.
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import { signal } from '../support/process-list.ts';

describe('SIGSTOP', () => {
  it('of the supervisor: it is fenced, its workload emptied, and a secondary serves', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      a.kill('SIGSTOP');
      expect(await group.ends(a)).toBe('SIGKILL');
      await group.reaches(b, 'serving');
      expect((await group.active(2)).epoch).toBe(2);
    }));

  it('of the workload: it still is the one, and nobody else starts', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      const { pid } = await group.active(1);
      signal(pid, 'SIGSTOP');
      await group.beats(12);
      await group.reaches(b, 'watching');
      expect([a.phase, b.phase, group.starts]).toStrictEqual(['serving', 'watching', 1]);
      signal(pid, 'SIGCONT');
    }));

  it('of both: the stopped workload is emptied before the next starts', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      const { pid } = await group.active(1);
      a.kill('SIGSTOP');
      signal(pid, 'SIGSTOP');
      expect(await group.ends(a)).toBe('SIGKILL');
      await group.reaches(b, 'serving');
      signal(pid, 'SIGCONT');
      await group.beats(3);
      await group.hasStarted(2);
    }));

  it('of the supervisor under kill-unless-stopped: it keeps the lease and serves again when it goes on', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        a.kill('SIGSTOP');
        await group.until('the verdict', () => b.timesIn('waiting') >= 2);
        await group.until('the warning', () => b.warnings.join().includes('spared'));
        await group.hasStarted(1);
        a.kill('SIGCONT');
        await group.reaches(b, 'watching', 2);
        expect([a.phase, group.starts]).toStrictEqual(['serving', 1]);
      },
      { options: { fence: 'kill-unless-stopped' } },
    ));

  it('of the supervisor under --fence none: nobody is killed and nobody else starts', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        a.kill('SIGSTOP');
        await group.until('the verdict', () => b.timesIn('waiting') >= 2);
        await group.until('the warning', () => b.warnings.join().includes('--fence none'));
        a.kill('SIGCONT');
        await group.reaches(b, 'watching', 2);
        expect([a.phase, group.starts]).toStrictEqual(['serving', 1]);
      },
      { options: { fence: 'none' } },
    ));

  it('of a secondary: when it goes on it doubts itself, and takes nothing from a living primary', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      b.kill('SIGSTOP');
      await group.beats(12);
      b.kill('SIGCONT');
      await group.beats(12);
      await group.reaches(b, 'watching');
      expect([a.phase, b.phase, group.starts]).toStrictEqual(['serving', 'watching', 1]);
    }));

  it('of a secondary while the primary dies: it takes over when it goes on', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      b.kill('SIGSTOP');
      a.kill('SIGKILL');
      await group.ends(a);
      b.kill('SIGCONT');
      await group.reaches(b, 'serving');
      expect((await group.active(2)).epoch).toBe(2);
    }));

  it('of the first successor while the primary dies: the next one does not wait for it', () =>
    inGroup(async (group) => {
      const [a, b, c] = await group.startAll(['a', 'b', 'c']);
      await group.beats(12);
      b.kill('SIGSTOP');
      a.kill('SIGKILL');
      await group.reaches(c, 'serving');
      b.kill('SIGCONT');
      await group.reaches(b, 'watching', 2);
      await group.hasStarted(2);
    }));
});

describe('SIGTSTP', () => {
  it('steps down before it stops, and stands by again after SIGCONT', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      a.kill('SIGTSTP');
      await group.reaches(b, 'serving');
      await group.until('a to be stopped', () => group.stateOf(a.pid) === 'T');
      await group.until('a to say that it stepped down', () => a.timesIn('demoting') === 1);
      a.kill('SIGCONT');
      await group.reaches(a, 'watching');
      await group.hasStarted(2);
    }));

  it('claims nothing in the moment before it is stopped, and leads again after SIGCONT', () =>
    inGroup(
      async (group) => {
        // Alone, so that nobody else takes the lease that it would claim again at once.
        const [a] = await group.startAll(['a']);
        a.kill('SIGTSTP');
        await group.until('a to be stopped', () => group.stateOf(a.pid) === 'T');
        await group.until('a to say that it stepped down', () => a.timesIn('demoting') === 1);
        expect(a.timesIn('serving')).toBe(1);
        a.kill('SIGCONT');
        await group.active(2);
        await group.reaches(a, 'serving', 2);
      },
      { options: { 'heartbeat-interval': '10ms', 'heartbeat-timeout': '20ms' } },
    ));

  it('goes on when SIGCONT comes while it steps down', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        a.kill('SIGTSTP');
        await group.reaches(a, 'demoting');
        a.kill('SIGCONT');
        writeFileSync(group.path('go'), '');
        await group.reaches(b, 'serving');
        await group.reaches(a, 'watching');
        await group.hasStarted(2);
      },
      {
        options: {
          'demote-command': 'until [ -e go ]; do sleep 0.02; done',
          'demote-timeout': '20s',
        },
      },
    ));
});
