// When faults strike: nothing on a machine ends while all of it stands still.
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS } from '../../src/simulation/faults.ts';
import type { Fault } from '../../src/simulation/faults.ts';
import { drawPlan } from '../../src/simulation/plan.ts';
import { play } from '../../src/simulation/play.ts';

const TROUBLE_MS = 4_000;

const FREEZE: Fault = { atMs: 2_000, kind: 'freeze', node: 0, forMs: 300 };

/** When the faults of one node struck, ms. */
function strikes(faults: readonly Fault[]): readonly string[] {
  const drawn = drawPlan({ seed: 1, nodes: 1, lease: 'timed', kinds: FAULT_KINDS });
  const lines: string[] = [];
  const tell = (atMs: number, line: string): void => {
    if (line.startsWith('fault: ')) lines.push(`${String(atMs)} ${line}`);
  };
  const { violation } = play({ ...drawn, troubleMs: TROUBLE_MS, faults }, { tell });
  expect(violation).toBeNull();
  return lines;
}

describe('a machine that stands still', () => {
  it.each(['crash', 'workload-crash', 'workload-stop', 'guard-crash'] as const)(
    'has no %s before it goes on',
    (kind) => {
      expect(strikes([FREEZE, { atMs: 2_100, kind, node: 0, forMs: 50 }])).toEqual([
        '2000 fault: freeze a for 300 ms',
        `2300 fault: ${kind} a for 50 ms`,
      ]);
    },
  );

  it('is cut off all the same', () => {
    const cut: Fault = { atMs: 2_100, kind: 'store-cut', node: 0, forMs: 50 };
    expect(strikes([FREEZE, cut]).at(-1)).toBe('2100 fault: store-cut a for 50 ms');
  });

  it('has none of that once the trouble is over', () => {
    const long = { ...FREEZE, forMs: TROUBLE_MS };
    const late: Fault = { atMs: 2_100, kind: 'crash', node: 0, forMs: 1 };
    expect(strikes([long, late])).toEqual(['2000 fault: freeze a for 4000 ms']);
  });
});
