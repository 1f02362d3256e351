// What is told of nodes from one look to the next: of one that has ended also what its journal says, once.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { transitionsIn } from '../../src/cli/account.ts';
import type { GroupSnapshot, SeenNode } from '../../src/cli/client.ts';
import { gather } from '../../src/cli/timeline/gather.ts';
import { ReadingPace } from '../../src/cli/timeline/reading-pace.ts';
import { ToldTransitions } from '../../src/cli/told-transitions.ts';
import { journalPaths } from '../../src/journal/journal-file.ts';
import { readJournal } from '../../src/journal/read-journal.ts';
import { groupPaths } from '../../src/lease/file/group-paths.ts';
import { ABOUT, journalOf, stepsOfALife } from '../journal/support.ts';
import { temporaryDirectory } from '../lease/support/fixtures.ts';
import { answering, healthyGroup, record, statusOf } from './support/snapshot.ts';

const TEXT = journalOf(stepsOfALife(28, 400));
const WRITTEN = transitionsIn(readJournal(TEXT));
const { node, run } = ABOUT;

const LIVES = answering(statusOf(node, { run }), { run });
const DEAD: SeenNode = {
  ...{ record: record(node, { run }), presence: 'gone', status: null, silence: null },
  leftovers: [],
};

let file = '';
let paths = groupPaths('/nowhere');

beforeEach(() => {
  paths = groupPaths(join(temporaryDirectory(), 'web'));
  mkdirSync(paths.journal, { recursive: true });
  file = journalPaths(paths.journal, run).current;
  writeFileSync(file, TEXT);
});

function at(...nodes: readonly SeenNode[]): GroupSnapshot {
  return { ...healthyGroup(), paths, nodes };
}

/** A watcher of a node that has told so many of its transitions. */
function watcher(count: number, pace = new ReadingPace()): ToldTransitions {
  const events = WRITTEN.slice(0, count).map((one) => ({ ...one, role: 'secondary' }));
  return new ToldTransitions({ group: 'web', ask: () => Promise.resolve({ events }), pace });
}

async function phases(told: ToldTransitions, snapshot: GroupSnapshot): Promise<readonly string[]> {
  return (await told.since(snapshot)).map(({ to, source }) => `${to} (${source})`);
}

const words = (from: number, to?: number): readonly string[] =>
  WRITTEN.slice(from, to).map(({ to: phase }) => `${phase} (node)`);

describe('a node that was killed', () => {
  it('has left in its journal what it did after it was asked last', async () => {
    expect(WRITTEN.length).toBeGreaterThan(5);
    const told = watcher(2);
    expect(await phases(told, at(LIVES))).toEqual(words(0, 2));
    const last = await told.since(at(DEAD));
    expect(last.map(({ to }) => to)).toEqual([...WRITTEN.slice(2).map(({ to }) => to), 'gone']);
    expect(last.at(-1)).toMatchObject({ from: WRITTEN.at(-1)?.to, source: 'watch' });
    expect(last[0]).toMatchObject({ node, run, group: 'web', epoch: WRITTEN[2]?.epoch });
    // Once: neither the file nor the record being there still makes it news again.
    expect(await phases(told, at(DEAD))).toEqual([]);
    expect(await phases(told, at())).toEqual([]);
  });

  it('before anybody watched is told of while it is on record', async () => {
    const told = watcher(0);
    expect(await phases(told, at(DEAD))).toEqual(words(0).slice(-100));
    writeFileSync(file, '');
    expect(await phases(told, at(DEAD))).toEqual([]);
  });

  it('is told of without a journal that is not there, or can not be read', async () => {
    const told = watcher(2);
    await told.since(at(LIVES));
    rmSync(file);
    expect(await phases(told, at(DEAD))).toEqual(['gone (watch)']);
    writeFileSync(file, TEXT);
    expect(await phases(told, at(DEAD))).toEqual([]);
  });
});

it('is what a timeline in a terminal is made of as well', async () => {
  const { strands, answered } = await gather(at(DEAD));
  const mine = strands.find(({ key }) => key === run);
  expect(mine?.events.map(({ action, via }) => [action, via])).toEqual(
    WRITTEN.map(({ to }) => [to, 'journal']),
  );
  expect([answered.size, (await gather(at(DEAD), { journals: [] })).strands]).toEqual([0, []]);
});

it('reads the journal of one that is off the record a look later, when it has been written', async () => {
  const told = watcher(2);
  await told.since(at(LIVES));
  expect(await phases(told, at())).toEqual(['gone (watch)']);
  expect(await phases(told, at())).toEqual(words(2));
  expect(await phases(told, at())).toEqual([]);
});

it('does not read while a node lives, nor before its pause is over, and then one at a look', async () => {
  const pace = new ReadingPace();
  const told = watcher(2, pace);
  await told.since(at(LIVES));
  expect(await phases(told, at({ ...LIVES, presence: 'unresponsive', status: null }))).toEqual([
    'unresponsive (watch)',
  ]);
  pace.rest(100_000);
  expect(await phases(told, at(DEAD))).toEqual(['gone (watch)']);
  expect(await phases(told, at(DEAD))).toEqual([]);
  pace.rest(-Infinity);
  expect(await phases(told, at(DEAD))).toEqual(words(2));
});
