// A copy of a state: one is made at each step.
import { extended, primaryBase, secondaryBase } from './outcome.ts';
import type { NodeState } from './state.ts';

/**
 * The same state at another time (ms), which nobody else has. The engine gives what a spread makes a shape of its own, so
 * that a spread of what a spread has made is one that it has never seen: it soon copies by the slowest way that it has,
 * many times as long and with three times the garbage. So the two phases in which nodes spend their lives are put
 * together from their parts, which are literals.
 */
export function copyAt(state: NodeState, at: number): NodeState {
  switch (state.phase) {
    case 'watching':
      return extended(secondaryBase(state), { phase: state.phase, at });
    case 'serving':
      return extended(primaryBase(state, state), { phase: state.phase, at });
    default:
      return { ...state, at };
  }
}
