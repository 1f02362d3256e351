// What counts as said again.
import { expect, it } from 'vitest';
import { isAlike } from '../../src/transport/alike.ts';

it.each([
  [1, 1],
  [null, null],
  [[], []],
  [
    ['a', 'b'],
    ['a', 'b'],
  ],
  [{ a: 1 }, { a: 1 }],
])('takes %j and %j for the same', (a, b) => {
  expect(isAlike<unknown>(a, b)).toBe(true);
});

it.each([
  [1, 2],
  [null, undefined],
  [null, {}],
  [['a'], ['a', 'b']],
  [['a', 'b'], ['a']],
  [
    ['a', 'b'],
    ['b', 'a'],
  ],
  [{ a: 1 }, { a: 2 }],
  [{ a: 1 }, { a: 1, b: 2 }],
  [{ a: 1, b: undefined }, { a: 1 }],
])('tells %j from %j', (a, b) => {
  expect(isAlike<unknown>(a, b)).toBe(false);
});
