// Several hosts and a store on another: parted, frozen and lost. Two are never active at once, and there is a
// primary again. The cases of a store follow each other on the same hosts: each begins when all is well again.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Case, Outcome } from './support/case.ts';
import { lackOfHosts } from './support/lan.ts';
import { play } from './support/play.ts';
import { faultsOf, partedFaultsOf, together } from './support/runs.ts';
import { Site } from './support/site.ts';
import { SHARED_STORES } from './support/stores.ts';
import type { SharedStore } from './support/stores.ts';
import { lackOfWriter, writerProgram } from './support/writer.ts';

const lackOfAll = lackOfHosts() ?? lackOfWriter();
if (lackOfAll !== null) process.stderr.write(`The tests with several hosts are ${lackOfAll}.\n`);

/** What can't be had is said, and left out. */
const stores = SHARED_STORES.filter(({ name, lack }) => {
  const reason = lackOfAll ?? lack();
  if (lackOfAll === null && reason !== null) {
    process.stderr.write(`The tests with several hosts and ${name} are ${reason}.\n`);
  }
  return reason === null;
});

/** Each with each of its cases. */
const told = stores.flatMap((store) =>
  store.cases
    .filter(({ isMeasuredOnly }) => isMeasuredOnly !== true)
    .map((one) => ({ store, one, lease: store.name, name: one.name })),
);

describe('three hosts', () => {
  const unparted = told.filter(({ one }) => one.sides === undefined);
  it.each(unparted)('with $lease never have two active, and have one again: $name', async (row) => {
    const { faults, overlapMs } = await outcomeOf(row.store, row.one);
    expect(faults).toEqual([]);
    expect(overlapMs).toBe(0);
  });

  const parted = told.filter(({ one }) => one.sides !== undefined);
  it.each(parted)('with $lease have one on each side, then one: $name', async (row) => {
    const { faults, atOnce } = await outcomeOf(row.store, row.one);
    expect(faults).toEqual([]);
    expect(atOnce).toBe(2);
  });
});

/** Short, and long enough for a busy machine. */
const TTL_MS = 2_000;

const sites: Site[] = [];
const played = new Map<string, Promise<Outcome>>();

// Most of it is waiting: the hosts of all stores do that at the same time.
beforeAll(async () => {
  for (const store of stores) {
    const site = await Site.start(store, writerProgram(), TTL_MS);
    sites.push(site);
    let last: Promise<unknown> = Promise.resolve();
    for (const { one } of told.filter((row) => row.store === store)) {
      const outcome = last.then(() => playTelling(site, one));
      played.set(`${store.name} ${one.name}`, outcome);
      last = outcome.catch(() => undefined);
    }
  }
});

afterAll(async () => {
  for (const site of sites) await site.stop();
});

async function outcomeOf({ name }: SharedStore, told: Case): Promise<Outcome> {
  const outcome = played.get(`${name} ${told.name}`);
  if (outcome === undefined) throw new Error('it was not played');
  return outcome;
}

async function playTelling(site: Site, told: Case): Promise<Outcome> {
  try {
    return await play(site, told);
  } catch (error) {
    throw new Error(`${String(error)}\n${site.story()}`, { cause: error });
  }
}

describe('what watches over the hosts', () => {
  const run = { epoch: 2, node: 'b', first: 2_000_000n, last: 9_000_000n, isAlone: true };

  it('sees for how long more than one is active, how many, and until when', () => {
    const old = { epoch: 1, node: 'a', first: 0n, last: 5_000_000n, isAlone: true };
    const third = { ...run, node: 'c', first: 4_000_000n, last: 6_000_000n };
    expect(together([old, run])).toEqual({ ms: 3, most: 2, end: 5_000_000n });
    expect(together([old, run, third])).toEqual({ ms: 4, most: 3, end: 6_000_000n });
    expect(together([old, run], 4_000_000n)).toMatchObject({ ms: 1 });
    expect(together([{ ...old, last: run.first }, run])).toEqual({ ms: 0, most: 1, end: null });
  });

  it('sees an epoch twice, one that comes late, and one that was not alone', () => {
    const twice = { ...run, node: 'c', first: 3_000_000n };
    const late = { ...run, epoch: 3, first: 1_000_000n, isAlone: false };
    expect(faultsOf([run, twice], null)).toEqual(['epoch 2 of c is also one of b']);
    expect(faultsOf([run, late], null)).toEqual([
      'epoch 3 of b began before a lower one',
      'epoch 3 of b was not alone',
    ]);
    expect(faultsOf([run, { ...late, first: 3_000_000n }], late)).toEqual([]);
  });

  it('sees two on one side of a partition, an epoch that falls there, and one left with a lower', () => {
    const left = { epoch: 1, node: 'a', first: 0n, last: 9_000_000n, isAlone: true };
    const late = { epoch: 3, node: 'c', first: 1_000_000n, last: 1_500_000n, isAlone: false };
    const sides = [['a'], ['b', 'c']];
    expect(partedFaultsOf([left, run], sides, run)).toEqual([]);
    expect(partedFaultsOf([left, run], sides, left)).toEqual([
      'a is left with epoch 1, and there was 2',
    ]);
    expect(partedFaultsOf([left, run], [['a', 'b'], ['c']], run)).toEqual([
      'of a and b two were active for 7 ms',
    ]);
    expect(partedFaultsOf([left, run, late], sides, late)).toEqual([
      'epoch 3 of c began before a lower one',
    ]);
  });
});
