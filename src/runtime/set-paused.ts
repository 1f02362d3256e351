// Pauses a group, or ends that, and has this node know of it at once.
import type { EventBody } from '../core/event.ts';
import type { LeaseStore } from '../lease/lease-store.ts';
import type { Clock } from './ports.ts';

export interface PausingNode {
  readonly lease: Pick<LeaseStore, 'setPaused' | 'look'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly dispatch: (event: EventBody) => void;
}

/** Resolves once it is set, whether it could be looked at after that or not. @throws as `setPaused` of the lease */
export async function setPaused(
  { lease, clock, dispatch }: PausingNode,
  paused: boolean,
  by: string,
): Promise<void> {
  await lease.setPaused(paused, by);
  // Not what the client of a server remembers: that is from before.
  const askedAt = clock.now();
  try {
    dispatch({ type: 'lease-observed', observation: await lease.look(), askedAt });
  } catch {
    // The pause is set all the same: whoever asked is not to be told otherwise. The core looks again.
    dispatch({ type: 'lease-changed' });
  }
}
