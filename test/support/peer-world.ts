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
  /** The last answer of each peer. */
  readonly answers = new Map<string, { readonly run: string; readonly saidAt: number }>();

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
  readonly #lost = new Set<string>();
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

  /** Never two at once. */
  #check(): void {
    const leading = this.leading();
    if (leading.length > 1) {
      throw new Error(`At ${String(this.at)} ms ${leading.join(' and ')} lead`);
    }
    const [leader] = leading;
    const term = leader === undefined ? null : this.#node(leader).election.term;
    if (leader === undefined || term === null || term === this.epochs.at(-1)) return;
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

  #ask(node: PeerNode, id: string, isAgain = false): void {
    const askedAt = this.at;
    const said = this.#say(node);
    const proof = node.answers.get(id);
    if (this.#isLost(`${node.settings.node} asks ${id}`)) return;
    this.#in(this.#delayMs(), null, () => {
      const peer = this.nodes.get(id);
      if (peer === undefined) return;
      this.#for(peer, () => {
        // What is no answer to this very life, or to an old one, may be said again by anybody.
        const isTaken = proof?.run === peer.settings.run && this.at - proof.saidAt < LEASE_MS;
        if (isTaken) this.#hear(peer, said, proof.saidAt);
        const { run } = peer.settings;
        const [answer, saidAt] = [this.#say(peer), this.at];
        if (this.#isLost(`${id} answers ${node.settings.node}`)) return;
        this.#in(this.#delayMs(), node, () => {
          if (this.at - askedAt >= INTERVAL_MS && this.chance() < 0.9) return;
          node.answers.set(id, { run, saidAt });
          this.#hear(node, answer, isTaken ? askedAt : null);
          if (!isTaken && !isAgain) this.#ask(node, id, true);
        });
      });
    });
  }

  /** Never two after the other on one way. */
  #isLost(way: string): boolean {
    const isLost = !this.#lost.has(way) && this.chance() < 0.15;
    if (isLost) this.#lost.add(way);
    else this.#lost.delete(way);
    return isLost;
  }

  #hear(node: PeerNode, said: Heartbeat, heardUsAt: number | null): void {
    const before = node.election;
    const { settings } = node;
    node.election = hearPeer(before, said, { at: this.at, heardUsAt, settings }).election;
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
    return this.chance() < 0.8 ? this.chance() * 5 : this.chance() * INTERVAL_MS * 0.45;
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
