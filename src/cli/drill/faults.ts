// The faults of a drill: what each one does, what is expected of the group, and what it costs.
import type { NodeSetup } from '../../runtime/node-setup.ts';
import type { Standby } from '../../core/settings.ts';

/** In the order of a drill that was told no other: those that end no node go first. */
export const DRILL_FAULTS = ['switchover', 'workload-crash', 'starve', 'crash', 'hang'] as const;

export type DrillFault = (typeof DRILL_FAULTS)[number];

export function isDrillFault(word: string): word is DrillFault {
  return DRILL_FAULTS.some((fault) => fault === word);
}

/** What a node of the group is like, as far as a fault is concerned. */
export interface DrilledNode {
  readonly standby: Standby;
  readonly setup: NodeSetup;
}

/** Who is to lead after a fault: another node, the same one, either, or the same one without any change. */
export type Expectation = 'other-node' | 'same-node' | 'either-node' | 'no-change';

export function expectationOf(fault: DrillFault, primary: DrilledNode): Expectation {
  if (fault === 'starve') return 'no-change';
  if (fault !== 'workload-crash') return 'other-node';
  if (primary.setup.restart === 'never') return 'other-node';
  // Another hot workload is faster than a new start; a primary that has heard of none yet starts it anew.
  return primary.standby === 'hot' ? 'either-node' : 'same-node';
}

/** Whether the primary's node is gone after the fault, and stays so until somebody starts it again. */
export function losesNode(fault: DrillFault, primary: DrilledNode): boolean {
  if (fault === 'crash' || fault === 'hang') return true;
  if (fault === 'starve') return false;
  const { exitOnDemote, restart } = primary.setup;
  if (fault === 'workload-crash' && restart === 'never') return true;
  return exitOnDemote && expectationOf(fault, primary) !== 'same-node';
}
