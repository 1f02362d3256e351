// What a lease that a server keeps shows beside the lease: nodes of all machines, and what was noted recently.
import type { Endpoints, LeaseObservation } from '../core/state.ts';
import type { PeerCounters } from '../peers/peer-counters.ts';
import type { ReturnOrder } from '../guard/messages.ts';
import type { SoleNode } from './join-alone.ts';
import type { LeaseStore, NodeRecord } from './lease-store.ts';

/** What a node says of itself in a store: what others need to reach it and to show it. */
export interface StoredNode extends Pick<
  NodeRecord,
  | 'node'
  | 'run'
  | 'host'
  | 'version'
  | 'endpoints'
  | 'standby'
  | 'priority'
  | 'startedAt'
  | 'target'
> {
  /** How long it may leave the store alone, ms; left out: it is known elsewhere, or of an earlier version. */
  readonly quietMs?: number;
}

export interface StoredSight extends StoredNode {
  /** How long ago it was seen, ms, by the server's clock. */
  readonly seenAgoMs: number;
  /** On its own host; null, or left out: it does not say. */
  readonly pid?: number | null;
}

/** What is noted in a store. */
export const STORE_ACTIONS = [
  'joined',
  'left',
  'granted',
  'advanced',
  'released',
  'completed',
  'paused',
  'resumed',
] as const;

export interface StoreEvent {
  readonly node: string;
  readonly action: (typeof STORE_ACTIONS)[number];
  readonly epoch: number;
  /** By the server's wall clock, ms since 1970: for people. */
  readonly atMs: number;
}

/** What every store is told of the node whose lease it keeps. */
export interface RemoteStoreOptions {
  readonly group: string;
  readonly record: StoredNode;
  readonly ttlMs: number;
  /** How long each request waits for its answer, but a renewal, which is told. */
  readonly requestTimeoutMs: number;
  /** Milliseconds on the clock by which the node decides. */
  readonly now: () => number;
  /** Before a claim is made what it is granted may be asked for, at most this long, ms; left out: not at all. */
  readonly claimAheadMs?: number;
  /** How a node makes sure that no other has its id; left out: others may. */
  readonly sole?: SoleNode;
}

/** A lease on a server. One that was never begun only looks: it is on no list, and others do not see it. */
export interface RemoteStore extends Omit<LeaseStore, 'listPeers'> {
  /**
   * Registers the node. Where the server does not answer, it is tried again with every request.
   *
   * @throws FAILOVER_STORE_REFUSED, FAILOVER_NODE_TAKEN, and an `AbortError` where it was not to wait any longer for
   *   what becomes of another of its id
   */
  begin(): Promise<void>;
  /** How another process gives the present acquisition back, and no other; null: nothing is held. */
  returnOrder(): ReturnOrder | null;
  /** A server has to be asked. */
  look(): Promise<LeaseObservation>;
  /** The highest epoch that is known here: put back on record with the next look, should the store have lost it. */
  learn(epoch: number): void;
  /** Nodes that were seen recently. */
  listNodes(): Promise<readonly StoredSight[]>;
  /** The latest first, at most `limit`; older ones than some hundred are gone. */
  readEvents(limit: number): Promise<readonly StoreEvent[]>;
  /** What became of what the others have said; left out: nobody but a server says anything. */
  readonly counters?: PeerCounters;
  /** For a node that had to bind its sockets anew. */
  updateEndpoints(endpoints: Endpoints): void;
}
