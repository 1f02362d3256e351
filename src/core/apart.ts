// A primary whose sockets this node cannot reach: it is followed by its lease alone, and its silence means nothing.
import type { NodeState } from './state.ts';

/** Whether the followed primary can be neither heard nor asked from here. */
export function isApart(state: NodeState): boolean {
  return state.role === 'secondary' && state.primary?.apart === true;
}

/** Why that is so, and what to do about it, as the end of a sentence about it. */
export const NOT_HEARD_HERE =
  'its sockets are not on this machine; set --bind tcp://… on each node';
