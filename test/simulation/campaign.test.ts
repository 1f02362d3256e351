// The real core over fixed seeds: every promise holds, and the same seed is the same run.
import { describe, expect, it } from 'vitest';
import { kept } from '../../src/core/copy.ts';
import type { NodeState } from '../../src/core/state.ts';
import { transition } from '../../src/core/transition.ts';
import { Campaign } from '../../src/simulation/campaign.ts';
import type { CampaignOptions } from '../../src/simulation/campaign.ts';
import { FAULT_KINDS } from '../../src/simulation/faults.ts';
import { isPossible } from '../../src/simulation/plan.ts';
import { shrink } from '../../src/simulation/shrink.ts';
import type { Decide } from '../../src/simulation/world.ts';

/** More on request, for whoever looks for trouble: SIMULATION_STEPS=10000000. */
const STEPS = Number(process.env['SIMULATION_STEPS'] ?? 150_000);

function campaign(changes: Partial<CampaignOptions> = {}): Campaign {
  const made = new Campaign({ seed: 1, steps: 5_000, nodes: null, kinds: FAULT_KINDS, ...changes });
  while (!made.isOver) made.run();
  return made;
}

describe('the core under simulation', () => {
  it('keeps every promise', { timeout: 20_000 + STEPS }, () => {
    const { failure, totals } = campaign({ steps: STEPS });
    expect(failure?.violation).toBeUndefined();
    // Neither idle nor spared: workloads are started and supervisors fenced all the time.
    expect(totals.activations).toBeGreaterThan(STEPS / 1_000);
    expect(totals.fences).toBeGreaterThan(0);
    const possible = FAULT_KINDS.filter((kind) => isPossible(kind, { nodes: 5, lease: 'file' }));
    expect(Object.keys(totals.faults).sort()).toEqual([...possible].sort());
  });

  it(
    'keeps every promise with a lease that has a time to live',
    { timeout: 20_000 + STEPS },
    () => {
      const { failure, totals } = campaign({ steps: STEPS, lease: 'timed' });
      expect(failure?.violation).toBeUndefined();
      expect(totals.activations).toBeGreaterThan(STEPS / 1_000);
      const possible = FAULT_KINDS.filter((kind) => isPossible(kind, { nodes: 5, lease: 'timed' }));
      expect(Object.keys(totals.faults).sort()).toEqual([...possible].sort());
    },
  );

  it('keeps every promise where nothing goes wrong but a crash', () => {
    const { failure, totals } = campaign({ kinds: ['crash'] });
    expect(failure?.violation).toBeUndefined();
    expect(totals.activations).toBeGreaterThan(totals.runs);
  });

  it('goes on alone', () => {
    expect(campaign({ nodes: 1 }).failure?.violation).toBeUndefined();
  });

  it('is the same for the same seed, and another for another', () => {
    const { digest } = campaign({ kinds: FAULT_KINDS, steps: 20_000 }).totals;
    expect(campaign({ kinds: FAULT_KINDS, steps: 20_000 }).totals.digest).toBe(digest);
    expect(campaign({ kinds: FAULT_KINDS, steps: 20_000, seed: 7 }).totals.digest).not.toBe(digest);
  });

  it.each(['file', 'timed'] as const)(
    'decides the same on a state that is kept in one object (%s)',
    { timeout: 60_000 },
    (lease) => {
      const { digest } = campaign({ steps: 40_000, lease }).totals;
      expect(campaign({ steps: 40_000, lease, transition: onKeptStates() }).totals.digest).toBe(
        digest,
      );
    },
  );

  it('reports a core that throws like any other that breaks, with its seed and a shorter run', () => {
    const fumbling: Decide = (before, event, settings) => {
      if (event.type === 'workload-ended') throw new TypeError('no such field');
      return transition(before, event, settings);
    };
    const { failure } = campaign({ kinds: ['workload-crash', 'loss'], transition: fumbling });
    expect(failure?.violation.promise).toBe('core');
    expect(failure?.violation.what).toMatch(/ on workload-ended: TypeError: no such field$/);
    if (failure === null) return;
    const { faults } = shrink(failure.plan, { transition: fumbling });
    expect(faults.map(({ kind }) => kind)).not.toContain('loss');
  });

  it('ends with the run that makes the steps full', () => {
    const { totals } = campaign({ steps: 1 });
    expect(totals.runs).toBe(1);
    expect(totals.steps).toBeGreaterThan(10);
  });
});

/** As a node has it: each step is decided on the object that the last one was put into. */
function onKeptStates(): Decide {
  const keptFor = new WeakMap<NodeState, NodeState>();
  return (before, event, settings) => {
    const own = keptFor.get(before) ?? before;
    const next = transition(own, event, settings);
    const told = { ...next.state };
    keptFor.set(told, kept(own, next.state));
    return { ...next, state: told };
  };
}
