// Bounds are sums of settings and predictions, and of nothing else.
import { describe, expect, it } from 'vitest';
import { MACHINE_MS, boundOf } from '../../../src/cli/drill/bounds.ts';
import { drilled, sceneWith } from '../support/drilled.ts';

const setup = { stopGraceMs: 2_000, fenceGraceMs: 1_000, demoteTimeoutMs: 700, drainMs: 300 };
const group = sceneWith(drilled('a', { setup }), drilled('b', { setup, crashMs: 8.5 }));

describe('the bound', () => {
  it('of a crash is the longer grace of who takes over, and the start', () => {
    expect(boundOf('crash', group)?.ms).toBe(2_000 + 8.5 + MACHINE_MS);
    const patient = drilled('b', { setup: { ...setup, fenceGraceMs: 5_000 }, crashMs: null });
    expect(boundOf('crash', sceneWith(drilled('a'), patient))?.ms).toBe(5_000 + MACHINE_MS);
  });

  it('of a hang is what the next in succession predicts, and the start', () => {
    expect(boundOf('hang', group)?.ms).toBe(13_000 + 8.5 + MACHINE_MS);
    expect(boundOf('hang', sceneWith(drilled('a'), drilled('b', { hangMs: null })))).toBeNull();
  });

  it('of a restart in place is that of the node itself', () => {
    expect(boundOf('workload-crash', group)?.ms).toBe(2_000 + 9 + MACHINE_MS);
  });

  it('of a hot workload is the longer of both ways, out and in place', () => {
    const hot = { standby: 'hot', setup: { ...setup, hasDemoteCommand: true } } as const;
    const both = sceneWith(drilled('a', hot), drilled('b', hot));
    expect(boundOf('workload-crash', both)?.ms).toBe(700 + 2_000 + 9 + MACHINE_MS);
    const fenced = { standby: 'hot', setup: { ...setup, fenceGraceMs: 9_000 } } as const;
    const patient = sceneWith(drilled('a', fenced), drilled('b', fenced));
    expect(boundOf('workload-crash', patient)?.ms).toBe(9_000 + 9 + MACHINE_MS);
  });

  it('of a switchover counts the drain as well', () => {
    expect(boundOf('switchover', group)?.ms).toBe(300 + 2_000 + 8.5 + MACHINE_MS);
    expect(boundOf('switchover', group)?.why).toBe(
      'drain 300ms + stop grace 2s + start 8.5 ms + the machine 250ms',
    );
  });

  it('of a starved machine is none: nothing may change', () => {
    expect(boundOf('starve', group)).toBeNull();
  });
});
