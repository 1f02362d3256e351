// `failover explain` of real nodes: living, paused, stopped and dead.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readJournal } from '../../src/journal/read-journal.ts';
import { journalOfNode } from '../../src/journal/find-journal.ts';
import { replayJournal } from '../../src/journal/replay.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import { CALM } from '../support/process-steps.ts';

interface Explained {
  readonly answer: string;
  readonly primary: string | null;
  readonly nodes: readonly {
    readonly id: string;
    readonly presence: string;
    readonly source: string;
    readonly silence: string | null;
    readonly phase: string | null;
    readonly epoch: number | null;
    readonly lastChance: { readonly outcome: string; readonly cause: string } | null;
    readonly evidence: readonly { readonly name: string; readonly text: string }[];
    readonly waitsFor: readonly { readonly name: string }[];
    readonly transitions: readonly { readonly to: string }[];
  }[];
}

/** However busy the machine is, nobody doubts anybody. */
const UNDOUBTED = { options: { 'heartbeat-timeout': '20s' } };

/** Looks until all that could answer have: on a busy machine one may need longer than it is waited for. */
async function explained(group: Group, ...args: readonly string[]): Promise<Explained> {
  return group.until('an explanation by all that live', async () => {
    const { stdout, code } = await group.client('explain', '--json', ...args);
    expect(code).toBe(0);
    // Our own program, whose form other tests check.
    const told = JSON.parse(stdout) as Explained;
    const isMissing = told.answer.includes('does not answer') || told.nodes.some(couldAnswer);
    return isMissing ? null : told;
  });
}

/** It lives, and something else had to tell of it. */
function couldAnswer({ source, presence, silence }: Explained['nodes'][number]): boolean {
  return source !== 'node' && presence !== 'gone' && silence !== 'its process is stopped';
}

/** Waits until a node's journal tells of a phase: it is written a while after it was entered. */
async function journalTells(group: Group, id: string, phase: string): Promise<void> {
  await group.until(`the journal of ${id} to tell of ${phase}`, () => {
    const found = journalOfNode(join(group.groupDir, 'journal'), id);
    return found?.journal.entries.some((entry) => {
      return entry.kind === 'event' && entry.recorded.to === phase;
    });
  });
}

describe('explain', () => {
  it('of a living group tells of the primary and the next, by their own words', () =>
    inGroup(async (group) => {
      const [a] = await group.startAll(['a', 'b', 'c']);
      await group.beats(12);
      const { answer, nodes } = await group.until('b to be next', async () => {
        const told = await explained(group);
        return told.nodes[1]?.id === 'b' && told;
      });
      expect(answer).toBe('a is primary at epoch 1.');
      expect(nodes.map(({ id, source, phase }) => [id, source, phase])).toEqual([
        ['a', 'node', 'serving'],
        ['b', 'node', 'watching'],
      ]);
      expect(nodes[0]?.lastChance?.outcome).toBe('took-over');
      expect(nodes[1]?.evidence[0]?.text).toMatch(/^a was last heard /);
      expect(nodes[1]?.waitsFor.map(({ name }) => name)).toContain('silence');
      const stdout = await group.until('b to answer', async () => {
        const told = await group.client('explain', 'b');
        return /^ {2}waits /m.test(told.stdout) && told.stdout;
      });
      expect(stdout).toMatch(/^b {2}secondary, watching since \d\d:\d\d:\d\d\.\d{3}$/m);
      expect(stdout).toMatch(/^ {2}goes by {6}a was last heard .* it is suspected after 20\.0 s$/m);
      expect(stdout).toMatch(/^ {2}waits {8}(?:in|at most) \S/m);
      expect(stdout).toMatch(/ in .*: it suspects the primary unless it hears from it$/m);
      expect(a.phase).toBe('serving');
    }, UNDOUBTED));

  it('of a paused group without a primary says why nobody has taken over, for every node', () =>
    inGroup(async (group) => {
      const [a, b, c] = await group.startAll(['a', 'b', 'c']);
      await group.client('pause');
      await group.beats(3);
      a.kill('SIGKILL');
      await group.ends(a);
      for (const node of [b, c]) await group.reaches(node, 'waiting');
      const { answer, primary, nodes } = await explained(group);
      expect(primary).toBeNull();
      expect(answer).toMatch(/^No node has taken over: the group is paused by .*failover resume/);
      for (const id of ['b', 'c']) {
        const node = nodes.find((one) => one.id === id);
        expect(node?.lastChance?.outcome).toBe('open');
        expect(node?.waitsFor[0]?.name).toBe('not-willing');
      }
      await group.client('resume');
      await group.primaryOf([b, c]);
    }));

  it('of a stopped and of a dead node goes by its journal, and says so', () =>
    inGroup(async (group) => {
      const [a, b, c] = await group.startAll(['a', 'b', 'c']);
      await journalTells(group, 'a', 'serving');
      a.kill('SIGSTOP');
      const next = await group.primaryOf([b, c]);
      expect(await group.ends(a)).toBe('SIGKILL');
      // Its record is removed by the new primary; its journal stays.
      await group.until('the record of a to be removed', () =>
        group.records().every(({ node }) => node !== 'a'),
      );
      const { answer, nodes } = await explained(group, 'a');
      expect(answer).toBe(`${next.id} is primary at epoch 2.`);
      expect(nodes).toHaveLength(1);
      expect(nodes[0]).toMatchObject({
        id: 'a',
        source: 'journal',
        silence: 'it ended unexpectedly',
        phase: 'serving',
        epoch: 1,
        waitsFor: [],
      });
      expect(nodes[0]?.transitions.at(-1)?.to).toBe('serving');
      expect((await group.client('explain', 'a')).stdout).toMatch(
        /^a {2}it ended unexpectedly; its journal, as of .*: primary, serving since /m,
      );
      const fencer = (await explained(group, next.id)).nodes[0];
      expect(fencer?.lastChance).toMatchObject({
        outcome: 'took-over',
        cause: expect.stringContaining('; probing ') as string,
      });
    }));

  it('of a suspended node tells that it stepped down first', () =>
    inGroup(async (group) => {
      const [a, b] = await group.startAll(['a', 'b']);
      await journalTells(group, 'a', 'serving');
      a.kill('SIGTSTP');
      await group.primaryOf([b]);
      await group.until('a to be stopped', () => group.stateOf(a.pid) === 'T');
      const [node] = (await explained(group, 'a')).nodes;
      expect(node).toMatchObject({ source: 'journal', silence: 'its process is stopped' });
      expect(node?.transitions.map(({ to }) => to)).toContain('demoting');
      expect(node?.phase).not.toBe('serving');
      a.kill('SIGCONT');
    }, UNDOUBTED));

  it('of a node that ended in order says why', () =>
    inGroup(async (group) => {
      const [, b] = await group.startAll(['a', 'b']);
      expect((await group.client('stop', 'b')).code).toBe(0);
      await group.ends(b);
      const [node] = (await explained(group, 'b')).nodes;
      expect(node).toMatchObject({ silence: 'it has exited gracefully', phase: 'stopped' });
    }));

  it('of a node that never was ends with 3 and names those that live', () =>
    inGroup(async (group) => {
      await group.startAll(['a']);
      const { code, stderr } = await group.client('explain', 'z');
      expect(code).toBe(3);
      expect(stderr).toContain('live nodes: a');
    }));
});

describe('the journals of a group', () => {
  it('are decided again the same, after a crash, a takeover and a switchover', () =>
    inGroup(async (group) => {
      const [a, b, c] = await group.startAll(['a', 'b', 'c']);
      a.kill('SIGKILL');
      const next = await group.primaryOf([b, c]);
      expect((await group.client('promote', next === b ? 'c' : 'b')).code).toBe(0);
      for (const id of ['b', 'c']) await journalTells(group, id, 'serving');
      expect((await group.client('stop')).code).toBe(0);
      for (const node of [b, c]) await group.ends(node);
      const directory = join(group.groupDir, 'journal');
      const names = readdirSync(directory);
      expect(names.length).toBeGreaterThanOrEqual(2);
      for (const name of names) {
        const journal = readJournal(readFileSync(join(directory, name), 'utf8'));
        const { divergences, passedOver, transitions } = replayJournal(journal);
        // Between two segments there may be a gap: what is in them is exact.
        expect({ name, divergences, passedOver }).toEqual({ name, divergences: [], passedOver: 0 });
        expect(transitions).toBeGreaterThan(0);
        expect([journal.skipped, journal.dropped]).toEqual([{ corrupt: 0, unknown: 0 }, 0]);
      }
    }, CALM));
});
