// Peers in virtual time: late, reordered and single lost messages, nodes that are stopped, killed and started again.
import {
  beginElection,
  beginRound,
  hearPeer,
  isLeading,
  leaderOf,
  ownWords,
} from '../../src/core/peer-election.ts';
import type { PeerElection, PeerSettings } from '../../src/core/peer-election.ts';
import type { Heartbeat } from '../../src/core/peer-table.ts';
import { nextRandom } from '../../src/core/jitter.ts';

export const INTERVAL_MS = 100;
export const LEASE_MS = 300;

interface Happening {
  readonly at: number;
  readonly act: () => void;
}

/** One life of a node. */
class PeerNode {
  readonly settings: PeerSettings;
  election: PeerElection;
  seq = 0;
  isStopped = false;
  isDead = false;
  /** What came while it was stopped. */
  waiting: (() => void)[] = [];

  constructor(settings: PeerSettings, at: number, epoch: number) {
    this.settings = settings;
    this.election = beginElection(at, settings, { wants: true, epoch });
  }
}

export class PeerWorld {
  at = 0;
  readonly nodes = new Map<string, PeerNode>();
  readonly leaders: string[] = [];
  readonly epochs: number[] = [];
  readonly #preempts: boolean;
  /** The next one last. */
  readonly #happenings: Happening[] = [];
  #random: number;
  #lives = 0;

  constructor(seed: number, preempts = true) {
    this.#random = seed;
    this.#preempts = preempts;
  }

  chance(): number {
    const { value, random } = nextRandom(this.#random);
    this.#random = random;
    return value;
  }

  start(id: string): void {
    this.#lives += 1;
    const run = `${id}-${String(this.#lives)}`;
    const times = { intervalMs: INTERVAL_MS, leaseMs: LEASE_MS, preempts: this.#preempts };
    const settings = { node: id, run, target: `http://${id}`, ...times };
    // As one that has kept the highest epoch: it is told only by those that live.
    const node = new PeerNode(settings, this.at, this.epochs.at(-1) ?? 0);
    this.nodes.set(id, node);
    this.#tick(node);
  }

  stop(id: string): void {
    this.#node(id).isStopped = true;
  }

  /** What has come meanwhile is taken first, or the timer: a loop may find either. */
  resume(id: string): void {
    const node = this.#node(id);
    node.isStopped = false;
    const { waiting } = node;
    node.waiting = [];
    if (this.chance() < 0.5) waiting.reverse();
    for (const act of waiting) act();
    this.#check();
  }

  kill(id: string): void {
    this.#node(id).isDead = true;
    this.nodes.delete(id);
  }

  run(ms: number): void {
    const until = this.at + ms;
    for (;;) {
      const next = this.#happenings.at(-1);
      if (next === undefined || next.at > until) break;
      this.#happenings.pop();
      this.at = next.at;
      next.act();
      this.#check();
    }
    this.at = until;
    this.#check();
  }

  leading(): readonly string[] {
    return [...this.nodes]
      .filter(([, { election, settings }]) => isLeading(election, this.at, settings))
      .map(([id]) => id);
  }

  /** Whom each node takes for the leader. */
  views(): Readonly<Record<string, string | null>> {
    return Object.fromEntries(
      [...this.nodes].map(([id, { election, settings }]) => [
        id,
        leaderOf(election, this.at, settings)?.node ?? null,
      ]),
    );
  }

  /** Never two at once, and each term under a higher epoch than all before. */
  #check(): void {
    const leading = this.leading();
    if (leading.length > 1) {
      throw new Error(`At ${String(this.at)} ms ${leading.join(' and ')} lead`);
    }
    const [leader] = leading;
    const term = leader === undefined ? null : this.#node(leader).election.term;
    if (leader === undefined || term === null || term === this.epochs.at(-1)) return;
    if (term <= (this.epochs.at(-1) ?? 0)) {
      throw new Error(`At ${String(this.at)} ms ${leader} leads under epoch ${String(term)} again`);
    }
    this.epochs.push(term);
    this.leaders.push(leader);
  }

  #tick(node: PeerNode): void {
    this.#for(node, () => {
      this.#round(node);
      this.#in(INTERVAL_MS, node, () => {
        this.#tick(node);
      });
    });
  }

  #round(node: PeerNode): void {
    const before = node.election;
    node.election = beginRound(before, this.at, node.settings);
    for (const id of this.nodes.keys()) if (id !== node.settings.node) this.#ask(node, id);
  }

  #ask(node: PeerNode, id: string): void {
    const askedAt = this.at;
    const said = this.#say(node);
    this.#in(this.#delayMs(), null, () => {
      const peer = this.nodes.get(id);
      if (peer === undefined) return;
      this.#for(peer, () => {
        this.#hear(peer, said);
        const answer = this.#say(peer);
        this.#in(this.#delayMs(), node, () => {
          if (this.at - askedAt < INTERVAL_MS || this.chance() < 0.1) this.#hear(node, answer);
        });
      });
    });
  }

  #hear(node: PeerNode, said: Heartbeat): void {
    const before = node.election;
    const { settings } = node;
    node.election = hearPeer(before, said, { at: this.at, settings }).election;
    const { bid, term } = node.election;
    if (bid !== before.bid || term !== before.term) this.#round(node);
  }

  #say(node: PeerNode): Heartbeat {
    node.seq += 1;
    const words = ownWords(node.election, this.at, node.settings);
    return { ...words, seq: node.seq, leaving: false };
  }

  /** Mostly soon, at times almost as late as an answer may be. */
  #delayMs(): number {
    return this.chance() < 0.8 ? this.chance() * 5 : this.chance() * INTERVAL_MS * 0.9;
  }

  /** Now, or when the node goes on. */
  #for(node: PeerNode, act: () => void): void {
    if (node.isDead) return;
    if (node.isStopped) node.waiting.push(act);
    else act();
  }

  #in(ms: number, node: PeerNode | null, act: () => void): void {
    const then = (): void => {
      if (node === null) act();
      else this.#for(node, act);
    };
    const at = this.at + ms;
    const place = this.#happenings.findLastIndex((other) => other.at > at);
    this.#happenings.splice(place + 1, 0, { at, act: then });
  }

  #node(id: string): PeerNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`There is no node ${id}`);
    return node;
  }
}
