// What happened in a group, as people read it.
import { describe, expect, it } from 'vitest';
import { blockLines, followLines } from '../../../src/cli/render/events-text.ts';
import { PLAIN } from '../../../src/cli/render/plain.ts';
import { blocksOf } from '../../../src/cli/timeline/blocks.ts';
import { inOrder } from '../../../src/cli/timeline/event.ts';
import type { Takeover } from '../../../src/core/state.ts';
import type { GroupEvent } from '../../../src/cli/timeline/event.ts';
import { strand } from '../support/told.ts';

const at = new Date(2026, 2, 1, 12, 0, 0, 5);
const SERVER = { source: 'server', via: 'server', run: null, from: null, reason: null } as const;

describe('a timeline', () => {
  it('is a line for each event, with who tells it, and nothing that steers a terminal', () => {
    const events = [
      told('a', 'granted', { ...SERVER, epoch: 7 }),
      told('b', 'watching', { epoch: 7, reason: 'a\u001b[2J leads', durationMs: 1500 }),
    ];
    expect(blockLines(blocksOf(events), PLAIN, at)).toEqual([
      'epoch 7  a claimed the lease (what came of it is not known here)',
      '  12:00:00.005  a  granted   7         at the server',
      '  12:00:00.005  b  watching  7  1.5 s  a [2J leads',
    ]);
  });

  it('says of a claim that came to nothing that nobody led', () => {
    const events = [told('a', 'clearing', { epoch: 7 }), told('a', 'unwinding', { epoch: 7 })];
    expect(blockLines(blocksOf(events), PLAIN, at)[0]).toBe(
      'epoch 7  a claimed the lease and did not lead',
    );
  });

  it('has each change of primary in a block, with what it took', () => {
    const takeover: Takeover = {
      ...{ from: 'a', to: 'b', epoch: 2, reason: 'silence', gapMs: 8.13 },
      kind: 'failover',
    };
    const { events } = strand('b', [
      [0, 'acquiring', 1],
      [4, 'clearing', 2],
      [6, 'starting', 2],
      [9, 'serving', 2],
    ]);
    const measured = events.map((event) =>
      event.action === 'serving' ? { ...event, takeover } : event,
    );
    expect(blockLines(blocksOf(measured), PLAIN, at)[0]).toBe(
      'epoch 2  failover a → b, 8.1 ms without a workload ' +
        '(lease after 4 ms, start after 6 ms, led after 9 ms)',
    );
  });

  it('names one that leads again after itself as well', () => {
    const takeover: Takeover = {
      ...{ from: 'a', to: 'a', epoch: 2, reason: 'asked', gapMs: 6600 },
      kind: 'switchover',
    };
    const { events } = strand('a', [
      [0, 'starting', 2],
      [3, 'serving', 2],
    ]);
    const measured = events.map((event) =>
      event.action === 'serving' ? { ...event, takeover } : event,
    );
    expect(blockLines(blocksOf(measured), PLAIN, at)[0]).toMatch(
      /^epoch 2 {2}switchover a → a, 6\.6 s without a workload/,
    );
  });

  it('parts the blocks by an empty line', () => {
    const first = strand('a', [[0, 'clearing', 1]]);
    const second = strand('b', [[90, 'clearing', 2]]);
    const lines = blockLines(blocksOf(inOrder([first, second])), PLAIN, at);
    expect(lines.map((line) => line.slice(0, 7))).toEqual([
      ...['epoch 1', lines[1]?.slice(0, 7), '', 'epoch 2', lines[4]?.slice(0, 7)],
    ]);
  });
});

describe('an event that is followed', () => {
  it('says how long the phase before it was', () => {
    const event = told('b', 'acquiring', { from: 'watching', fromMs: 92_000, reason: 'lost' });
    expect(followLines(event, PLAIN, at)).toEqual([
      '12:00:00.005  b  acquiring   1  lost (watching for 1m 32s)',
    ]);
  });

  it('tells of a takeover in a line of its own, which says when and where like any other', () => {
    const takeover: Takeover = {
      ...{ from: 'a', to: 'b', epoch: 2, reason: 'asked', gapMs: 12.96 },
      kind: 'switchover',
    };
    const event = told('b', 'serving', { takeover });
    expect(followLines(event, PLAIN, at)[1]).toBe(
      '12:00:00.005  b  epoch 2  switchover a → b, 13 ms without a workload',
    );
  });
});

function told(node: string, action: string, change: Partial<GroupEvent>): GroupEvent {
  return {
    ...{
      time: at.toISOString(),
      node,
      source: 'node',
      action,
      epoch: 1,
      reason: 'so',
      via: 'node',
    },
    ...{ run: `run-${node}`, from: null, fromMs: null, durationMs: null, takeover: null },
    ...change,
  };
}
