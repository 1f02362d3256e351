// Several hosts and a store on another: parted, frozen and lost. Two are never active at once, and there is a
// primary again. The cases of a store follow each other on the same hosts: each begins when all is well again.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CASES, play } from './support/cases.ts';
import type { Case, Outcome } from './support/cases.ts';
import { lackOfHosts } from './support/lan.ts';
import { faultsOf, overlapMs } from './support/runs.ts';
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

const cases = CASES.filter(({ isMeasuredOnly }) => isMeasuredOnly !== true);

describe.each(stores)('three hosts with a lease in $name', (store) => {
  it.each(cases)('never have two active, and have one again: $name', async (told) => {
    const { faults, overlapMs } = await outcomeOf(store, told);
    expect(faults).toEqual([]);
    expect(overlapMs).toBe(0);
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
    for (const told of cases) {
      const outcome = last.then(() => playTelling(site, told));
      played.set(`${store.name} ${told.name}`, outcome);
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

  it('sees two that are active at once', () => {
    const old = { epoch: 1, node: 'a', first: 0n, last: 5_000_000n, isAlone: true };
    expect(overlapMs(run, [old, run])).toBe(3);
    expect(overlapMs(run, [{ ...old, last: 1_999_999n }, run])).toBe(0);
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
});
