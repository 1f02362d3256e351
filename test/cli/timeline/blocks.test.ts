// The timeline in blocks: what belongs to one change of primary stands together, whoever tells it.
import { describe, expect, it } from 'vitest';
import { blocksOf, claimsIn } from '../../../src/cli/timeline/blocks.ts';
import { inOrder } from '../../../src/cli/timeline/event.ts';
import type { GroupEvent, Strand } from '../../../src/cli/timeline/event.ts';
import type { Takeover } from '../../../src/core/state.ts';
import { BEGIN, strand } from '../support/told.ts';

const A = strand('a', [
  [0, 'acquiring', 0],
  [4, 'clearing', 1],
  [6, 'starting', 1],
  [9, 'serving', 1],
]);
const C = strand('c', [
  [300, 'watching', 1],
  [60_050, 'watching', 2],
]);

/** `a` is lost after a minute, and `b` takes over. */
const FAILOVER = [
  A,
  strand('b', [
    [200, 'watching', 1],
    [60_000, 'suspecting', 1],
    [60_010, 'acquiring', 1],
    [60_012, 'clearing', 2],
    [60_013, 'starting', 2],
    [60_020, 'serving', 2],
  ]),
  C,
];

describe('a failover', () => {
  const events = withTakeover(inOrder(FAILOVER), 'b', 60_020);

  it('is one block: who was lost, who claimed, when the command ran, and the gap', () => {
    expect(claimsIn(events)[1]).toEqual({
      epoch: 2,
      kind: 'failover',
      from: 'a',
      by: 'b',
      source: 'node',
      reason: 'silence',
      noticedAt: after(60_000),
      grantedAt: after(60_012),
      startedAt: after(60_013),
      ledAt: after(60_020),
      gapMs: 12.5,
    });
    expect(shape(events)).toEqual([
      '1: a acquiring, a clearing, a starting, a serving, b watching, c watching',
      '2: b suspecting, b acquiring, b clearing, b starting, b serving, c watching',
    ]);
  });

  it('tells what it can where its figures are not known', () => {
    const [, claim] = claimsIn(inOrder(FAILOVER));
    expect(claim).toMatchObject({ kind: null, from: 'a', by: 'b', gapMs: null });
  });

  it('is told by a server alone where no node of it answers', () => {
    const about = { source: 'server', via: 'server', run: null, from: null } as const;
    const [granted] = strand('x', [[70_000, 'granted', 3]], about).events;
    const claims = claimsIn(
      inOrder([...FAILOVER, { key: 'server', events: granted ? [granted] : [] }]),
    );
    expect(claims.at(-1)).toMatchObject({ epoch: 3, by: 'x', source: 'server', ledAt: null });
  });
});

it('a switchover begins where the primary steps down', () => {
  const strands = [
    strand('a', [
      [9, 'serving', 1],
      [5_000, 'demoting', 1],
      [5_010, 'waiting', 1],
    ]),
    strand('b', [
      [200, 'watching', 1],
      [5_011, 'acquiring', 1],
      [5_013, 'clearing', 2],
      [5_020, 'serving', 2],
    ]),
  ];
  // It has been serving from before all that is told.
  const withGrant = [strand('a', [[4, 'clearing', 1]], { run: 'run-a0' }), ...strands];
  expect(claimsIn(inOrder(withGrant)).at(-1)).toMatchObject({
    kind: 'switchover',
    noticedAt: after(5_000),
    ledAt: after(5_020),
  });
});

it('a claim that came to nothing is a block of its own', () => {
  const b = strand('b', [
    [60_010, 'acquiring', 1],
    [60_012, 'clearing', 2],
    [60_013, 'unwinding', 2],
    [60_020, 'waiting', 2],
  ]);
  expect(claimsIn(inOrder([A, b]))[1]).toMatchObject({ epoch: 2, by: 'b', ledAt: null });
});

it('what came before the first known claim is a block without one', () => {
  expect(shape(inOrder([C]))).toEqual(['null: c watching, c watching']);
});

it('a long wait before a claim is not part of it, a turn that was left to others is', () => {
  const waiting = (forMs: number): Strand =>
    strand('b', [
      [10_000, 'waiting', 1],
      [10_000 + forMs, 'acquiring', 1],
      [10_002 + forMs, 'clearing', 2],
    ]);
  expect(claimsIn(inOrder([waiting(15)]))[0]?.noticedAt).toBe(after(10_000));
  expect(claimsIn(inOrder([waiting(60_000)]))[0]?.noticedAt).toBe(after(70_000));
});

it('is made of any events whatever, each in just one block', () => {
  const odd = inOrder([A, C, strand('d', [[1, 'clearing', 9]]), strand('e', [[0, 'serving', 2]])]);
  expect(blocksOf(odd).flatMap((block) => block.events)).toEqual(odd);
  expect(blocksOf([])).toEqual([]);
});

function after(ms: number): string {
  return new Date(BEGIN + ms).toISOString();
}

function shape(events: readonly GroupEvent[]): readonly string[] {
  return blocksOf(events).map(({ claim, events: own }) => {
    return `${String(claim?.epoch ?? null)}: ${own.map(({ node, action }) => `${node} ${action}`).join(', ')}`;
  });
}

function withTakeover(events: readonly GroupEvent[], to: string, ms: number): GroupEvent[] {
  const figures = { from: 'a', to, epoch: 2, reason: 'silence', gapMs: 12.5 };
  const takeover: Takeover = { ...figures, kind: 'failover' };
  return events.map((event) => {
    const isIt = event.node === to && event.time === after(ms);
    return isIt ? { ...event, takeover } : event;
  });
}
