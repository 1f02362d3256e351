// A timeline that is followed: each event once and in order, whoever comes and goes.
import { describe, expect, it } from 'vitest';
import { Follower } from '../../../src/cli/timeline/follower.ts';
import type { GroupEvent, Strand } from '../../../src/cli/timeline/event.ts';
import { BEGIN, strand } from '../support/told.ts';

describe('the follower', () => {
  it('tells each event once', () => {
    const follower = new Follower();
    const first = strand('a', [[1, 'watching', 1]]);
    const second = strand('a', [
      [1, 'watching', 1],
      [5, 'acquiring', 1],
    ]);
    expect(told(follower, [first], 10)).toEqual(['a watching']);
    expect(told(follower, [second], 20)).toEqual(['a acquiring']);
    expect(told(follower, [second], 30)).toEqual([]);
  });

  it('leaves what came after the question for the next time: others may tell what came before', () => {
    const follower = new Follower();
    const a = strand('a', [[12, 'serving', 2]]);
    expect(told(follower, [a], 10)).toEqual([]);
    const b = strand('b', [[11, 'watching', 2]]);
    expect(told(follower, [a, b], 20)).toEqual(['b watching', 'a serving']);
  });

  it('goes on where the beginning has been forgotten meanwhile', () => {
    const follower = new Follower();
    told(follower, [strand('a', [[1, 'watching', 1]])], 10);
    const rest = strand('a', [
      [0, 'listening', 1],
      [7, 'acquiring', 1],
      [9, 'serving', 2],
    ]);
    expect(told(follower, [rest], 20)).toEqual(['a acquiring', 'a serving']);
  });

  it('knows an event again in the journal, which has a time of its own beside it', () => {
    const follower = new Follower();
    told(follower, [strand('a', [[1, 'watching', 1]])], 10);
    const journal = strand(
      'a',
      [
        [3, 'watching', 1],
        [8, 'stopping', 1],
      ],
      { via: 'journal' },
    );
    expect(told(follower, [journal], 20)).toEqual(['a stopping']);
  });

  it('tells two events of one kind, however soon the second comes', () => {
    const follower = new Follower();
    const one = strand('a', [[1, 'serving', 1]], { from: 'serving' });
    const two = strand(
      'a',
      [
        [1, 'serving', 1],
        [4, 'serving', 1],
      ],
      { from: 'serving' },
    );
    expect(told(follower, [one], 2)).toEqual(['a serving']);
    expect(told(follower, [two], 10)).toEqual(['a serving']);
  });

  it('loses no event of a node whose clock is set back', () => {
    const follower = new Follower();
    const a = strand('a', [
      [5, 'acquiring', 1],
      [60, 'starting', 2],
      [8, 'serving', 2],
    ]);
    expect(told(follower, [a], 10)).toEqual(['a acquiring', 'a starting', 'a serving']);
    expect(told(follower, [a], 70)).toEqual([]);
  });

  it('keeps the order of each node among those of others, whatever their clocks say', () => {
    const a = strand('a', [
      [9, 'starting', 2],
      [3, 'serving', 2],
    ]);
    const b = strand('b', [[5, 'watching', 2]]);
    expect(told(new Follower(), [a, b], 10)).toEqual(['b watching', 'a starting', 'a serving']);
  });

  it('does not wait for the clock of a server', () => {
    const about = { via: 'server', source: 'server', run: 'server' } as const;
    const server = strand('x', [[60_000, 'granted', 3]], about);
    expect(told(new Follower(), [server], 10)).toEqual(['x granted']);
  });

  it('knows again what another peer tells, which has dated it by its own clock', () => {
    const follower = new Follower();
    const about = { via: 'server', source: 'server', run: 'server', from: null } as const;
    expect(told(follower, [strand('x', [[0, 'granted', 3]], about)], 10)).toEqual(['x granted']);
    const other = strand(
      'x',
      [
        [400, 'granted', 3],
        [900, 'released', 3],
      ],
      about,
    );
    expect(told(follower, [other], 1_000)).toEqual(['x released']);
    const server = { ...about, reason: null };
    const one = strand('y', [[0, 'granted', 3]], server);
    const two = strand('y', [[400, 'granted', 3]], server);
    const ofServer = new Follower();
    expect([one, two].map((events) => told(ofServer, [events], 10))).toEqual([
      ['y granted'],
      ['y granted'],
    ]);
  });

  it('forgets the runs of which nothing is left', () => {
    const follower = new Follower();
    const a = strand('a', [[1, 'watching', 1]]);
    told(follower, [a], 10);
    follower.keep(new Set(['run-b']));
    expect(told(follower, [a], 20)).toEqual(['a watching']);
  });
});

function told(follower: Follower, strands: readonly Strand[], untilMs: number): readonly string[] {
  return follower
    .take(strands, BEGIN + untilMs)
    .map(({ node, action }: GroupEvent) => `${node} ${action}`);
}
