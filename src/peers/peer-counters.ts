// What became of what peers have sent, for status and metrics.

/** What was refused, and why. */
export interface PeerCounters {
  /** Requests and answers that counted. */
  readonly heard: number;
  /** No JSON, or not the fields of a heartbeat, or of another version. */
  readonly malformed: number;
  readonly oversized: number;
  /** Without a signature, or with that of another secret. */
  readonly unsigned: number;
  /** Of another group. */
  readonly foreign: number;
  /** Requests that repeated nothing that was offered recently: the first of a peer, or a replay. */
  readonly unproven: number;
  /** Heard already, or overtaken. */
  readonly replayed: number;
  /** Of an id beyond those that are kept. */
  readonly crowded: number;
  /** From this very node: it is in the list of its own peers. */
  readonly own: number;
  /** Requests of this node that got no answer that counted. */
  readonly unanswered: number;
}

/** Counters under way. */
export class PeerTally {
  readonly #counts: Record<keyof PeerCounters, number> = {
    heard: 0,
    malformed: 0,
    oversized: 0,
    unsigned: 0,
    foreign: 0,
    unproven: 0,
    replayed: 0,
    crowded: 0,
    own: 0,
    unanswered: 0,
  };

  count(what: keyof PeerCounters): void {
    this.#counts[what] += 1;
  }

  snapshot(): PeerCounters {
    return { ...this.#counts };
  }
}
