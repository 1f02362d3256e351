// What a node knows of its peers by their heartbeats: who lives, what each says, and which id two have.

/** One bid to lead: of one life of a node, numbered, so that what was said to an earlier one counts for nothing. */
export interface Bid {
  readonly run: string;
  readonly number: number;
}

/** What a node says of itself with each heartbeat and each answer to one. */
export interface Heartbeat {
  readonly node: string;
  /** Random, new for each life of a node. */
  readonly run: string;
  /** Grows with everything that a run says, to whichever peer. */
  readonly seq: number;
  /** Where this node takes what is meant for the leader, as a URL. */
  readonly target: string;
  /** The number of this node's bid; null: it does not want to lead, or must not now. */
  readonly bid: number | null;
  /** Whether it leads, or what it started as the leader may still run. */
  readonly leads: boolean;
  /** The epoch that it leads under; null: it does not lead. */
  readonly term: number | null;
  /** The bid that it gives way to, perhaps its own; null: it knows of none. */
  readonly supports: Bid | null;
  /** The highest epoch that it knows. */
  readonly epoch: number;
  /** Ids under which this node has heard two living nodes. */
  readonly doubles: readonly string[];
  /** Whether this is the last that this run says. */
  readonly leaving: boolean;
  /** For how long after the last heartbeat that others have heard it may lead, ms: its own lease. */
  readonly leaseMs: number;
  /** What else the node says of itself, which means nothing to the election. */
  readonly about: string;
}

/** The last that is known of a run whose id has a newer run. */
interface EarlierRun {
  readonly run: string;
  readonly seq: number;
  /** Until when this run, which led, may do so still. */
  readonly leadsUntil: number;
}

export interface Peer extends Heartbeat {
  readonly seenAt: number;
  /** When this node sent the latest message that the peer is known to have heard. */
  readonly heardUsAt: number;
  /** Earlier runs under this id, the latest first, but before all those that may still lead. */
  readonly earlier: readonly EarlierRun[];
  /** Until when two living nodes are known to have this id. */
  readonly duplicateUntil: number;
}

/** By id. */
export type PeerTable = ReadonlyMap<string, Peer>;

/** How many ids are kept; more are refused. */
export const PEER_LIMIT = 64;

/** After how many leases of silence an id is forgotten: longer than anything old could be said again. */
const FORGOTTEN_AFTER_LEASES = 10;

/** What became of a heartbeat: one that was heard already is a replay, or was overtaken. */
export type Verdict = 'heard' | 'replayed' | 'crowded';

/** The table with one more heartbeat, of a peer that has heard what this node said at `heardUsAt`. */
export function entered(
  table: PeerTable,
  heartbeat: Heartbeat,
  heard: { readonly at: number; readonly heardUsAt: number | null; readonly leaseMs: number },
): { readonly table: PeerTable; readonly verdict: Verdict } {
  const { at, heardUsAt, leaseMs } = heard;
  const kept = withoutForgotten(table, at, leaseMs);
  const known = kept.get(heartbeat.node);
  if (known === undefined) {
    if (kept.size >= PEER_LIMIT) return { table: kept, verdict: 'crowded' };
    return heardNow({ ...heartbeat, ...times(), earlier: [], duplicateUntil: -Infinity });
  }
  if (heartbeat.run === known.run) {
    if (heartbeat.seq <= known.seq) return { table: kept, verdict: 'replayed' };
    return heardNow({ ...known, ...heartbeat, ...times(known) });
  }
  const before = known.earlier.find(({ run }) => run === heartbeat.run);
  if (before !== undefined && heartbeat.seq <= before.seq) {
    return { table: kept, verdict: 'replayed' };
  }
  const others = known.earlier.filter(({ run }) => run !== heartbeat.run);
  if (before !== undefined && heartbeat.leaving) {
    // The peer was started anew already: what its earlier run left is over now.
    const ended = { ...before, seq: heartbeat.seq, leadsUntil: -Infinity };
    return heardNow({ ...known, earlier: boundedRuns([...others, ended], at) });
  }
  return heardNow({
    ...heartbeat,
    ...times(),
    earlier: boundedRuns([lastOf(known, leaseMs), ...others], at),
    // A new run may be a node that was started again; an earlier run that speaks up once more has not ended.
    duplicateUntil: before === undefined ? known.duplicateUntil : at + leaseMs,
  });

  /** A new run listens for a lease before it may lead: until then it need not have heard anything. */
  function times(before?: Peer): Pick<Peer, 'seenAt' | 'heardUsAt'> {
    const since = heardUsAt ?? (before === undefined ? at : -Infinity);
    return { seenAt: at, heardUsAt: Math.max(since, before?.heardUsAt ?? since) };
  }

  function heardNow(peer: Peer): { readonly table: PeerTable; readonly verdict: Verdict } {
    return { table: new Map(kept).set(peer.node, peer), verdict: 'heard' };
  }
}

/** All peers that were heard for less than a lease, and have not left. */
export function livePeers(table: PeerTable, at: number, leaseMs: number): readonly Peer[] {
  return [...table.values()].filter((peer) => isLive(peer, at, leaseMs));
}

/** Whether a peer counts as living, where a lease is as long as this. */
export function isLive(peer: Peer, at: number, leaseMs: number): boolean {
  return !peer.leaving && at - peer.seenAt < silenceOf(peer, leaseMs);
}

/** Of two different leases the longer one counts: the peer may lead for as long as its own. */
function silenceOf(peer: Pick<Peer, 'leaseMs'>, leaseMs: number): number {
  return Math.max(leaseMs, peer.leaseMs);
}

/** The table as if this much of the silence had not been: nobody was listening. */
export function forgiving(table: PeerTable, ms: number): PeerTable {
  if (ms <= 0) return table;
  return new Map(
    [...table].map(([id, peer]) => {
      const earlier = peer.earlier.map((one) => ({ ...one, leadsUntil: one.leadsUntil + ms }));
      return [id, { ...peer, seenAt: peer.seenAt + ms, earlier }];
    }),
  );
}

/** Whether a peer that was started anew led before: what it had started then may still run. */
export function mayStillLead(table: PeerTable, at: number): boolean {
  return [...table.values()].some(({ earlier }) =>
    earlier.some(({ leadsUntil }) => at < leadsUntil),
  );
}

/**
 * Whether each that lives has heard this node for less than a lease, or was silent for one while this node was
 * awake. If not, one of them may lead meanwhile.
 */
export function isKnownToLive(
  table: PeerTable,
  at: number,
  { leaseMs, awakeSince }: { readonly leaseMs: number; readonly awakeSince: number },
): boolean {
  return livePeers(table, at, leaseMs).every(
    ({ heardUsAt }) => at - heardUsAt < leaseMs || at - Math.max(heardUsAt, awakeSince) >= leaseMs,
  );
}

/** The most runs under one id that are told apart. */
const RUN_LIMIT = 4;

function boundedRuns(runs: readonly EarlierRun[], at: number): readonly EarlierRun[] {
  const mayLead = runs.filter(({ leadsUntil }) => at < leadsUntil);
  const others = runs.filter(({ leadsUntil }) => at >= leadsUntil);
  return [...mayLead, ...others].slice(0, RUN_LIMIT);
}

function lastOf(peer: Peer, leaseMs: number): EarlierRun {
  const { run, seq, leads, leaving, seenAt } = peer;
  const leadsUntil = leads && !leaving ? seenAt + silenceOf(peer, leaseMs) : -Infinity;
  return { run, seq, leadsUntil };
}

function withoutForgotten(table: PeerTable, at: number, leaseMs: number): PeerTable {
  const isKept = (peer: Peer): boolean =>
    at - peer.seenAt < silenceOf(peer, leaseMs) * FORGOTTEN_AFTER_LEASES;
  return new Map([...table].filter(([, peer]) => isKept(peer)));
}
