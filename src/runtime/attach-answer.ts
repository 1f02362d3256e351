// What a node tells a proxy that forwards to it, or would: whether it serves, and in which epoch.
import type { Settings } from '../core/settings.ts';
import type { NodeState, Phase } from '../core/state.ts';
import { isCount, isDurationMs, isFields } from '../transport/checks.ts';

/**
 * serving: requests may be sent there. starting: not yet. closing: not any more, and it waits for those that are under
 * way. none: it does not lead.
 */
const STANDINGS = ['serving', 'starting', 'closing', 'none'] as const;

export interface AttachAnswer {
  readonly epoch: number;
  readonly standing: (typeof STANDINGS)[number];
  /** How often it says that it leads. */
  readonly intervalMs: number;
}

export function attachAnswerOf(
  state: NodeState,
  { heartbeatIntervalMs: intervalMs }: Settings,
): AttachAnswer {
  const epoch = 'epoch' in state ? state.epoch : state.epochFloor;
  return { epoch, standing: standingIn(state.phase), intervalMs };
}

/** The answer as another process gave it; null: it is none. */
export function readAttachAnswer(value: unknown): AttachAnswer | null {
  if (!isFields(value)) return null;
  const { epoch, intervalMs } = value;
  const standing = STANDINGS.find((known) => known === value['standing']);
  if (standing === undefined || !isCount(epoch) || !isDurationMs(intervalMs)) return null;
  return { epoch, standing, intervalMs };
}

function standingIn(phase: Phase): AttachAnswer['standing'] {
  switch (phase) {
    case 'serving':
      return 'serving';
    case 'demoting':
      return 'closing';
    case 'clearing':
    case 'starting':
    case 'promoting':
    case 'restarting':
      return 'starting';
    default:
      return 'none';
  }
}
