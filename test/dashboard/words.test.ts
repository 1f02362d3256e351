// What the words of transitions mean for the colours of a node.
import { describe, expect, it } from 'vitest';
import { lanesOf } from '../../src/dashboard/history.ts';
import type { TransitionView } from '../../src/dashboard/wire.ts';
import type { Kind } from '../../src/dashboard/words.ts';
import { STORE_ACTIONS } from '../../src/lease/remote-store.ts';

const AT = Date.parse('2026-03-01T12:00:00.000Z');

/** Null: nothing is drawn for it. */
const MEANT: Readonly<Record<(typeof STORE_ACTIONS)[number], Kind | null>> = {
  ...{ joined: 'secondary', left: null, granted: 'primary', advanced: 'primary' },
  ...{ released: 'secondary', completed: null, paused: null, resumed: null },
};

function noted(to: string, second: number): TransitionView {
  const about = { group: 'g', node: 'far', run: null, from: null, role: null, epoch: 1 };
  const time = new Date(AT + second * 1000).toISOString();
  return { ...about, time, to, reason: null, takeover: null, source: 'server' };
}

describe('what a server of leases notes', () => {
  it.each(STORE_ACTIONS)('is drawn as what the node is from then on: %s', (action) => {
    const [lane] = lanesOf({ nodes: [] }, [noted(action, 0), noted('left', 5)], AT);
    const kinds = (lane?.spans ?? []).filter(({ from, to }) => to > from).map(({ kind }) => kind);
    expect(kinds).toEqual(MEANT[action] === null ? [] : [MEANT[action]]);
  });

  it('is no end of what the node was where it is about something else', () => {
    const words = ['granted', 'completed', 'paused', 'resumed', 'released', 'left'];
    const [lane] = lanesOf({ nodes: [] }, words.map(noted), AT);
    expect(lane?.spans.map(({ kind, from, to }) => [kind, (to - from) / 1000])).toEqual([
      ['primary', 4],
      ['secondary', 1],
    ]);
  });
});
