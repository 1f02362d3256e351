// What a node tells of the server of its lease: clients of its machine need no address and no password for it.
import { FailoverError } from '../errors.ts';
import type { RemoteStore, StoredSight, StoreEvent } from '../lease/remote-store.ts';
import { monotonicNow } from './clock.ts';

export interface StoreView {
  readonly nodes: readonly StoredSight[];
  /** The latest first. */
  readonly events: readonly StoreEvent[];
}

/** The last view, for callers content with one that is a little old: each new one asks the server, as renewals do. */
export class StoreViews {
  #last: { readonly at: number; readonly view: Promise<StoreView> } | null = null;

  /**
   * @param maxAgeMs 0: it is of now
   * @throws FAILOVER_REFUSED when the lease is a file, FAILOVER_STORE_UNREACHABLE, FAILOVER_STORE_REFUSED
   */
  async see(remote: RemoteStore | null, maxAgeMs: number): Promise<StoreView> {
    const now = monotonicNow();
    if (this.#last === null || now - this.#last.at >= maxAgeMs) {
      this.#last = { at: now, view: viewOf(remote) };
    }
    const { at, view } = this.#last;
    const { nodes, events } = await view;
    const older = (node: StoredSight): StoredSight => ({
      ...node,
      seenAgoMs: node.seenAgoMs + now - at,
    });
    return { events, nodes: now === at ? nodes : nodes.map(older) };
  }
}

async function viewOf(remote: RemoteStore | null): Promise<StoreView> {
  if (remote === null) {
    throw new FailoverError('FAILOVER_REFUSED', 'Cannot query a server: the lease is a file');
  }
  const [nodes, events] = await Promise.all([remote.listNodes(), remote.readEvents(SHOWN)]);
  return { nodes: nodes.slice(0, SHOWN), events };
}

/** The most entries shown, so that they fit a message. */
const SHOWN = 256;
