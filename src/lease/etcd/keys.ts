// Where the things of a group are in etcd. Those that decide are together: one watch and one request show all.
export interface KeyRange {
  readonly key: Buffer;
  readonly range_end: Buffer;
}

export interface GroupKeys {
  /** All that decides. */
  readonly lead: KeyRange;
  /** There while somebody has the lease; it hangs on a lease of etcd. */
  readonly lease: Buffer;
  /** The epoch, and who led last: it stays. */
  readonly state: Buffer;
  readonly paused: Buffer;
  readonly completed: Buffer;
  readonly nodes: KeyRange;
  readonly events: KeyRange;
  /** The run that has an id alone; it hangs on the same lease of etcd as the record of that run. */
  id(node: string): Buffer;
  node(run: string): Buffer;
  /** The key of an event. Its name says nothing: events are ordered by when they were made. */
  event(name: string): Buffer;
}

/** @param group letters, digits, dots, underscores and hyphens: no slash */
export function keysOf(group: string): GroupKeys {
  const at = (rest: string): Buffer => Buffer.from(`failover/${group}/${rest}`);
  return {
    lead: prefix(at('lead/')),
    lease: at('lead/lease'),
    state: at('lead/state'),
    paused: at('lead/paused'),
    completed: at('lead/completed'),
    nodes: prefix(at('nodes/')),
    events: prefix(at('events/')),
    id: (node) => at(`ids/${node}`),
    node: (run) => at(`nodes/${run}`),
    event: (name) => at(`events/${name}`),
  };
}

/** What tells that a store has been in use for a while: for all groups together, and beside their names. */
export const STORE: KeyRange & { readonly known: Buffer; readonly young: Buffer } = {
  ...prefix(Buffer.from('failover-store/')),
  known: Buffer.from('failover-store/known'),
  young: Buffer.from('failover-store/young'),
};

/** All keys that begin so. */
function prefix(key: Buffer): KeyRange {
  const end = Buffer.from(key);
  // A slash is the last byte of each.
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return { key, range_end: end };
}
