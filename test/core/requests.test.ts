// Requests wait until their outcome is known, and each is answered once.
import { describe, expect, it } from 'vitest';
import type { Effect } from '../../src/core/effect.ts';
import { move, stay } from '../../src/core/outcome.ts';
import { settleRequests, withRequest } from '../../src/core/requests.ts';
import { REQUEST_LIMIT } from '../../src/core/settings.ts';
import type { NodeState } from '../../src/core/state.ts';
import type { PendingRequest } from '../../src/core/state-parts.ts';
import { parseScenarios, replay } from '../support/core-replay.ts';

const waiting: readonly PendingRequest[] = [
  { id: 'p', kind: 'promote' },
  { id: 'd', kind: 'demote' },
  { id: 'c', kind: 'check' },
];

/** Where a node stands after a scene, with one request of each kind. */
function withRequests(...script: readonly string[]): NodeState {
  const [scenario] = parseScenarios(['== a test', ...script].join('\n'));
  if (scenario === undefined) throw new Error('there is no scenario');
  return { ...replay(scenario).state, requests: waiting };
}

function answersOf(state: NodeState): readonly string[] {
  // Which row it was does not matter here, only that there was one.
  const { effects, state: after } = settleRequests(move('found-primary', { state }), 'a reason');
  const answered = effects.flatMap((effect: Effect) =>
    effect.type === 'answer'
      ? [`${effect.requestId} ${effect.outcome.ok ? 'ok' : effect.outcome.code}`]
      : [],
  );
  return [...answered, ...after.requests.map(({ id }) => `${id} waits`)];
}

const paused = ['at 0 started', 'at 0 lease-observed paused'];

describe('settleRequests', () => {
  it.each([
    ['serving', withRequests('given serving'), ['p ok', 'c ok', 'd waits']],
    ['watching', withRequests('given following'), ['p FAILOVER_PROMOTION_FAILED', 'd ok', 'c ok']],
    [
      'waiting, not willing',
      withRequests(...paused),
      ['p FAILOVER_PROMOTION_FAILED', 'd ok', 'c FAILOVER_NO_PRIMARY'],
    ],
    [
      'waiting for its turn',
      withRequests('given following succession=c,b', 'at 1 connection-lost'),
      ['d ok', 'p waits', 'c waits'],
    ],
    ['suspecting', withRequests('given following', 'until 2001'), ['d ok', 'p waits', 'c waits']],
    [
      'acquiring',
      withRequests('given following', 'at 1 connection-lost'),
      ['p waits', 'd waits', 'c waits'],
    ],
    [
      'demoting',
      withRequests('given serving', 'at 1 lease-lost'),
      ['p waits', 'd waits', 'c waits'],
    ],
    [
      'stopping',
      withRequests('given following', 'at 1 stop-requested'),
      ['p FAILOVER_REFUSED', 'd ok', 'c FAILOVER_REFUSED'],
    ],
  ])('%s', (_, state, expected) => {
    expect([...answersOf(state)].sort()).toEqual([...expected].sort());
  });

  it('answers nothing while the phase does not change', () => {
    const state = withRequests('given following');
    expect(settleRequests(stay(state), 'a reason').effects).toEqual([]);
  });
});

describe('withRequest', () => {
  it('takes as many as the limit, and no more', () => {
    let state: NodeState | null = { ...withRequests('given following'), requests: [] };
    for (let i = 0; i < REQUEST_LIMIT; i += 1) {
      state = withRequest(state, { id: String(i), kind: 'check' });
      if (state === null) throw new Error('refused too early');
    }
    expect(withRequest(state, { id: 'more', kind: 'check' })).toBeNull();
  });
});
