// The memory of records that somebody may remove.
import { expect, it } from 'vitest';
import type { NodeRecord } from '../../src/lease/lease-store.ts';
import { KnownNodes } from '../../src/runtime/known-nodes.ts';

function recordOf(run: string, node = 'a'): NodeRecord {
  // Nothing else of it is looked at.
  return { run, node } as unknown as NodeRecord;
}

it('a record that is removed is known still, as it was last', () => {
  const known = new KnownNodes();
  known.with([recordOf('r1'), recordOf('r2')]);
  known.with([recordOf('r1', 'b'), recordOf('r2')]);
  expect(known.with([recordOf('r2')])).toStrictEqual([recordOf('r1', 'b'), recordOf('r2')]);
});

it('what was looked after is forgotten', () => {
  const known = new KnownNodes();
  known.with([recordOf('r1'), recordOf('r2')]);
  known.forget(new Set(['r1']));
  expect(known.with([])).toStrictEqual([recordOf('r2')]);
});

it('it is bounded, and what was not seen for longest is dropped', () => {
  const known = new KnownNodes();
  known.with([recordOf('lasting')]);
  for (let run = 0; run < 1_000; run += 1) {
    known.with([recordOf('lasting'), recordOf(String(run))]);
  }
  const runs = known.with([]).map(({ run }) => run);
  expect(runs).toHaveLength(256);
  expect([runs.includes('lasting'), runs.includes('999'), runs.includes('0')]).toStrictEqual([
    ...[true, true, false],
  ]);
});
