// Who is said to lead next, where those that stand by are on other machines.
import { describe, expect, it } from 'vitest';
import { isElsewhere, nextOf } from '../../src/dashboard/successors.ts';
import type { NodeView } from '../../src/dashboard/wire.ts';

function node(id: string, role: string, state: string = role): NodeView {
  // Of a node nothing else is looked at here.
  return { id, role, state } as NodeView;
}

describe('who leads next', () => {
  it.each([
    [['b'], [node('a', 'primary'), node('c', 'secondary', 'elsewhere')], 'b'],
    [[], [node('a', 'primary'), node('c', 'secondary', 'elsewhere')], 'c, elsewhere'],
    [
      [],
      [node('b', 'secondary', 'elsewhere'), node('c', 'secondary', 'elsewhere')],
      'b or c, elsewhere',
    ],
    [[], [node('a', 'primary', 'elsewhere'), node('b', 'secondary')], null],
  ])('of %j', (succession, nodes, expected) => {
    expect(nextOf({ succession, nodes })).toBe(expected);
  });
});

it('knows which nodes are not reached from here', () => {
  const nodes = [node('a', 'primary', 'elsewhere'), node('b', 'secondary')];
  expect(['a', 'b', 'c'].map((id) => isElsewhere({ nodes }, id))).toEqual([true, false, false]);
});
