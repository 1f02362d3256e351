// Scenes of a drill, made up: a leads, and the others would take over in their order.
import type { Scene, SceneNode } from '../../../src/cli/drill/scene.ts';
import type { Outcome } from '../../../src/cli/drill/verdict.ts';
import type { NodeSetup } from '../../../src/runtime/node-setup.ts';
import { record, setupWith } from './snapshot.ts';

export interface DrilledSetup extends Partial<Omit<SceneNode, 'setup'>> {
  readonly setup?: Partial<NodeSetup>;
}

export function drilled(id: string, { setup, ...change }: DrilledSetup = {}): SceneNode {
  const own = record(id);
  return {
    id,
    run: own.run,
    version: '0.1.0',
    standby: 'cold',
    supervisor: own.supervisor,
    record: own,
    crashMs: 9,
    hangMs: 13_000,
    restartsLeft: 3,
    workloadPid: null,
    activation: null,
    ...change,
    setup: setupWith(setup ?? {}),
  };
}

/** The first is the primary; the epoch is 7. */
export function sceneWith(...nodes: readonly [SceneNode, ...SceneNode[]]): Scene {
  const [primary, ...secondaries] = nodes;
  return { group: 'web', epoch: 7, primary, secondaries, nodes };
}

/** A crash of a that b came through. */
export function outcomeWith(change: Partial<Outcome> = {}): Outcome {
  return {
    fault: 'crash',
    expected: 'other-node',
    before: { node: 'a', run: 'run-a', epoch: 7 },
    after: { node: 'b', run: 'run-b', epoch: 8 },
    tookMs: 20,
    downtimeMs: 20,
    waitedMs: 60,
    bound: { ms: 10_259, why: 'grace 10s' },
    withinMs: null,
    isGone: true,
    refusal: null,
    overlaps: [],
    ...change,
  };
}
