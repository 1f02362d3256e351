// One that leads where nothing of this node connects to: which it is by the facts, and not by its silence.
import type { NodeState } from './state.ts';

/** Whether the one that it follows can't be heard or asked from here. */
export function isApart(state: NodeState): boolean {
  return state.role === 'secondary' && state.primary?.apart === true;
}

/** Why that is so, and what to do about it, as the end of a sentence about it. */
export const NOT_HEARD_HERE =
  'its sockets are not on this machine: with --bind tcp://… on each node it is heard';
