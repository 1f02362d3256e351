// Nodes of one id whose lease is on a server, each with a state directory of its own: nothing but the server tells them.
import { expect, it } from 'vitest';
import type { Group } from '../support/process-group.ts';
import type { NodeProcess } from '../support/process-node.ts';
import { canUnshare, OWN_NAMESPACE } from '../support/process-namespaces.ts';

const ELSEWHERE = canUnshare();
if (!ELSEWHERE) {
  process.stderr.write('Skipped: ids on two machines, as this user may make no pid namespace.\n');
}

const TAKEN = 4;

/** @param play runs a test at a place where the group is not known yet */
export function nodesOfOneId(play: (body: (group: Group) => Promise<void>) => Promise<void>): void {
  it('are refused where one of that id lives, which goes on', () =>
    play(async (group) => {
      const first = launchAt(group, 'here');
      await group.reaches(first, 'serving');
      const second = launchAt(group, 'there');
      expect(await group.ends(second)).toBe(TAKEN);
      const told = `Cannot take part in group g as a: process ${first.pid} on`;
      expect(second.stray).toContain(told);
      expect(second.stray).toContain('Give this node another id with --node, or stop the one');
      expect(said(second, 'to see whether it lives')).toBe(false);
      expect(first.phase).toBe('serving');
    }));

  it('start again at once after they were killed', () =>
    play(async (group) => {
      const first = launchAt(group, 'here');
      await group.reaches(first, 'serving');
      first.kill('SIGKILL');
      await group.ends(first);
      const second = launchAt(group, 'there');
      await group.reaches(second, 'serving');
      expect(said(second, 'to see whether it lives')).toBe(false);
    }));

  it('are one when several are started together', () =>
    play(async (group) => {
      const nodes = [1, 2, 3].map((number) => launchAt(group, String(number)));
      await group.until('all but one to end', () => nodes.filter(isOver).length === 2);
      expect(nodes.filter(isOver).map(({ end }) => end)).toEqual([TAKEN, TAKEN]);
      const [only] = nodes.filter((node) => !isOver(node));
      if (only === undefined) throw new Error('none is left');
      await group.reaches(only, 'serving');
    }));

  it.runIf(ELSEWHERE)('are refused where one of another machine leaves signs of life', () =>
    play(async (group) => {
      const first = launchAt(group, 'here', OWN_NAMESPACE);
      await group.reaches(first, 'serving');
      const second = launchAt(group, 'there');
      expect(await group.ends(second)).toBe(TAKEN);
      expect(said(second, 'to see whether it lives')).toBe(true);
      expect(second.stray).toContain('Cannot take part in group g as a: process 1 on');
      expect(first.phase).toBe('serving');
      first.kill('SIGKILL');
    }),
  );

  it.runIf(ELSEWHERE)(
    'wait for one of another machine that may be gone, and end when told to',
    () =>
      play(async (group) => {
        const first = launchAt(group, 'here', OWN_NAMESPACE);
        await group.reaches(first, 'serving');
        first.kill('SIGKILL');
        await group.ends(first);
        const told = launchAt(group, 'there');
        await group.until('it to wait', () => said(told, 'to see whether it lives'));
        told.kill('SIGTERM');
        expect(await group.ends(told)).toBe(0);
        expect(said(told, 'Ended with exit code 0: SIGTERM')).toBe(true);
        const next = launchAt(group, 'there');
        await group.reaches(next, 'serving');
        expect(said(next, 'to see whether it lives')).toBe(true);
      }),
  );
}

function launchAt(group: Group, place: string, through: readonly string[] = []): NodeProcess {
  return group.launch('a', { through, options: { 'state-dir': group.path(place) } });
}

function said(node: NodeProcess, text: string): boolean {
  return node.log.some(({ reason }) => reason?.includes(text) === true);
}

function isOver({ end }: NodeProcess): boolean {
  return end !== null;
}
