// SIGTSTP: it is remembered through every phase, and carried out once there is nothing that others wait for.
import type { Effect } from './effect.ts';
import type { Event } from './event.ts';
import type { NodeState } from './state.ts';

/** Whether nothing is held, claimed or still to be given back: what a process has, it keeps while it is stopped. */
export function holdsNothing(state: NodeState): boolean {
  if (state.releaseAt !== null) return false;
  if (state.role === 'secondary') return true;
  // Between two claims a candidate has no more than a secondary.
  return state.phase === 'acquiring' && state.retryAt !== null;
}

/**
 * Every role takes it alike: asked again it is ordered again, and whoever continues the process wants it to go
 * on. A step down that has begun is carried out all the same.
 */
export function hearOfSuspension(state: NodeState, event: Event): NodeState {
  switch (event.type) {
    case 'suspend-requested':
      return state.suspendOrdered ? { ...state, suspendOrdered: false } : state;
    case 'suspend-withdrawn':
      return { ...state, suspend: false, suspendOrdered: false };
    default:
      return state;
  }
}

interface Step {
  readonly state: NodeState;
  readonly effects: readonly Effect[];
}

/**
 * A process that is suspended says nothing more: this comes after everything else. From then on it claims
 * nothing until it goes on, since nobody knows when within a moment it is stopped.
 */
export function suspendOnceFree({ state, effects }: Step): Step {
  if (!state.suspend || state.suspendOrdered || !holdsNothing(state)) return { state, effects };
  return {
    state: { ...state, suspendOrdered: true },
    effects: [...effects, { type: 'suspend-process' }],
  };
}
