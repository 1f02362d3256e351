// What a node tells of the server of its lease: clients of its machine need no address and no password for it.
import { FailoverError } from '../errors.ts';
import type { RemoteStore, SeenNode, StoreEvent } from '../lease/remote-store.ts';

export interface StoreView {
  readonly nodes: readonly SeenNode[];
  /** The latest first. */
  readonly events: readonly StoreEvent[];
}

/** @throws FAILOVER_REFUSED when the lease is a file, FAILOVER_STORE_UNREACHABLE, FAILOVER_STORE_REFUSED */
export async function viewOf(remote: RemoteStore | null): Promise<StoreView> {
  if (remote === null) {
    throw new FailoverError('FAILOVER_REFUSED', 'Cannot look at a server: the lease is a file');
  }
  const [nodes, events] = await Promise.all([remote.listNodes(), remote.readEvents(SHOWN)]);
  return { nodes: nodes.slice(0, SHOWN), events };
}

/** It has to fit a message. */
const SHOWN = 256;
