// What the page makes of transitions: who was what from when to when, and each takeover once.
import { describe, expect, it } from 'vitest';
import { lanesOf, takeoversOf } from '../../src/dashboard/history.ts';
import { Model } from '../../src/dashboard/model.ts';
import type {
  GroupView,
  NodeView,
  TakeoverView,
  TransitionView,
} from '../../src/dashboard/wire.ts';
import { kindOf, shownAge, shownMs } from '../../src/dashboard/words.ts';
import { groupStatusOf } from '../../src/cli/group-status.ts';
import type { Role } from '../../src/core/state.ts';
import { ROLE_OF_PHASE } from '../../src/core/phases.ts';
import { healthyGroup } from '../cli/support/snapshot.ts';

const STATUS: GroupView = groupStatusOf(healthyGroup());

const START = Date.parse('2026-03-01T12:00:00.000Z');

function went(
  node: string,
  second: number,
  to: string,
  takeover: TakeoverView | null = null,
): TransitionView {
  const time = new Date(START + second * 1000).toISOString();
  const about = { group: 'web', node, run: `r-${node}`, time, from: null, to, role: null };
  return { ...about, epoch: takeover?.epoch ?? 0, reason: null, takeover, source: 'node' };
}

function tookOver(from: string | null, to: string, epoch: number, gapMs: number): TakeoverView {
  return { kind: from === null ? 'start' : 'failover', from, to, epoch, reason: 'lost', gapMs };
}

/** `a: primary 1-5` for each span, in seconds. */
function worded(ids: readonly string[], transitions: readonly TransitionView[]): readonly string[] {
  const [any] = STATUS.nodes;
  if (any === undefined) throw new Error('there is no node');
  const nodes = ids.map((id): NodeView => ({ ...any, id, since: null }));
  const second = (time: number): string => String((time - START) / 1000);
  return lanesOf({ nodes }, transitions, START + 60_000).flatMap(({ node, spans }) =>
    spans.map(({ kind, from, to }) => `${node}: ${kind} ${second(from)}-${second(to)}`),
  );
}

describe('the past of a group', () => {
  it('is what each node was, until now for those that live', () => {
    const transitions = [
      went('b', 2, 'watching'),
      went('a', 1, 'starting'),
      went('a', 3, 'serving'),
    ];
    expect(worded(['a', 'b'], transitions)).toEqual([
      ...['a: candidate 1-3', 'a: primary 3-60', 'b: secondary 2-60'],
    ]);
  });

  it('ends for one that was killed when it was lost, and not when that was seen', () => {
    const transitions = [
      ...[went('a', 1, 'serving'), went('b', 2, 'watching')],
      ...[went('b', 20.5, 'serving', tookOver('a', 'b', 2, 500)), went('a', 22, 'gone')],
    ];
    expect(worded(['b'], transitions)).toEqual([
      ...['a: primary 1-20', 'b: secondary 2-20.5', 'b: primary 20.5-60'],
    ]);
  });

  it('has those that were lost before anybody followed, by what their successors tell', () => {
    const transitions = [
      went('b', 5, 'serving', tookOver(null, 'b', 1, 0)),
      went('c', 20, 'serving', tookOver('b', 'c', 2, 1000)),
      went('c', 30, 'watching'),
    ].slice(1);
    expect(worded(['c'], transitions)).toEqual([
      ...['b: primary 19-19', 'c: primary 20-30', 'c: secondary 30-60'],
    ]);
  });

  it('has each takeover once, whoever tells of it', () => {
    const one = tookOver('a', 'b', 2, 8);
    const marks = takeoversOf([
      went('b', 9, 'serving', one),
      went('c', 10, 'watching', one),
      went('b', 3, 'x'),
    ]);
    expect(marks).toEqual([{ at: START + 9000, takeover: one }]);
  });
});

describe('the page', () => {
  it('knows a colour for every phase of a node, by its role', () => {
    const kinds: Readonly<Record<Role, readonly string[]>> = {
      ...{ primary: ['primary'], candidate: ['candidate'], stopped: ['ended'] },
      secondary: ['secondary', 'doubt'],
    };
    for (const [phase, role] of Object.entries(ROLE_OF_PHASE)) {
      expect(kinds[role]).toContain(kindOf(phase));
    }
  });

  it('takes what it is told twice once, and forgets groups that have gone', () => {
    const model = new Model();
    model.setNames(['web', 'more']);
    expect([went('a', 1, 'x'), went('a', 1, 'x')].map((one) => model.addTransition(one))).toEqual([
      true,
      false,
    ]);
    model.setStatus(STATUS);
    model.addPulse({
      group: 'web',
      nodes: [{ id: 'b', lastHeartbeatMs: 7, latenessMs: 1, uptimeMs: 2 }],
    });
    const b = model.group('web')?.status?.nodes.find(({ id }) => id === 'b');
    expect(b).toMatchObject({ lastHeartbeatMs: 7, latenessMs: 1, uptimeMs: 2, role: 'secondary' });
    model.setNames(['more']);
    expect(model.groups.map(({ name }) => name)).toEqual(['more']);
  });

  it.each([
    [8.13, '8.1 ms'],
    [230, '230 ms'],
    [1230, '1.2 s'],
    [13_000, '13 s'],
    [180_000, '3 min'],
  ])('shows %d ms as %s', (ms, text) => {
    expect(shownMs(ms)).toBe(text);
  });

  it('shows how long something has gone on in one unit', () => {
    expect([500, 59_999, 60_000, 7_200_000, 200_000_000].map(shownAge)).toEqual([
      ...['0 s', '59 s', '1 min', '2 h', '2 d'],
    ]);
  });
});
