// What a node tells a proxy that forwards to it, or would: whether it serves, and in which epoch.
import type { NodeState } from '../core/state.ts';
import { isCount, isFields } from '../transport/checks.ts';

/**
 * serving: requests may be sent there. starting: not yet. closing: not any more, and it waits for those that are under
 * way. none: it does not lead.
 */
const STANDINGS = ['serving', 'starting', 'closing', 'none'] as const;

export interface AttachAnswer {
  readonly epoch: number;
  readonly standing: (typeof STANDINGS)[number];
}

export function attachAnswerOf(state: NodeState): AttachAnswer {
  const epoch = 'epoch' in state ? state.epoch : state.epochFloor;
  switch (state.phase) {
    case 'serving':
      return { epoch, standing: 'serving' };
    case 'demoting':
      return { epoch, standing: 'closing' };
    case 'clearing':
    case 'starting':
    case 'promoting':
    case 'restarting':
      return { epoch, standing: 'starting' };
    default:
      return { epoch, standing: 'none' };
  }
}

/** The answer as another process gave it; null: it is none. */
export function readAttachAnswer(value: unknown): AttachAnswer | null {
  if (!isFields(value) || !isCount(value['epoch'])) return null;
  const standing = STANDINGS.find((known) => known === value['standing']);
  return standing === undefined ? null : { epoch: value['epoch'], standing };
}
