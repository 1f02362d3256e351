// How long each fault may take at most, from the settings that the nodes state and what they predict.
import { formatDuration, humanMs } from '../../core/duration-text.ts';
import { expectationOf } from './faults.ts';
import type { DrillFault } from './faults.ts';
import type { Scene, SceneNode } from './scene.ts';

export interface Bound {
  /** From the fault to the start of the new workload. */
  readonly ms: number;
  /** Of what it is made, in words. */
  readonly why: string;
}

/** What the machine may take for what no setting bounds, ms: ending a process, and noticing that. */
export const MACHINE_MS = 250;

/** Null: the fault has no end, or must not change anything. */
export function boundOf(fault: DrillFault, { primary, secondaries }: Scene): Bound | null {
  const [next] = secondaries;
  if (next === undefined) return null;
  switch (fault) {
    case 'starve':
      return null;
    case 'crash':
      return sum([...emptying(next), ...starting(next)]);
    case 'hang':
      if (next.hangMs === null) return null;
      return sum([['timeout, probes and grace', next.hangMs], ...starting(next)]);
    case 'workload-crash':
      return boundOfCrashedWorkload(primary, next);
    case 'switchover':
      return sum([['drain', primary.setup.drainMs], ...demotion(primary), ...starting(next)]);
  }
}

function boundOfCrashedWorkload(primary: SceneNode, next: SceneNode): Bound {
  const inPlace = sum([
    ...emptying(primary),
    ...starting(primary.crashMs === null ? next : primary),
  ]);
  const elsewhere = sum([...demotion(primary), ...starting(next)]);
  const expected = expectationOf('workload-crash', primary);
  if (expected === 'same-node') return inPlace;
  return expected === 'other-node' || elsewhere.ms >= inPlace.ms ? elsewhere : inPlace;
}

type Part = readonly [what: string, ms: number];

/** What an ended run left is given the longer of the two graces by who empties it. */
function emptying({ setup }: SceneNode): readonly Part[] {
  return [['grace', Math.max(setup.stopGraceMs, setup.fenceGraceMs)]];
}

function demotion({ setup }: SceneNode): readonly Part[] {
  const hook: readonly Part[] = setup.hasDemoteCommand
    ? [['demote command', setup.demoteTimeoutMs]]
    : [];
  return [...hook, ['stop grace', setup.stopGraceMs]];
}

function starting({ crashMs }: SceneNode): readonly Part[] {
  return [
    ['start', crashMs ?? 0],
    ['the machine', MACHINE_MS],
  ];
}

function sum(parts: readonly Part[]): Bound {
  const counted = parts.filter(([, ms]) => ms > 0);
  return {
    ms: parts.reduce((total, [, ms]) => total + ms, 0),
    why: counted.map(([what, ms]) => `${what} ${shown(ms)}`).join(' + '),
  };
}

/** Settings as they were set, measurements rounded. */
function shown(ms: number): string {
  return Number.isInteger(ms) ? formatDuration(ms) : humanMs(ms);
}
