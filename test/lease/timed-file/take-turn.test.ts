// One of all that try takes a turn: also where some of them stood still for long in between.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { takeTurn } from '../../../src/lease/timed-file/take-turn.ts';
import type { TurnOrder } from '../../../src/lease/timed-file/take-turn.ts';
import { timedPaths } from '../../../src/lease/timed-file/timed-paths.ts';
import type { TimedPaths } from '../../../src/lease/timed-file/timed-paths.ts';
import { latestTurn } from '../../../src/lease/timed-file/turns.ts';
import { temporaryDirectory } from '../support/fixtures.ts';

let paths: TimedPaths;
beforeEach(() => {
  paths = timedPaths(temporaryDirectory(), 'g');
  const { turns, epochs, claims, beats } = paths;
  for (const path of [turns, epochs, claims, beats]) mkdirSync(path, { recursive: true });
});

function take(token: string, number: number, changes: Partial<TurnOrder> = {}): Promise<boolean> {
  const asker = { run: `run-${token}`, node: token, record: '{}' };
  const times = { epoch: number, ttlMs: 1_000, isNew: true, isLate: () => false };
  return takeTurn({
    paths,
    asker,
    number,
    beat: `${String(number)}-${token}`,
    ...times,
    ...changes,
  });
}

it('is taken by one of many that try at once', async () => {
  const tokens = Array.from({ length: 20 }, (_, number) => number.toString(16));
  const taken = await Promise.all(tokens.map((token) => take(token, 1)));
  expect(taken.filter(Boolean)).toHaveLength(1);
  const winner = tokens[taken.indexOf(true)];
  expect(await latestTurn(paths)).toMatchObject({ number: 1, turn: { node: winner, epoch: 1 } });
});

it('is not taken by one that saw long ago that it was next, after old ones were removed', async () => {
  for (const number of [1, 2, 3]) await take('a', number);
  for (const number of [1, 2]) rmSync(join(paths.turns, String(number)));
  expect(await take('b', 2, { epoch: 9 })).toBe(false);
  expect(await latestTurn(paths)).toMatchObject({ number: 3 });
});

it('is not taken with an epoch that somebody has put on record meanwhile', async () => {
  await take('a', 1, { epoch: 5 });
  expect(await take('b', 2, { epoch: 5 })).toBe(false);
});

it('is not taken once nobody waits for it any more', async () => {
  expect(await take('a', 1, { isLate: () => true })).toBe(false);
  expect(readdirSync(paths.turns)).toEqual([]);
});

it('counts also where it can not be read', async () => {
  await take('a', 1);
  await take('b', 2);
  rmSync(join(paths.turns, '2'));
  mkdirSync(join(paths.turns, '7'));
  await expect(latestTurn(paths)).rejects.toMatchObject({ code: 'EISDIR' });
});
