// Nodes of one id whose lease is on a server, each with a state directory of its own: nothing but the server tells them.
import { expect, it } from 'vitest';
import type { Group } from '../support/process-group.ts';
import type { NodeProcess } from '../support/process-node.ts';
import type { NodeSetup } from '../support/process-setup.ts';
import { STEADY } from '../support/process-steps.ts';
import {
  canUnshare,
  machineNamed,
  OWN_NAMESPACE,
  supervisorOf,
  workloadOf,
} from '../support/process-namespaces.ts';

const ELSEWHERE = canUnshare();
if (!ELSEWHERE) {
  process.stderr.write('Skipped: ids on two machines, as this user may make no pid namespace.\n');
}

const TAKEN = 4;

/** A busy machine answers late, and nobody is to lose its lease for that. */
const PATIENT = { 'lease-ttl': '20s', 'lease-request-timeout': '8s' };

/** @param play runs a test at a place where the group is not known yet */
export function nodesOfOneId(play: (body: (group: Group) => Promise<void>) => Promise<void>): void {
  it('are refused where one of that id lives, which goes on', () =>
    play(async (group) => {
      const first = launchAt(group, 'here', [], STEADY.options);
      await group.reaches(first, 'serving');
      const second = launchAt(group, 'there', [], STEADY.options);
      expect(await group.ends(second)).toBe(TAKEN);
      const told = `Cannot take part in group g as a: process ${first.pid} on`;
      expect(second.stray).toContain(told);
      expect(second.stray).toContain('Choose another id with --node, or stop the node');
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
      const first = launchAt(group, 'here', OWN_NAMESPACE, STEADY.options);
      await group.reaches(first, 'serving');
      const second = launchAt(group, 'there', [], STEADY.options);
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
        expect(said(told, 'Exited with code 0: SIGTERM')).toBe(true);
        const next = launchAt(group, 'there');
        await group.reaches(next, 'serving');
        expect(said(next, 'to see whether it lives')).toBe(true);
      }),
  );

  it.runIf(ELSEWHERE)('end where another has got their id while they were stopped as primary', () =>
    play(async (group) => {
      const first = launchAt(group, 'here', OWN_NAMESPACE);
      await group.reaches(first, 'serving');
      await group.active(1);
      const workload = workloadOf(group);
      const stopped = supervisorOf(group, 'a');
      group.signal(stopped, 'SIGSTOP');
      const second = launchAt(group, 'there');
      await group.reaches(second, 'serving');
      expect(group.lives(workload)).toBe(false);
      group.signal(stopped, 'SIGCONT');
      await givesWay(group, first, second);
      await group.hasStarted(2);
    }),
  );

  it.runIf(ELSEWHERE)('end where another has got their id while all of them was frozen', () =>
    play(async (group) => {
      const leader = await group.start('b', {
        options: { 'state-dir': group.path('leader'), ...PATIENT },
      });
      await group.reaches(leader, 'serving');
      const others = new Set(group.marked().map(({ pid }) => pid));
      const first = launchAt(group, 'here', OWN_NAMESPACE, PATIENT);
      await group.reaches(first, 'watching');
      const frozen = group.marked().filter(({ pid }) => !others.has(pid));
      for (const { pid } of frozen) group.signal(pid, 'SIGSTOP');
      const second = launchAt(group, 'there', [], PATIENT);
      await group.reaches(second, 'watching');
      for (const { pid } of frozen) group.signal(pid, 'SIGCONT');
      await givesWay(group, first, second);
      expect(leader.phase).toBe('serving');
      await group.hasStarted(1);
    }),
  );

  it.runIf(ELSEWHERE)('get another id at once where the one that they made up is taken', () =>
    play(async (group) => {
      const launch = (place: string): NodeProcess =>
        group.launch(place, {
          ...{ isNamed: false, through: machineNamed('box') },
          options: { 'state-dir': group.path(place), ...PATIENT },
        });
      const first = launch('here');
      await group.reaches(first, 'serving');
      const second = launch('there');
      await group.reaches(second, 'watching');
      expect(idOf(first)).toBe('box-1');
      expect(idOf(second)).toMatch(/^box-1-[0-9a-f]{6}$/);
      expect(said(second, 'to see whether it lives')).toBe(false);
      expect(first.phase).toBe('serving');
      // What is around them heeds no request to end.
      for (const node of [second, first]) node.kill('SIGKILL');
    }),
  );
}

/** The first ends, with nothing of it left active, and the second does what it did. */
async function givesWay(group: Group, first: NodeProcess, second: NodeProcess): Promise<void> {
  const { phase } = second;
  expect(await group.ends(first)).toBe(TAKEN);
  expect(first.stray).toContain('Cannot take part in group g as a: ');
  expect([second.end, second.phase]).toEqual([null, phase]);
}

function idOf({ log }: NodeProcess): string | undefined {
  return log.find(({ event }) => event === 'joined')?.node;
}

function launchAt(
  group: Group,
  place: string,
  through: readonly string[] = [],
  times: NodeSetup['options'] = {},
): NodeProcess {
  return group.launch('a', { through, options: { 'state-dir': group.path(place), ...times } });
}

function said(node: NodeProcess, text: string): boolean {
  return node.log.some(({ reason }) => reason?.includes(text) === true);
}

function isOver({ end }: NodeProcess): boolean {
  return end !== null;
}
