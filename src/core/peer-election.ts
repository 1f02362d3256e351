// Who leads among peers that hear each other: the lowest id alive, once all that it hears give way to it.
import { entered, forgiving, isKnownToLive, livePeers, mayStillLead } from './peer-table.ts';
import type { Bid, Heartbeat, Peer, PeerTable, Verdict } from './peer-table.ts';

export interface PeerSettings {
  readonly node: string;
  readonly run: string;
  readonly target: string;
  readonly intervalMs: number;
  /** After this much silence a peer counts as gone. */
  readonly leaseMs: number;
  /** Whether a lower id that comes back takes over from one that leads. */
  readonly preempts: boolean;
  /**
   * Whether what a leader has started takes a while to end: it gives way to nobody then, whatever becomes of
   * its term, until it is told not to want the lead any more.
   */
  readonly untilReleased?: boolean;
}

export interface PeerElection {
  readonly peers: PeerTable;
  /** When the last round of heartbeats began: others count the silence of this node from there, or later. */
  readonly roundAt: number;
  /** When the next round is due: in the time beyond it this node did not listen. */
  readonly dueAt: number;
  /** When it last noticed that it had not listened for a while. */
  readonly awakeSince: number;
  /** Until then this node only listens: it may not know yet who lives. */
  readonly listensUntil: number;
  /** Until then another living node may have the same id. */
  readonly duplicateUntil: number;
  /** Whether this node is to lead at all. */
  readonly wants: boolean;
  readonly bid: number | null;
  /** How many bids this run has made. */
  readonly bids: number;
  /** The epoch that this node leads under; null: it does not lead. */
  readonly term: number | null;
  /** Whether it leads or has led, and was not told since that this is over. */
  readonly holds: boolean;
  /** The highest epoch that this node knows. */
  readonly epoch: number;
}

/** A node that has just begun: it listens for one lease, and for two rounds more, as one may be lost each way. */
export function beginElection(
  at: number,
  settings: PeerSettings,
  { wants, epoch }: { readonly wants: boolean; readonly epoch: number },
): PeerElection {
  return {
    peers: new Map(),
    ...{ roundAt: at, dueAt: at + settings.intervalMs, awakeSince: at },
    ...{
      listensUntil: at + settings.leaseMs + settings.intervalMs * SPARE_ROUNDS,
      duplicateUntil: -Infinity,
    },
    ...{ wants, bid: null, bids: 0, term: null, holds: false, epoch },
  };
}

const SPARE_ROUNDS = 2;

/** A round of heartbeats begins now: called once in an interval, and whenever the node has something to say. */
export function beginRound(
  election: PeerElection,
  at: number,
  settings: PeerSettings,
): PeerElection {
  const next = decided(wakened(election, at, settings), at, settings);
  return { ...next, roundAt: at, dueAt: at + settings.intervalMs };
}

/**
 * Takes what a peer says. It has to be known by then that it is the peer who says it, and now.
 *
 * @param heard with the time of the latest that this node said and the peer is known to have heard; null: not
 *   known
 */
export function hearPeer(
  election: PeerElection,
  heartbeat: Heartbeat,
  heard: {
    readonly at: number;
    readonly heardUsAt: number | null;
    readonly settings: PeerSettings;
  },
): { readonly election: PeerElection; readonly verdict: Verdict | 'own' } {
  const { at, heardUsAt, settings } = heard;
  if (heartbeat.run === settings.run) return { election, verdict: 'own' };
  const awake = wakened(election, at, settings);
  const { leaseMs, node } = settings;
  if (heartbeat.node === node) {
    // Two nodes with one id: both give way, as nobody can tell which of them is meant.
    const doubled = { ...awake, duplicateUntil: at + leaseMs };
    return { election: decided(doubled, at, settings), verdict: 'heard' };
  }
  const { table, verdict } = entered(awake.peers, heartbeat, { at, heardUsAt, leaseMs });
  const isDouble = verdict === 'heard' && heartbeat.doubles.includes(node);
  const next: PeerElection = {
    ...awake,
    peers: table,
    duplicateUntil: isDouble ? at + leaseMs : awake.duplicateUntil,
    epoch: verdict === 'heard' ? Math.max(awake.epoch, heartbeat.epoch) : awake.epoch,
  };
  return { election: decided(next, at, settings), verdict };
}

/**
 * Whether it is to lead at all, from now on; `epoch`: one that is known to have been. What it held is over.
 */
export function wantToLead(
  election: PeerElection,
  { wants, epoch }: { readonly wants: boolean; readonly epoch: number },
  { at, settings }: { readonly at: number; readonly settings: PeerSettings },
): PeerElection {
  const awake = wakened(election, at, settings);
  const over = awake.holds ? { bid: null, term: null, holds: false } : {};
  const next = { ...awake, ...over, wants, epoch: Math.max(awake.epoch, epoch) };
  return decided(next, at, settings);
}

/** Leads on under the next epoch above all that are known, and above `floor`; null: it does not lead. */
export function advanceTerm(
  election: PeerElection,
  floor: number,
  { at, settings }: { readonly at: number; readonly settings: PeerSettings },
): PeerElection | null {
  if (!isLeading(election, at, settings)) return null;
  const term = Math.max(election.epoch, floor) + 1;
  return { ...election, term, epoch: term };
}

/** Whether it leads: the others must have heard so within a lease, or another may lead meanwhile. */
export function isLeading(election: PeerElection, at: number, settings: PeerSettings): boolean {
  // Asked before any timer has told it that it slept, it has slept all the same.
  const { term, roundAt, peers, awakeSince } = wakened(election, at, settings);
  const { leaseMs } = settings;
  if (term === null || at - roundAt >= leaseMs) return false;
  return isKnownToLive(peers, at, { leaseMs, awakeSince });
}

/** Who leads, as far as is known here; null: nobody. */
export function leaderOf(
  election: PeerElection,
  at: number,
  settings: PeerSettings,
): { readonly node: string; readonly target: string } | null {
  const { node, target, leaseMs } = settings;
  if (isLeading(election, at, settings)) return { node, target };
  const leading = livePeers(election.peers, at, leaseMs).filter(({ leads }) => leads);
  return leading.sort((a, b) => (b.term ?? 0) - (a.term ?? 0) || byId(a, b))[0] ?? null;
}

/** What it says of itself now, but for `seq`. */
export function ownWords(
  election: PeerElection,
  at: number,
  settings: PeerSettings,
): Omit<Heartbeat, 'seq' | 'leaving' | 'about'> {
  const { node, run, target, leaseMs } = settings;
  const live = livePeers(election.peers, at, leaseMs);
  const doubles = live.filter(({ duplicateUntil }) => at < duplicateUntil).map((peer) => peer.node);
  return {
    ...{ node, run, target },
    bid: election.bid,
    leads: election.holds || isLeading(election, at, settings),
    term: election.term,
    supports: supported(election, at, settings),
    epoch: election.epoch,
    doubles: doubles.sort().slice(0, DOUBLE_LIMIT),
    leaseMs: Math.ceil(leaseMs),
  };
}

/** The most ids with two living nodes that a heartbeat names. */
export const DOUBLE_LIMIT = 8;

/** By which share of an interval a timer may be late without a reason to doubt anything. */
const USUAL_DELAY = 0.25;

/**
 * What follows from a time in which nothing was done here: a stopped process, a machine asleep. Others may lead
 * when it was a lease, and silence over it is no sign of anything.
 */
function wakened(election: PeerElection, at: number, settings: PeerSettings): PeerElection {
  const { intervalMs, leaseMs } = settings;
  const lateMs = at - election.dueAt;
  if (lateMs <= intervalMs * USUAL_DELAY) return election;
  const peers = forgiving(election.peers, lateMs);
  // Silence in a time in which this node did not listen does not count.
  const listensUntil = election.listensUntil + (at < election.listensUntil + lateMs ? lateMs : 0);
  const awake = { ...election, dueAt: at, awakeSince: at, peers, listensUntil };
  if (at - election.roundAt < leaseMs) return awake;
  const bid = awake.holds ? awake.bid : null;
  return { ...awake, bid, term: null, listensUntil: Math.max(listensUntil, at + leaseMs) };
}

/** Bids, leads or gives way, as what is known now asks for. */
function decided(election: PeerElection, at: number, settings: PeerSettings): PeerElection {
  const { wants, listensUntil, duplicateUntil } = election;
  if (election.holds)
    return isOver(election, at, settings) ? { ...election, term: null } : election;
  if (!wants || at < bidsFrom(listensUntil, settings) || at < duplicateUntil) {
    return { ...election, bid: null, term: null };
  }
  const bids = election.bid === null ? election.bids + 1 : election.bids;
  const bidding = { ...election, bid: bids, bids };
  const own: Bid = { run: settings.run, number: bids };
  const isFirst = isSame(supported(bidding, at, settings), own);
  if (!isFirst || at < listensUntil) return { ...bidding, term: null };
  // Another has led under a higher epoch since: this term is over, and a new one may begin.
  if (bidding.term === bidding.epoch) return bidding;
  const live = livePeers(bidding.peers, at, settings.leaseMs);
  // Each living peer has heard of this very bid and gives way: it does not lead, and will not before this node.
  if (!live.every(({ supports }) => isSame(supports, own))) return { ...bidding, term: null };
  const term = bidding.epoch + 1;
  return { ...bidding, term, epoch: term, holds: settings.untilReleased === true };
}

/**
 * When it bids, at the earliest. Where nobody gives way to a bid once it leads, those that were started together
 * know of each other's by the time when the first of them could lead.
 */
function bidsFrom(listensUntil: number, { preempts, intervalMs }: PeerSettings): number {
  return preempts ? listensUntil : listensUntil - SPARE_ROUNDS * intervalMs;
}

/** Whether the term of one that holds is over: it never gets it back. */
function isOver(election: PeerElection, at: number, settings: PeerSettings): boolean {
  const { bid, term, epoch, listensUntil, duplicateUntil } = election;
  if (bid === null || term !== epoch || at < listensUntil || at < duplicateUntil) return true;
  return !isSame(supported(election, at, settings), { run: settings.run, number: bid });
}

interface Candidate {
  readonly node: string;
  readonly run: string;
  readonly bid: number | null;
  readonly leads: boolean;
  readonly term: number | null;
}

/** The bid that goes first, of all that are known, its own included. */
function supported(election: PeerElection, at: number, settings: PeerSettings): Bid | null {
  const { node, run, leaseMs, preempts } = settings;
  const others: readonly Candidate[] = livePeers(election.peers, at, leaseMs).filter(
    ({ duplicateUntil }) => at >= duplicateUntil,
  );
  const { bid, term, holds } = election;
  // A leader that doubts itself does not count as leading beside one that does not.
  const leads = holds || isLeading(election, at, settings);
  const own: Candidate = { node, run, bid, leads, term };
  const [first] = [own, ...others]
    .filter((candidate) => candidate.bid !== null)
    .sort((a, b) => (preempts ? 0 : byLead(a, b)) || byId(a, b));
  if (first === undefined || first.bid === null) return null;
  // A peer that led before it was started anew may have told this node alone of it.
  if (!first.leads && mayStillLead(election.peers, at)) return null;
  return { run: first.run, number: first.bid };
}

/** A leader goes first; of two, as after a partition, the one with the newer term. */
function byLead(a: Candidate, b: Candidate): number {
  if (!a.leads || !b.leads) return Number(b.leads) - Number(a.leads);
  return (b.term ?? 0) - (a.term ?? 0);
}

function isSame(one: Bid | null, other: Bid): boolean {
  return one?.run === other.run && one.number === other.number;
}

/** Plain string order, the same everywhere. */
function byId(a: Pick<Peer, 'node'>, b: Pick<Peer, 'node'>): number {
  if (a.node === b.node) return 0;
  return a.node < b.node ? -1 : 1;
}
