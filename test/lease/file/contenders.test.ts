// Several processes that want the lease at once, and one that is killed with it.
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { granted, openLease, temporaryDirectory } from '../support/fixtures.ts';
import { holding, startContender } from '../support/contenders.ts';

it('12 processes take it in turns: never two at once, and every epoch is higher', async () => {
  const stateDir = temporaryDirectory();
  const contenders = Array.from({ length: 12 }, (_, index) =>
    startContender(stateDir, `n${String(index)}`, { rounds: 15, ending: 'release' }),
  );
  for (const { ended } of contenders) expect(await ended).toEqual({ code: 0, errors: '' });
  const epochs = readFileSync(join(stateDir, 'epochs.log'), 'utf8').trim().split('\n').map(Number);
  expect(epochs).toHaveLength(12 * 15);
  expect(epochs).toEqual([...new Set(epochs)].sort((a, b) => a - b));
}, 60_000);

it('is free the instant its holder was killed, whatever that left behind', async () => {
  const stateDir = temporaryDirectory();
  const survivor = openLease(stateDir, 'survivor');
  for (let round = 1; round <= 3; round += 1) {
    const holder = startContender(stateDir, 'holder', { rounds: 1, ending: 'hold' });
    await holding(holder);
    expect(survivor.observe()).toMatchObject({ held: true, holder: { node: 'holder' } });
    expect(await survivor.acquire(0)).toMatchObject({ type: 'denied', cause: 'held' });
    holder.child.kill('SIGKILL');
    await holder.ended;
    expect(existsSync(survivor.paths.lockfile)).toBe(true);
    expect(await granted(survivor.acquire(0))).toBe(2 * round);
    // Its record stays until what it may have left has been looked for.
    expect(survivor.local.collectGarbage()).toBe(0);
    survivor.cleared();
    await survivor.release();
    expect(survivor.local.collectGarbage()).toBe(1);
  }
}, 30_000);

it.each([
  ['removes its lockfile', false],
  ['leaves a lockfile that another has put in its place', true],
])('a holder that ends by a signal %s', async (_, replaced) => {
  const stateDir = temporaryDirectory();
  const survivor = openLease(stateDir, 'survivor');
  const holder = startContender(stateDir, 'holder', { rounds: 1, ending: 'hold' });
  await holding(holder);
  if (replaced) {
    rmdirSync(survivor.paths.lockfile);
    mkdirSync(survivor.paths.lockfile);
  }
  holder.child.kill('SIGTERM');
  await holder.ended;
  expect(existsSync(survivor.paths.lockfile)).toBe(replaced);
  const outcome = await survivor.acquire(0);
  expect(outcome).toMatchObject(
    replaced ? { type: 'denied', cause: 'foreign-lockfile' } : { type: 'granted', epoch: 2 },
  );
});
