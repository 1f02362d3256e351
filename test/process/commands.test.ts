// The commands as a person or a script calls them: what they print, when they end, and with which code.
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import { CALM } from '../support/process-steps.ts';

describe('status --watch', () => {
  const SIZE = { rows: 30, columns: 100 };

  it('on a terminal shows a change when it comes, makes one when asked, and gives the terminal back', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      const watch = group.onTerminal({ ...SIZE, next: 'stty -a' }, 'status', '--watch');
      await group.until('the first view', () => watch.stdout.includes('q quit'));
      expect(plain(watch.stdout)).toMatch(/primary a\b/);
      const shows = async (text: string): Promise<void> => {
        await group.until(text, () => plain(watch.stdout).includes(text));
      };
      watch.type('jp');
      await shows('Promote b? [y/N]');
      watch.type('n');
      await shows('Nothing was changed.');
      watch.type('py');
      await group.reaches(b, 'serving');
      await shows('b is primary at epoch 2');
      await group.reaches(a, 'watching');
      b.kill('SIGKILL');
      await group.reaches(a, 'serving', 2);
      await shows('primary a  epoch 3');
      expect(watch.end).toBeNull();
      watch.type(CTRL_C);
      expect((await watch.done).code).toBe(0);
      expectGivenBack(watch.stdout);
    }, CALM));

  it('gives the terminal back also when it is ended by a signal', () =>
    inGroup(async (group) => {
      const watch = group.onTerminal({ ...SIZE, next: 'stty -a' }, 'status', '--watch');
      await group.until('the first view', () => watch.stdout.includes('q quit'));
      // Neither the shell that started it, nor what gave that its terminal.
      const view = group.marked().find(({ command }) => command.startsWith(process.execPath));
      group.signal(view?.pid ?? -1, 'SIGTERM');
      await watch.done;
      expectGivenBack(watch.stdout);
    }, CALM));

  it('on a terminal that does not know its size prints lines, as elsewhere', () =>
    inGroup(async (group) => {
      await group.startAll(['a', 'b']);
      const watch = group.onTerminal(null, 'status', '--watch');
      await group.until('the view', () => plain(watch.stdout).includes('primary a'));
      watch.type(CTRL_C);
      expect((await watch.done).code).toBe(0);
    }, CALM));

  it('elsewhere prints a line for each change, and ends with 3 once there is no primary', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      const watch = group.startClient('status', '--watch');
      await group.until('the first line', () => watch.stdout.includes('primary a'));
      await group.beats(12);
      expect(watch.stdout.trim().split('\n')).toHaveLength(1);
      a.kill('SIGTERM');
      await group.ends(a);
      await group.until('the next line', () => watch.stdout.trim().split('\n').length > 1);
      watch.kill('SIGTERM');
      expect((await watch.done).code).toBe(3);
      expect(watch.stderr).toBe('');
    }, CALM));

  it('--json prints an object for each change', () =>
    inGroup(async (group) => {
      const [, b] = await group.startAll(['a', 'b']);
      const watch = group.startClient('status', '--watch', '--json');
      await group.until('the first object', () => watch.stdout.includes('\n'));
      expect((await group.client('promote', 'b')).code).toBe(0);
      await group.reaches(b, 'serving');
      const seen = (): unknown[] =>
        watch.stdout
          .split('\n')
          .slice(0, -1)
          .map((line) => (JSON.parse(line) as { primary: unknown }).primary);
      await group.until('the change', () => seen().at(-1) === 'b');
      expect(seen()[0]).toBe('a');
      watch.kill('SIGINT');
      expect((await watch.done).code).toBe(0);
    }, CALM));
});

describe('events --since', () => {
  it('says so where nothing has happened since, and ends with 3', () =>
    inGroup(async (group) => {
      await group.startAll(['a']);
      const { code, stdout, stderr } = await group.client('events', '--since', '2999-01-01');
      expect([code, stdout]).toEqual([3, '']);
      expect(stderr).toMatch(/^failover: Nothing has happened in group \S+ since 2999-01-01 00:00/);
    }, CALM));
});

describe('events --follow', () => {
  it('tells each event once, in order, whoever comes and goes', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      const follow = group.startClient('events', '--follow', '--json');
      const told = (): { node: string; action: string; time: string; run: string }[] =>
        follow.stdout
          .split('\n')
          .slice(0, -1)
          // Each line is one object, whose keys are those of an event.
          .map((line) => JSON.parse(line) as ReturnType<typeof told>[number]);
      const tells = (node: string, action: string): Promise<unknown> =>
        group.until(`${node} ${action}`, () =>
          told().some((event) => event.node === node && event.action === action),
        );
      await tells('b', 'watching');
      a.kill('SIGKILL');
      await group.reaches(b, 'serving');
      await tells('b', 'serving');
      const c = await group.start('c');
      await tells('c', 'watching');
      c.kill('SIGTERM');
      await group.ends(c);
      // By its journal: nobody is there to be asked.
      await tells('c', 'stopped');
      follow.kill('SIGINT');
      expect((await follow.done).code).toBe(0);
      const all = told().map(({ node, action, time, run }) => `${time} ${run} ${node} ${action}`);
      expect(new Set(all).size).toBe(all.length);
      const times = told().map(({ time }) => time);
      expect(times).toEqual([...times].sort());
    }, CALM));
});

describe('wait', () => {
  it('ends with 0 as soon as a node has the role, and says who and at which epoch', () =>
    inGroup(async (group) => {
      const waiting = group.startClient('wait', '--role', 'primary', '--timeout', '1m');
      const [a] = await group.startAll(['a']);
      const { code, stdout } = await waiting.done;
      expect([code, stdout]).toStrictEqual([0, 'a is primary at epoch 1.\n']);
      const second = group.startClient('wait', 'b', '--role', 'secondary', '--timeout', '1m');
      const b = await group.start('b');
      expect((await second.done).stdout).toMatch(/^b is secondary at epoch 1\.$/m);
      a.kill('SIGKILL');
      await group.reaches(b, 'serving');
      const { stdout: third } = await group.client('wait', 'b', '--role', 'primary');
      expect(third).toBe('b is primary at epoch 2.\n');
    }, CALM));

  it('ends with 7 when nobody has it in time, and names what it waited for and how long', () =>
    inGroup(async (group) => {
      await group.startAll(['a']);
      const { code, stderr } = await group.client(
        'wait',
        'b',
        '--role',
        'primary',
        '--timeout',
        '1s',
      );
      expect(code).toBe(7);
      expect(stderr).toMatch(/b of group g not became primary within 1s|b .*within 1\s?s/);
      expect(stderr).toContain('failover status --group g');
    }, CALM));

  it('ends with 3 when one look is asked for and there is no primary', () =>
    inGroup(async (group) => {
      const { code, stderr } = await group.client('wait', '--role', 'primary', '--timeout', '0');
      expect(code).toBe(3);
      expect(stderr).toContain('Cannot find a node as primary of group g');
    }, CALM));
});

describe('check', () => {
  it('ends with 3 where nobody leads and nobody can, and says so', () =>
    inGroup(async (group) => {
      const { code, stderr } = await group.client('check');
      expect(code).toBe(3);
      expect(stderr).toContain('Cannot find a primary in group g');
    }));

  it('ends with 3 where the only node is stopped: it has the lease and does not answer', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      a.kill('SIGSTOP');
      const { code, stderr } = await group.client('check');
      a.kill('SIGCONT');
      expect(code).toBe(3);
      expect(stderr).toMatch(/a has the lease, is silent, and no secondary stands by/);
    }));

  it('promotes where the primary hangs, and says who is primary now', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        await group.active(1);
        a.kill('SIGSTOP');
        const { code, stdout } = await group.client('check', '--timeout', '50s');
        expect(code).toBe(0);
        expect(stdout).toMatch(/^b is primary at epoch 2/);
        await group.reaches(b, 'serving');
        await group.active(2);
      },
      // Long enough for the question to be asked before the silence alone is noticed.
      { options: { 'heartbeat-timeout': '5s', 'probe-interval': '10m' } },
    ));
});

describe('check of a silent primary', () => {
  it('says what it found before the silence is long enough, and until when it waits', () =>
    inGroup(
      async (group) => {
        const [a] = await group.startAll(['a', 'b']);
        await group.active(1);
        a.kill('SIGSTOP');
        const check = group.startClient('check', '--timeout', '50s');
        await group.until('the first answer', () =>
          check.stderr.includes('does not answer probes'),
        );
        expect(check.stderr).toMatch(
          /^failover: a does not answer probes; it counts as dead after 10m without a sign of life, in 9m \d+s: then b takes over\./,
        );
        // One that goes on by itself is found by the next probe, and nothing is done to it.
        a.kill('SIGCONT');
        const again = await group.client('check');
        expect([again.code, again.stdout]).toStrictEqual([0, 'a is primary and answers b.\n']);
        expect((await check.done).code).toBe(0);
        await group.hasStarted(1);
      },
      { options: { 'heartbeat-timeout': '10m', 'probe-interval': '10m' } },
    ));

  it('ends with 7 when the verdict comes later than it may wait, and says what it found', () =>
    inGroup(
      async (group) => {
        const [a] = await group.startAll(['a', 'b']);
        await group.active(1);
        a.kill('SIGSTOP');
        const { code, stderr } = await group.client('check', '--timeout', '6s');
        a.kill('SIGCONT');
        expect(code).toBe(7);
        expect(stderr).toMatch(/Cannot determine the primary within 6s: a does not answer probes;/);
      },
      { options: { 'heartbeat-timeout': '10m', 'probe-timeout': '100ms' } },
    ));
});

describe('promote', () => {
  it('ends with 7 when the promotion takes longer than it may, and the promotion goes on', () =>
    inGroup(
      async (group) => {
        await group.startAll(['a']);
        const hook = 'until [ -e go ]; do sleep 0.05; done';
        const b = await group.start('b', { options: { 'promote-command': hook } });
        await group.reaches(b, 'watching');
        // The node does nothing for who has given up before it was heard.
        const { code, stderr } = await group.client('promote', 'b', '--timeout', '5s');
        expect(code).toBe(7);
        expect(stderr).toMatch(/^failover: Cannot promote b: no answer from b within 5\s?s/);
        expect(stderr).toContain('The promotion may still complete.');
        writeFileSync(group.path('go'), '');
        await group.reaches(b, 'serving');
        expect((await group.active(2)).epoch).toBe(2);
      },
      { options: { 'promote-timeout': '50s' } },
    ));

  it('from a primary that does not answer ends with 7, and one is active when it goes on', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      await group.active(1);
      a.kill('SIGSTOP');
      const { code, stderr } = await group.client('promote', 'b', '--timeout', '1s');
      expect(code).toBe(7);
      expect(stderr).toContain('failover: Cannot promote b');
      a.kill('SIGCONT');
      await group.beats(12);
      const leads = await group.primaryOf([a, b]);
      expect([a, b].filter(({ phase }) => phase === 'serving')).toStrictEqual([leads]);
    }, CALM));

  it('of a node that nobody knows ends with 3 and names those that live', () =>
    inGroup(async (group) => {
      await group.startAll(['a']);
      const { code, stderr } = await group.client('promote', 'zed');
      expect(code).toBe(3);
      expect(stderr).toContain('Cannot find node zed in group g: live nodes: a');
    }));
});

const CTRL_C = '\u0003';
const SHOW_CURSOR = '\u001B[?25h';
const HIDE_CURSOR = '\u001B[?25l';
const OTHER_SCREEN = '\u001B[?1049h';
const FIRST_SCREEN = '\u001B[?1049l';
const CONTROLS = new RegExp(`${String.fromCodePoint(0x1b)}\\[[0-9;?]*[A-Za-z]`, 'g');

/** The cursor is to be seen, on the screen where the command was given, and lines are read as lines. */
function expectGivenBack(output: string): void {
  for (const [on, off] of [
    [SHOW_CURSOR, HIDE_CURSOR],
    [FIRST_SCREEN, OTHER_SCREEN],
  ] as const) {
    expect(output).toContain(off);
    expect(output.lastIndexOf(on)).toBeGreaterThan(output.lastIndexOf(off));
  }
  expect(output.slice(output.lastIndexOf(FIRST_SCREEN))).toMatch(/\sicanon\b/);
}

/** Without colours and movements of the cursor. */
function plain(text: string): string {
  return text.replaceAll(CONTROLS, '');
}
