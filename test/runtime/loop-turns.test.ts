// Turns of the loop: some in each, in the order of asking, and what else there is to do in between.
import { expect, it } from 'vitest';
import { LoopTurns } from '../../src/runtime/loop-turns.ts';

const nothing = (): void => undefined;

async function turnOfLoop(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

it('begins the first ones at once, and the others in turns of the loop, in their order', async () => {
  const turns = new LoopTurns(2);
  const begun: number[] = [];
  const all = [1, 2, 3, 4, 5].map(async (name) => {
    await turns.take(nothing);
    begun.push(name);
  });
  await Promise.resolve();
  expect(begun).toEqual([1, 2]);
  await turnOfLoop();
  expect(begun).toEqual([1, 2, 3, 4]);
  await turnOfLoop();
  expect(begun).toEqual([1, 2, 3, 4, 5]);
  await Promise.all(all);
});

it('keeps nobody waiting for one that asks when all others are through', async () => {
  const turns = new LoopTurns(1);
  await turns.take(nothing);
  await turnOfLoop();
  let isBegun = false;
  void turns.take(nothing).then(() => {
    isBegun = true;
  });
  await Promise.resolve();
  expect(isBegun).toBe(true);
});

it('counts who comes while others wait with them', async () => {
  const turns = new LoopTurns(1);
  const begun: string[] = [];
  const take = async (name: string): Promise<void> => {
    await turns.take(nothing);
    begun.push(name);
  };
  const first = [take('a'), take('b')];
  await turnOfLoop();
  const last = take('c');
  await Promise.resolve();
  expect(begun).toEqual(['a', 'b']);
  await Promise.all([...first, last]);
  expect(begun).toEqual(['a', 'b', 'c']);
});

it('has who waits long look about meanwhile, and nobody who has begun', async () => {
  let now = 0;
  const turns = new LoopTurns(1, () => now);
  const looks: string[] = [];
  const take = (name: string): Promise<void> => turns.take(() => looks.push(name));
  const all = [take('a'), take('b'), take('c'), take('d')];
  now = 499;
  await turnOfLoop();
  expect(looks).toEqual([]);
  now = 500;
  await turnOfLoop();
  expect(looks).toEqual(['d']);
  await Promise.all(all);
});

it('has all begin that have waited for long', async () => {
  let now = 0;
  const turns = new LoopTurns(1, () => now);
  const begun: string[] = [];
  const take = async (name: string): Promise<void> => {
    await turns.take(nothing);
    begun.push(name);
  };
  const all = [take('a'), take('b'), take('c'), take('d')];
  now = 1;
  all.push(take('e'));
  now = 5_000;
  await turnOfLoop();
  expect(begun).toEqual(['a', 'b', 'c', 'd']);
  await turnOfLoop();
  expect(begun).toEqual(['a', 'b', 'c', 'd', 'e']);
  await Promise.all(all);
});
