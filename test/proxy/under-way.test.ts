// Those that have been let go keep their turn, whoever leaves between them.
import { expect, it } from 'vitest';
import { UnderWay } from '../../src/proxy/under-way.ts';
import type { Going } from '../../src/proxy/under-way.ts';

interface Named extends Going {
  readonly name: string;
}

it('gives those that are left in the order in which they were let go', () => {
  const underWay = new UnderWay<Named>();
  const items = ['a', 'b', 'c', 'd'].map((name) => ({ name, index: null, turn: 0 }));
  for (const item of items) underWay.add(item);
  for (const item of items.slice(0, 1)) expect(underWay.delete(item)).toBe(true);
  for (const item of items.slice(0, 1)) expect(underWay.delete(item)).toBe(false);
  expect(underWay.inTurn().map(({ name }) => name)).toEqual(['b', 'c', 'd']);
  for (const item of items.slice(0, 1)) underWay.add(item);
  expect(underWay.inTurn().map(({ name }) => name)).toEqual(['b', 'c', 'd', 'a']);
  expect(underWay.size).toBe(4);
});
