// Who comes next: a named successor that dies on the way, a node that comes back, and one of many.
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import type { NodeProcess } from '../support/process-node.ts';
import { shimmed } from '../support/process-shimmed.ts';
import { CALM } from '../support/process-steps.ts';

describe('a named successor', () => {
  /** The old primary steps down no further than it is let, so that the successor is met before its turn. */
  const held = {
    options: {
      'demote-command': 'until [ -e go ]; do sleep 0.02; done',
      'demote-timeout': '20s',
    },
  };
  const letGo = (group: Group): void => {
    writeFileSync(group.path('go'), '');
  };

  it('that is killed before its turn: promote ends with 5, and the old primary leads again', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b'], held);
      await group.active(1);
      const promoting = group.startClient('promote', 'b');
      await group.reaches(a, 'demoting');
      b.kill('SIGKILL');
      letGo(group);
      const { code, stderr } = await promoting.done;
      expect(code).toBe(5);
      expect(stderr).toMatch(
        /^failover: Cannot promote b: it (?:has ended|no longer answers|went away)\b/,
      );
      await group.reaches(a, 'serving', 2);
      expect((await group.active(2)).epoch).toBe(2);
    }, CALM));

  it('that is killed at the moment of its claim: the same, and nothing of it is in the way', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a']);
      const env = shimmed({ SHIM_AT: `linkSync ${group.groupDir}/epochs/ after SIGKILL` });
      const b = await group.start('b', { env });
      await group.reaches(b, 'watching');
      expect((await group.client('promote', 'b')).code).toBe(5);
      expect(await group.ends(b)).toBe('SIGKILL');
      await group.reaches(a, 'serving', 2);
      // Number 2 was claimed by the one that is dead, and is not given twice.
      expect((await group.active(2)).epoch).toBe(3);
    }, CALM));

  it('that is stopped before its turn: promote ends with 7, the old primary leads again', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b'], held);
      await group.active(1);
      const promoting = group.startClient('promote', 'b', '--timeout', '10s');
      await group.reaches(a, 'demoting');
      b.kill('SIGSTOP');
      letGo(group);
      await group.reaches(a, 'serving', 2);
      const { code, stderr } = await promoting.done;
      expect(code).toBe(7);
      expect(stderr).toContain('a is primary at epoch 2');
      b.kill('SIGCONT');
      await group.reaches(b, 'watching', b.timesIn('watching') + 1);
      await group.beats(12);
      // What it was asked for long ago is over.
      expect([a.phase, group.starts]).toStrictEqual(['serving', 2]);
    }, CALM));

  it('that is killed: a third node leads, whoever was willing first', () =>
    inGroup(async (group) => {
      const [a, b, c] = await group.startAll(['a', 'b', 'c'], held);
      await group.active(1);
      const promoting = group.startClient('promote', 'b');
      await group.reaches(a, 'demoting');
      b.kill('SIGKILL');
      letGo(group);
      expect((await promoting.done).code).toBe(5);
      await group.active(2);
      await group.primaryOf([a, c]);
    }, CALM));
});

describe('a node that comes back under its id', () => {
  it('is heard by those that heard its earlier life, whose messages had higher numbers', () =>
    inGroup(async (group) => {
      const [a, b, c] = await group.startAll(['a', 'b', 'c']);
      await group.active(1);
      // Each message has a number that rises: the new life begins again far below these.
      await group.beats(20);
      a.kill('SIGKILL');
      const second = await group.primaryOf([b, c]);
      const witness = second === b ? c : b;
      const again = await group.start('a');
      await group.reaches(again, 'watching');
      expect((await group.client('promote', 'a')).code).toBe(0);
      await group.reaches(again, 'serving');
      for (const node of [second, witness]) await followsAgain(group, node, 3);
      const doubts = witness.timesIn('suspecting');
      await group.beats(12);
      expect([witness.phase, witness.timesIn('suspecting')]).toStrictEqual(['watching', doubts]);
      // Its last word counts too: nobody waits for the silence to be long enough.
      again.kill('SIGTERM');
      await group.ends(again);
      const last = await group.primaryOf([second, witness]);
      expect(reasonsOf(last)).toContain('a stepped down: SIGTERM');
    }, CALM));
});

describe('two secondaries and a primary that is killed', () => {
  it('exactly one is promoted, the other follows it, and so it stays', () =>
    inGroup(async (group) => {
      const [a, b, c] = await group.startAll(['a', 'b', 'c']);
      await group.active(1);
      a.kill('SIGKILL');
      const next = await group.primaryOf([b, c]);
      const other = next === b ? c : b;
      await group.active(2);
      await followsAgain(group, other, 2);
      const before = [b, c].map(({ transitions }) => transitions.length);
      await group.beats(20);
      expect([b, c].map(({ transitions }) => transitions.length)).toStrictEqual(before);
      expect([next.phase, other.phase, group.starts]).toStrictEqual(['serving', 'watching', 2]);
      expect([b.timesIn('serving') + c.timesIn('serving'), next.epoch]).toStrictEqual([1, 2]);
      expect(await primaryIn(group)).toBe(next.id);
      // The lease names it to who comes later, too.
      const d = await group.start('d');
      await group.reaches(d, 'watching');
      expect(d.transitions.at(-1)?.reason).toContain(next.id);
      await group.hasStarted(2);
    }, CALM));
});

async function followsAgain(group: Group, node: NodeProcess, epoch: number): Promise<void> {
  await group.until(
    `${node.id} to follow at epoch ${epoch}`,
    () => node.phase === 'watching' && node.epoch === epoch,
  );
}

async function primaryIn(group: Group): Promise<string | null> {
  const { stdout } = await group.client('status', '--json');
  // Our own program, whose form other tests check.
  return (JSON.parse(stdout) as { readonly primary: string | null }).primary;
}

function reasonsOf(node: NodeProcess): string {
  return node.transitions.map(({ reason }) => reason).join('\n');
}
