// Why a node does what it does, from its state alone: what `failover explain` is made of.
import { evidenceOf } from './evidence.ts';
import type { Evidence } from './evidence.ts';
import { pendingOf } from './pending.ts';
import type { Pending } from './pending.ts';
import type { Settings } from './settings.ts';
import type { NodeState } from './state.ts';

export interface Explanation {
  readonly evidence: readonly Evidence[];
  readonly pending: readonly Pending[];
}

/** As of `state.at`: bring it up to the present first. */
export function explanationOf(state: NodeState, settings: Settings): Explanation {
  return { evidence: evidenceOf(state, settings), pending: pendingOf(state, settings) };
}
