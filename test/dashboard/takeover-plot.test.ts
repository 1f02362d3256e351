// The figures of the takeovers that the page draws; the drawing itself is looked at in a browser.
import { describe, expect, it } from 'vitest';
import { medianMs } from '../../src/dashboard/takeover-plot.ts';

const mark = (
  kind: string,
  gapMs: number | null,
  epoch: number,
): Parameters<typeof medianMs>[0][number] => ({
  at: epoch,
  takeover: { ...{ kind, from: 'a', to: 'b', epoch, reason: '' }, gapMs },
});

describe('the median of takeovers', () => {
  it.each([
    [[], null],
    [[7], 7],
    [[30, 88, 108, 40], 64],
    [[9, 1, 5], 5],
  ] as const)('of %j is %d', (gaps, expected) => {
    expect(medianMs(gaps.map((gapMs, index) => mark('failover', gapMs, index)))).toBe(expected);
  });

  it('is of the latest forty, and not of starts or of what was not measured', () => {
    const early = Array.from({ length: 60 }, (_, index) => mark('failover', 1000, index));
    const late = Array.from({ length: 40 }, (_, index) => mark('switchover', 10, 100 + index));
    const others = [mark('start', 5000, 300), mark('failover', null, 301)];
    expect(medianMs([...early, ...late, ...others])).toBe(10);
  });
});
