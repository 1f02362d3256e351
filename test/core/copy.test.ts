// A copy of a state has all that the state has, and is nobody else's.
import { expect, it } from 'vitest';
import { copyAt } from '../../src/core/copy.ts';
import { extended, primaryBase, secondaryBase, waiting } from '../../src/core/outcome.ts';
import { initialState } from '../../src/core/state.ts';
import type { NodeState } from '../../src/core/state.ts';

const BEGUN = initialState(5, 7);
const WATCHING: NodeState = extended(secondaryBase(BEGUN), { phase: 'watching' });
const SERVING: NodeState = extended(
  primaryBase(BEGUN, { epoch: 3, previous: 'b', chosen: true, standbys: [], proxies: [] }),
  { phase: 'serving' },
);

it.each([
  ['listens', BEGUN],
  ['watches', WATCHING],
  ['waits', waiting(secondaryBase(BEGUN), { until: 9, why: 'turn' })],
  ['serves', SERVING],
])('copies all of one that %s', (_, state) => {
  const { role, phase } = state;
  // Each other property is one of its own, so that none stands for another.
  const others = Object.fromEntries(Object.keys(state).map((name) => [name, Symbol(name)]));
  const filled = { ...others, role, phase } as unknown as NodeState; // only copied
  const copy = copyAt(filled, 8);
  expect(copy).not.toBe(filled);
  expect(copy).toEqual({ ...filled, at: 8 });
  expect(Object.keys(copy).sort()).toEqual(Object.keys(state).sort());
});
