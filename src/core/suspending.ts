// SIGTSTP: it is remembered through every phase, and carried out once there is nothing that others wait for.
import type { Effect } from './effect.ts';
import type { Event } from './event.ts';
import { stay } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import type { NodeState } from './state.ts';

/** Whether nothing is held, claimed or still to be given back: what a process has, it keeps while it is stopped. */
export function holdsNothing(state: NodeState): boolean {
  if (state.releaseAt !== null) return false;
  if (state.role === 'secondary') return true;
  // Between two claims a candidate has no more than a secondary.
  return state.phase === 'acquiring' && state.retryAt !== null;
}

/** Whoever continues the process wants it to go on: a step down that has begun is carried out all the same. */
export function withdrawn(state: NodeState, event: Event): Outcome | null {
  return event.type === 'suspend-withdrawn' ? stay({ ...state, suspend: false }) : null;
}

interface Step {
  readonly state: NodeState;
  readonly effects: readonly Effect[];
}

/** A process that is suspended says nothing more: this comes after everything else. */
export function suspendOnceFree({ state, effects }: Step): Step {
  if (!state.suspend || !holdsNothing(state)) return { state, effects };
  return {
    state: { ...state, suspend: false },
    effects: [...effects, { type: 'suspend-process' }],
  };
}
