// Several hosts and a store on another: parted, frozen and lost. Two are never active at once, and there is a
// primary again. The cases of a store follow each other on the same hosts: each begins when all is well again.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CASES, play } from './support/cases.ts';
import { lackOfHosts } from './support/lan.ts';
import { faultsOf, overlapMs } from './support/runs.ts';
import { Site } from './support/site.ts';
import { SHARED_STORES } from './support/stores.ts';
import { lackOfWriter, writerProgram } from './support/writer.ts';

const lackOfAll = lackOfHosts() ?? lackOfWriter();
if (lackOfAll !== null) process.stderr.write(`The tests with several hosts are ${lackOfAll}.\n`);

for (const store of SHARED_STORES) {
  const lack = lackOfAll ?? store.lack();
  if (lackOfAll === null && lack !== null) {
    process.stderr.write(`The tests with several hosts and ${store.name} are ${lack}.\n`);
  }

  describe.runIf(lack === null)(`three hosts with a lease in ${store.name}`, () => {
    let site: Site;

    beforeAll(async () => {
      site = await Site.start(store, writerProgram());
    });

    afterAll(() => site.stop());

    it.each(CASES.filter(({ isMeasuredOnly }) => isMeasuredOnly !== true))(
      'never have two active, and have one again: $name',
      async (told) => {
        try {
          const outcome = await play(site, told);
          expect(outcome.faults).toEqual([]);
          expect(outcome.overlapMs).toBe(0);
        } catch (error) {
          throw new Error(`${String(error)}\n${site.story()}`, { cause: error });
        }
      },
    );
  });
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
