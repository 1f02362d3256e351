// A copy of a state has all that the state has, and is nobody else's.
import { expect, it } from 'vitest';
import { copyAt, kept } from '../../src/core/copy.ts';
import { assignInto, primaryBase, secondaryBase, waiting } from '../../src/core/outcome.ts';
import { initialState } from '../../src/core/state.ts';
import type { NodeState } from '../../src/core/state.ts';

const BEGUN = initialState(5, 7);
const WATCHING: NodeState = assignInto(secondaryBase(BEGUN), { phase: 'watching' });
const SERVING: NodeState = assignInto(
  primaryBase(BEGUN, { epoch: 3, previous: 'b', chosen: true, standbys: [], proxies: [] }),
  { phase: 'serving' },
);

it.each([
  ['listens', BEGUN],
  ['watches', WATCHING],
  ['waits', waiting(secondaryBase(BEGUN), { until: 9, why: 'turn' })],
  ['serves', SERVING],
])('copies all of one that %s', (_, state) => {
  const filled = filledWithItsOwn(state);
  const copy = copyAt(filled, 8);
  expect(copy).not.toBe(filled);
  expect(copy).toEqual({ ...filled, at: 8 });
  expect(Object.keys(copy).sort()).toEqual(Object.keys(state).sort());
});

it.each([
  ['watches', WATCHING],
  ['serves', SERVING],
])('keeps one that %s in one object, with all that is new', (_, state) => {
  const first = kept(BEGUN, state);
  expect(first).not.toBe(state);
  const next = filledWithItsOwn(state);
  expect(kept(first, next)).toBe(first);
  expect(first).toEqual(next);
  expect(kept(first, first)).toBe(first);
});

it('keeps one in another phase as it is', () => {
  const waits = waiting(secondaryBase(BEGUN), { until: 9, why: 'turn' });
  const own = kept(BEGUN, WATCHING);
  expect(kept(own, waits)).toBe(waits);
  expect(kept(waits, WATCHING)).not.toBe(WATCHING);
  expect(kept(own, SERVING)).toEqual(SERVING);
  expect(own).toEqual(WATCHING);
});

/** Each property but role and phase is one of its own, so that none stands for another. */
function filledWithItsOwn(state: NodeState): NodeState {
  const { role, phase } = state;
  const others = Object.fromEntries(Object.keys(state).map((name) => [name, Symbol(name)]));
  return { ...others, role, phase } as unknown as NodeState; // only copied
}
