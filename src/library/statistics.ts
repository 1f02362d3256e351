// Who takes part in an election and what happened recently, as the store has it.
import type { LeaseObservation } from '../core/state.ts';
import type { StoredSight, StoreEvent } from '../lease/remote-store.ts';

/** One look at an election. Times are by the server's clock, and their dates by this machine's. */
export interface ElectionStatistics {
  readonly project: string;
  /** Null: nobody has the lease. */
  readonly leader: string | null;
  /** The epoch of the latest term; 0: there was none. It only ever rises. */
  readonly revision: number;
  /** The leader first, then by priority and id. */
  readonly nodes: readonly ElectionNode[];
  /** The latest first; older ones than some hundred are gone. */
  readonly events: readonly ElectionEvent[];
}

export interface ElectionNode {
  readonly nodeId: string;
  readonly host: string;
  /** 0: it never leads. */
  readonly priority: number;
  readonly isLeader: boolean;
  readonly lastSeen: Date;
  readonly lastSeenMs: number;
}

export interface ElectionEvent {
  readonly nodeId: string;
  readonly action: StoreEvent['action'];
  readonly revision: number;
  readonly timestamp: Date;
}

/** What a store shows, whether or not who asks takes part. */
export interface StatisticsSource {
  look(): Promise<Pick<LeaseObservation, 'held' | 'holder' | 'epoch'>>;
  listNodes(): Promise<readonly StoredSight[]>;
  readEvents(limit: number): Promise<readonly StoreEvent[]>;
}

/** @throws FAILOVER_STORE_UNREACHABLE, FAILOVER_STORE_REFUSED */
export async function readStatistics(
  project: string,
  source: StatisticsSource,
): Promise<ElectionStatistics> {
  const [{ held, holder, epoch }, nodes, events] = await Promise.all([
    source.look(),
    source.listNodes(),
    source.readEvents(EVENTS_SHOWN),
  ]);
  const leader = held ? holder : null;
  const now = Date.now();
  return {
    project,
    leader: leader?.node ?? null,
    revision: epoch,
    nodes: nodes
      .map(({ node, run, host, priority, seenAgoMs }) => ({
        ...{ nodeId: node, host, priority, isLeader: run === leader?.run },
        ...{ lastSeen: new Date(now - seenAgoMs), lastSeenMs: seenAgoMs },
      }))
      .sort(byRank),
    events: events.map(({ node, action, epoch: revision, atMs }) => {
      return { nodeId: node, action, revision, timestamp: new Date(atMs) };
    }),
  };
}

const EVENTS_SHOWN = 50;

function byRank(a: ElectionNode, b: ElectionNode): number {
  return (
    Number(b.isLeader) - Number(a.isLeader) ||
    a.priority - b.priority ||
    (a.nodeId < b.nodeId ? -1 : 1)
  );
}
