// The commands of a client against real nodes: they report what happened, and it has.
import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import { CALM } from '../support/process-steps.ts';

interface Status {
  readonly primary: string | null;
  readonly paused: boolean;
  readonly epoch: number;
  readonly nodes: readonly { readonly id: string; readonly role: string }[];
}

async function statusOf(group: Group): Promise<Status> {
  const { stdout } = await group.client('status', '--json');
  // Our own program, whose form other tests check.
  return JSON.parse(stdout) as Status;
}

describe('promote', () => {
  it('hands over, says who is primary at which epoch, and how long the gap was', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      await group.active(1);
      const { code, stdout } = await group.client('promote', 'b');
      expect(code).toBe(0);
      expect(stdout).toMatch(/b is primary at epoch 2.*\d+(\.\d+)? ms/s);
      await group.reaches(b, 'serving');
      await group.reaches(a, 'watching');
      await group.hasStarted(2);
    }, CALM));

  it('without a node takes the first in the succession', () =>
    inGroup(async (group) => {
      const [a, b, c] = await group.startAll(['a', 'b', 'c']);
      await group.beats(12);
      await group.until('b to be promoted', async () => {
        const { code, stdout } = await group.client('promote');
        expect(code).toBe(0);
        // On a busy machine b may not have answered in time, and is first again then: it has stood by the longest.
        return stdout.startsWith('b is primary');
      });
      await group.reaches(b, 'serving');
      for (const node of [a, c]) await group.reaches(node, 'watching');
    }, CALM));

  it('of the primary itself changes nothing', () =>
    inGroup(async (group) => {
      await group.startAll(['a', 'b']);
      await group.active(1);
      expect((await group.client('promote', 'a')).code).toBe(0);
      await group.hasStarted(1);
    }));

  it('to a node whose promotion fails ends with 5, and the old primary is back', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      const b = await group.start('b', { options: { 'promote-command': 'exit 1' } });
      await group.reaches(b, 'watching');
      expect((await group.client('promote', 'b')).code).toBe(5);
      await group.reaches(a, 'serving', 2);
    }, CALM));

  it('without --force leaves a stopped primary alone', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        a.kill('SIGSTOP');
        expect((await group.client('promote', 'b')).code).not.toBe(0);
        expect([a.end, group.starts]).toStrictEqual([null, 1]);
        a.kill('SIGCONT');
        // What was refused for lack of an answer is not done late.
        await group.beats(6);
        await group.reaches(b, 'watching');
        expect([a.phase, group.starts]).toStrictEqual(['serving', 1]);
      },
      { options: { fence: 'none' } },
    ));

  it('with --force fences a stopped primary', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        await group.active(1);
        a.kill('SIGSTOP');
        expect((await group.client('promote', 'b', '--force')).code).toBe(0);
        expect(await group.ends(a)).toBe('SIGKILL');
        await group.reaches(b, 'serving');
        await group.active(2);
      },
      // So long that nobody else would fence it meanwhile.
      { options: { 'heartbeat-timeout': '60s' } },
    ));

  it.each([
    ['none', '--fence none forbids this node to kill it'],
    ['kill-unless-stopped', 'is spared by --fence kill-unless-stopped: continue it'],
  ])('with --force and --fence %s leaves a stopped primary alone, and ends with 5', (fence, why) =>
    inGroup(
      async (group) => {
        const [a] = await group.startAll(['a', 'b']);
        await group.active(1);
        a.kill('SIGSTOP');
        const forced = await group.client('promote', 'b', '--force');
        expect([forced.code, a.end, group.starts]).toStrictEqual([5, null, 1]);
        expect(forced.stderr).toContain(why);
        a.kill('SIGCONT');
      },
      { options: { fence, 'heartbeat-timeout': '60s' } },
    ),
  );

  it('with --force fences a living primary that refuses; without it the primary stays', () =>
    inGroup(
      async (group) => {
        const [a, b] = await group.startAll(['a', 'b']);
        writeFileSync(group.path('broken'), '');
        process.kill((await group.active(1)).pid, 'SIGKILL');
        await group.reaches(a, 'restarting');
        const asked = await group.client('promote', 'b');
        expect([asked.code, a.phase]).toStrictEqual([5, 'restarting']);
        expect(asked.stderr).toContain('restarted');
        rmSync(group.path('broken'));
        const forced = await group.client('promote', 'b', '--force');
        expect(forced.code).toBe(0);
        await group.reaches(b, 'serving');
      },
      { options: { ...CALM.options, 'ready-when': 'exec:[ ! -e broken ]' } },
    ));
});

describe('demote', () => {
  it('makes another the primary, and the node does not come back by itself', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      expect((await group.client('demote')).code).toBe(0);
      await group.reaches(b, 'serving');
      await group.reaches(a, 'watching');
      expect((await group.active(2)).epoch).toBe(2);
    }));

  it('says that nobody takes over where nobody stands by, and until when', () =>
    inGroup(async (group) => {
      await group.startAll(['a']);
      const { code, stderr } = await group.client('demote');
      expect([code, stderr]).toEqual([
        0,
        expect.stringMatching(/nobody takes over: .* no primary until `failover promote a --group/),
      ]);
    }));

  it('--hold keeps the node off for that long, and no longer', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      await group.active(1);
      const from = performance.now();
      expect((await group.client('demote', '--hold', '1s')).code).toBe(0);
      await group.reaches(a, 'serving', 2);
      expect(performance.now() - from).toBeGreaterThanOrEqual(1000);
    }));
});

describe('pause', () => {
  it('outlives every process: nobody is promoted until the group is resumed', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      await group.active(1);
      expect((await group.client('pause')).code).toBe(0);
      expect((await statusOf(group)).paused).toBe(true);
      a.kill('SIGKILL');
      await group.ends(a);
      await group.reaches(b, 'waiting');
      const c = await group.start('c');
      await group.reaches(c, 'waiting');
      expect((await group.client('status')).code).toBe(3);
      await group.hasStarted(1);
      expect((await group.client('resume')).code).toBe(0);
      await group.primaryOf([b, c]);
      expect((await group.active(2)).epoch).toBe(2);
    }));

  it('counts from its return on: a primary that is killed right then has no successor', () =>
    inGroup(async (group) => {
      const [a, b, c] = await group.startAll(['a', 'b', 'c']);
      await group.active(1);
      expect((await group.client('pause')).code).toBe(0);
      a.kill('SIGKILL');
      await group.ends(a);
      for (const node of [b, c]) await group.reaches(node, 'waiting');
      await group.hasStarted(1);
      await group.client('resume');
      await group.primaryOf([b, c]);
    }));

  it('does not stand in the way of a person', () =>
    inGroup(async (group) => {
      const [, b] = await group.startAll(['a', 'b']);
      await group.active(1);
      expect((await group.client('pause')).code).toBe(0);
      expect((await group.client('promote', 'b')).code).toBe(0);
      await group.reaches(b, 'serving');
    }, CALM));

  it('leaves the workload of the primary running, and restarts it in place', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a', 'b']);
      const { pid } = await group.active(1);
      expect((await group.client('pause')).code).toBe(0);
      process.kill(pid, 'SIGKILL');
      await group.reaches(a, 'serving', 2);
      await group.active(2);
    }));
});

describe('status', () => {
  it('is right when a node has died without a word', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      a.kill('SIGKILL');
      await group.reaches(b, 'serving');
      const status = await statusOf(group);
      expect(status.primary).toBe('b');
      expect(status.nodes.find(({ id }) => id === 'a')?.role).not.toBe('primary');
      b.kill('SIGKILL');
      await group.ends(b);
      expect((await group.client('status')).code).toBe(3);
    }));

  it('answers in a hook, which has the group in its environment', () =>
    inGroup(
      async (group) => {
        const [a] = await group.startAll(['a']);
        expect(a.phase).toBe('serving');
        expect(JSON.parse(group.text('from-hook'))).toMatchObject({ group: 'g', epoch: 1 });
      },
      {
        options: {
          'promote-command': `"${process.execPath}" "$LAUNCHER" status --json > from-hook; true`,
          // A whole command has to start and end within it.
          'promote-timeout': '60s',
        },
      },
    ));
});

describe('stop', () => {
  it('ends the whole group, and nobody is promoted on the way', () =>
    inGroup(async (group) => {
      const nodes = await group.startAll(['a', 'b', 'c']);
      await group.active(1);
      expect((await group.client('stop')).code).toBe(0);
      for (const node of nodes) expect(await group.ends(node)).toBe(0);
      await group.hasStarted(1);
    }));

  it('of one node ends that one', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      await group.active(1);
      expect((await group.client('stop', 'a')).code).toBe(0);
      expect(await group.ends(a)).toBe(0);
      await group.reaches(b, 'serving');
    }));
});

describe('check', () => {
  it('is 0 with a living primary and changes nothing', () =>
    inGroup(async (group) => {
      await group.startAll(['a', 'b']);
      await group.active(1);
      expect((await group.client('check')).code).toBe(0);
      await group.hasStarted(1);
    }));
});
