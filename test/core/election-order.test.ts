// Who goes first when the primary is gone.
import { describe, expect, it } from 'vitest';
import {
  rankAmong,
  rankOf,
  recentStandbys,
  successionOf,
  turnDelayMs,
  unwillingBecause,
  withStandby,
} from '../../src/core/election-order.ts';
import {
  CLAIM_RETRIES,
  CLAIM_RETRY_MS,
  PRIORITY_STEP_MS,
  SUCCESSION_LIMIT,
} from '../../src/core/settings.ts';
import { initialState } from '../../src/core/state.ts';
import type { KnownStandby, NodeState, Peer } from '../../src/core/state.ts';
import type { Loss } from '../../src/core/state-parts.ts';
import { holderNamed } from '../support/core-events.ts';
import { DEFAULT_SETTINGS, settingsWith } from '../support/core-settings.ts';

function standby(node: string, changes: Partial<KnownStandby> = {}): KnownStandby {
  const base = { node, run: `${node}1`, willing: true, priority: 100, standby: 'cold' } as const;
  return { ...base, version: '1.0.0', standingByMs: 1_000, heardAt: 0, ...changes };
}

function following(succession: readonly string[]): NodeState {
  const unknown = { version: null, standing: null, health: null };
  const primary = { ...holderNamed('a'), epoch: 3, succession, ...unknown };
  const state = initialState(0, 1);
  if (state.role !== 'secondary') throw new Error('a node begins as a secondary');
  return { ...state, primary };
}

describe('successionOf', () => {
  it.each([
    [
      'who has stood by longest goes first',
      [standby('b'), standby('c', { standingByMs: 5_000 })],
      ['c', 'b'],
    ],
    [
      'the unwilling go last',
      [standby('b', { willing: false, standingByMs: 9_000 }), standby('c')],
      ['c', 'b'],
    ],
    ['the id decides between equals', [standby('d'), standby('c')], ['c', 'd']],
    [
      'what was heard at other times is compared',
      [standby('b', { heardAt: 500, standingByMs: 1_200 }), standby('c')],
      ['c', 'b'],
    ],
    ['nobody', [], []],
  ] as const)('%s', (_, standbys, expected) => {
    expect(successionOf(standbys, 1_000, DEFAULT_SETTINGS)).toEqual(expected);
  });
});

describe('withStandby', () => {
  it('keeps one entry for each node', () => {
    const twice = withStandby([standby('b'), standby('c')], standby('b', { willing: false }), 50);
    expect(twice.map(({ node, willing }) => [node, willing])).toEqual([
      ['c', true],
      ['b', false],
    ]);
  });

  it('forgets who was not heard for longest when there are too many', () => {
    let standbys: readonly KnownStandby[] = [];
    for (let i = 0; i <= SUCCESSION_LIMIT; i += 1) {
      standbys = withStandby(standbys, standby(`n${String(i)}`), i);
    }
    expect(standbys).toHaveLength(SUCCESSION_LIMIT);
    expect(standbys[0]?.node).toBe('n1');
  });
});

describe('recentStandbys', () => {
  it('leaves out who was silent for three probe intervals and a probe', () => {
    const known = [standby('b', { heardAt: 0 }), standby('c', { heardAt: 1 })];
    const names = (at: number): readonly string[] =>
      recentStandbys(known, at, DEFAULT_SETTINGS).map(({ node }) => node);
    expect(names(15_500)).toEqual(['b', 'c']);
    expect(names(15_501)).toEqual(['c']);
  });
});

describe('successionOf by priority', () => {
  it('has the lower id first of equal ones, however long the others have stood by', () => {
    const standbys = [
      { ...standby('c', { standingByMs: 9_000 }), heardAt: 1_000 },
      { ...standby('b', { standingByMs: 10 }), heardAt: 1_000 },
      { ...standby('d', { priority: 50 }), heardAt: 1_000 },
    ];
    expect(successionOf(standbys, 1_000, { strategy: 'priority' })).toEqual(['d', 'b', 'c']);
  });
});

describe('the wait for a better node by its rank', () => {
  it('is longer than its claims take while the lost primary is still closing its files', () => {
    const pauses = Array.from({ length: CLAIM_RETRIES }, (_, i) => CLAIM_RETRY_MS * 2 ** i);
    expect(PRIORITY_STEP_MS).toBeGreaterThan(pauses.reduce((sum, ms) => sum + ms, 0));
  });
});

describe('rankAmong', () => {
  const peer = (node: string, priority: number): Peer => ({
    ...{ node, run: `${node}1`, priority, seenAgoMs: 0 },
  });

  it('is bounded, however many are better', () => {
    const peers = Array.from({ length: 50 }, (_, i) => peer(`a${String(i)}`, 1));
    expect(rankAmong(peers, DEFAULT_SETTINGS)).toBe(10);
  });

  it('counts a better node once, also when an earlier life of it is still on record', () => {
    const earlier = { ...peer('a', 50), run: 'a0' };
    expect(rankAmong([earlier, peer('a', 50), peer('a2', 60)], DEFAULT_SETTINGS)).toBe(2);
  });

  it('does not count an earlier life of this node that is still on record', () => {
    const earlier = { ...peer('b', 50), run: 'b0' };
    expect(rankAmong([earlier, peer('b', 100)], DEFAULT_SETTINGS)).toBe(0);
  });
});

describe('rankOf and turnDelayMs', () => {
  it.each([
    ['first', ['b', 'c'], 0, 0],
    ['third', ['c', 'd', 'b'], 2, 10],
    ['behind everybody when not listed', ['c', 'd'], 2, 10],
    ['first when nobody is listed', [], 0, 0],
  ] as const)('%s', (_, succession, rank, delayMs) => {
    expect(rankOf(following(succession), DEFAULT_SETTINGS)).toBe(rank);
    expect(turnDelayMs(following(succession), DEFAULT_SETTINGS)).toBe(delayMs);
  });

  it('is first without a primary', () => {
    expect(rankOf(initialState(0, 1), DEFAULT_SETTINGS)).toBe(0);
  });
});

describe('unwillingBecause', () => {
  it.each([
    ['is willing', {}, null],
    ['disabled', { enabled: false }, 'it is barred from leading'],
    ['paused', { paused: true }, 'the group is paused'],
    ['held off', { heldOffUntil: 1_500 }, 'it holds off for 1.5 s'],
    [
      'held off after its own term',
      { heldOffUntil: 1_500, loss: lossOf(DEFAULT_SETTINGS.nodeId) },
      'it holds off for 1.5 s (b stepped down: exit code 3)',
    ],
    [
      'held off, after that of another',
      { heldOffUntil: 1_500, loss: lossOf('z') },
      'it holds off for 1.5 s',
    ],
    [
      'demoted while the group is paused',
      { paused: true, heldOffUntilEpochAbove: 3, epochFloor: 3 },
      'it was demoted and waits until another node has led',
    ],
    ['a hold that is over', { heldOffUntil: 0 }, null],
    [
      'waits until another node has led',
      { heldOffUntilEpochAbove: 3, epochFloor: 3 },
      'it was demoted and waits until another node has led',
    ],
    ['another has led', { heldOffUntilEpochAbove: 3, epochFloor: 4 }, null],
  ] as const)('%s', (_, changes, expected) => {
    expect(unwillingBecause({ ...initialState(0, 1), ...changes }, DEFAULT_SETTINGS)).toBe(
      expected,
    );
  });

  it('is unwilling while its hot standby does not run', () => {
    const hot = settingsWith({ standby: 'hot' });
    expect(unwillingBecause(initialState(0, 1), hot)).toBe('its hot standby is not running');
    expect(unwillingBecause({ ...initialState(0, 1), armed: true }, hot)).toBeNull();
  });
});

function lossOf(from: string): Loss {
  return { kind: 'failover', reason: 'b stepped down: exit code 3', at: 0, from };
}
