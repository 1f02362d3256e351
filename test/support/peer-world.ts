// Peers in virtual time: late, reordered and single lost messages, nodes that are stopped, killed and started again.
import {
  beginElection,
  beginRound,
  hearPeer,
  isLeading,
  leaderOf,
  ownWords,
  wantToLead,
} from '../../src/core/peer-election.ts';
import type { PeerElection, PeerSettings } from '../../src/core/peer-election.ts';
import type { Heartbeat } from '../../src/core/peer-table.ts';
import { nextRandom } from '../../src/core/jitter.ts';

export const INTERVAL_MS = 100;
export const LEASE_MS = 300;

/** What leads to work has a lease of as many intervals as by default. */
const WORK_INTERVAL_MS = LEASE_MS / 6;

/** As of a lease that ends by itself: when its guard ends the work of a node, counted from what the others have heard. */
const GUARDED_MS = LEASE_MS * 0.995 - LEASE_MS / 6;

/** How long one that is silent is counted with, as the lease does. */
const COUNTED_MS = LEASE_MS * 0.5 * 0.3;

/** The numbers of what is said up to the end of a term. */
const SEQ_BLOCK = 1_000_000;

/** What a node does as the leader, which a guard ends at its deadline, or when the node is gone. */
interface Work {
  readonly run: string;
  readonly epoch: number;
  deadlineAt: number;
  hasEnded: boolean;
}

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
  /** When the term began that it leads in. */
  termSince = -Infinity;
  /** What it has started as the leader. */
  work: Work | null = null;
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
  readonly #works: boolean;
  readonly #intervalMs: number;
  /** Those of nodes that are gone, too. */
  #work: readonly Work[] = [];
  /** The next one last. */
  readonly #happenings: Happening[] = [];
  readonly #lost = new Set<string>();
  #random: number;
  #lives = 0;

  /** @param kind by which nodes lead: what is `held` ends later than the term that it was begun in */
  constructor(seed: number, kind: 'preempts' | 'stays' | 'held' = 'preempts') {
    this.#random = seed;
    this.#preempts = kind === 'preempts';
    this.#works = kind === 'held';
    this.#intervalMs = this.#works ? WORK_INTERVAL_MS : INTERVAL_MS;
  }

  chance(): number {
    const { value, random } = nextRandom(this.#random);
    this.#random = random;
    return value;
  }

  start(id: string): void {
    this.#lives += 1;
    const run = `${id}-${String(this.#lives)}`;
    const times = { intervalMs: this.#intervalMs, leaseMs: LEASE_MS, preempts: this.#preempts };
    const settings = {
      node: id,
      run,
      target: `http://${id}`,
      ...times,
      untilReleased: this.#works,
    };
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
    const node = this.#node(id);
    node.isDead = true;
    this.nodes.delete(id);
    // Its guard ends the work in order, as long as there is time.
    const { work } = node;
    if (work !== null)
      this.#in(this.chance() * LEASE_MS * 0.5, null, () => {
        this.#endByGuard(node, work);
      });
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
    if (this.#works) {
      this.#checkWork();
      return;
    }
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

  #checkWork(): void {
    this.#work = this.#work.filter(({ hasEnded }) => !hasEnded);
    if (this.#work.length <= 1) return;
    const runs = this.#work.map(({ run, epoch }) => `${run} under ${String(epoch)}`);
    throw new Error(`At ${String(this.at)} ms ${runs.join(' and ')} work`);
  }

  /** Begins what a term is for, goes on with it as long as it is renewed, and gives it up in order when it is over. */
  #workOn(node: PeerNode): void {
    if (!this.#works) return;
    const { election, settings, work } = node;
    const { term } = election;
    const leads = term !== null && isLeading(election, this.at, settings);
    const heardAt = this.#heardAt(node);
    if (work === null) {
      // All that live know of the epoch before anything begins under it.
      if (leads && heardAt >= node.termSince) this.#begin(node, term);
      else if (election.holds && term === null) this.#giveUp(node);
      return;
    }
    if (leads && !work.hasEnded && term === work.epoch) {
      const askedAt = Math.max(heardAt, this.at - COUNTED_MS);
      work.deadlineAt = Math.max(work.deadlineAt, askedAt + GUARDED_MS);
      return;
    }
    work.hasEnded = true;
    node.work = null;
    this.#giveUp(node);
  }

  /** For a while. */
  #giveUp(node: PeerNode): void {
    this.#want(node, false);
    this.#in(this.chance() * 100, node, () => {
      this.#want(node, true);
    });
  }

  /** When it said the latest that each that lives is known to have heard. */
  #heardAt({ election }: PeerNode): number {
    const live = [...election.peers.values()].filter(
      ({ leaving, seenAt }) => !leaving && this.at - seenAt < LEASE_MS,
    );
    return Math.min(this.at, ...live.map(({ heardUsAt }) => heardUsAt));
  }

  #begin(node: PeerNode, epoch: number): void {
    const { run, node: id } = node.settings;
    const work: Work = { run, epoch, deadlineAt: this.at + GUARDED_MS, hasEnded: false };
    node.work = work;
    this.#work = [...this.#work, work];
    this.epochs.push(epoch);
    this.leaders.push(id);
    this.#watch(node, work);
  }

  /** The guard: whatever becomes of its node. */
  #watch(node: PeerNode, work: Work): void {
    this.#in(work.deadlineAt - this.at, null, () => {
      if (work.hasEnded) return;
      if (this.at < work.deadlineAt) this.#watch(node, work);
      else this.#endByGuard(node, work);
    });
  }

  /** Then it says good-bye for the node: to each some time later, or never. */
  #endByGuard(node: PeerNode, work: Work): void {
    if (work.hasEnded) return;
    work.hasEnded = true;
    const seq = (Math.floor(node.seq / SEQ_BLOCK) + 1) * SEQ_BLOCK - 1;
    const none = {
      bid: null,
      leads: false,
      term: null,
      supports: null,
      doubles: [],
      leaseMs: LEASE_MS,
    };
    const { run, node: id, target } = node.settings;
    const said = {
      node: id,
      run,
      target,
      seq,
      epoch: work.epoch,
      ...none,
      leaving: true,
      about: '',
    };
    for (const peer of this.nodes.values()) {
      if (peer === node || this.chance() < 0.1) continue;
      this.#in(this.chance() * LEASE_MS, peer, () => {
        this.#hear(peer, said, null);
      });
    }
  }

  #want(node: PeerNode, wants: boolean): void {
    if (node.election.holds) node.seq = (Math.floor(node.seq / SEQ_BLOCK) + 1) * SEQ_BLOCK;
    const asked = { at: this.at, settings: node.settings };
    node.election = wantToLead(node.election, { wants, epoch: 0 }, asked);
    this.#round(node);
  }

  #tick(node: PeerNode): void {
    this.#for(node, () => {
      this.#round(node);
      this.#workOn(node);
      this.#in(this.#intervalMs, node, () => {
        this.#tick(node);
      });
    });
  }

  #round(node: PeerNode): void {
    const before = node.election;
    node.election = beginRound(before, this.at, node.settings);
    if (node.election.term !== before.term) node.termSince = this.at;
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
          if (this.at - askedAt >= this.#intervalMs && this.chance() < 0.9) return;
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
    if (term !== null && term !== before.term) node.termSince = this.at;
    if (bid !== before.bid || term !== before.term) this.#round(node);
    this.#workOn(node);
  }

  #say(node: PeerNode): Heartbeat {
    node.seq += 1;
    const words = ownWords(node.election, this.at, node.settings);
    return { ...words, seq: node.seq, leaving: false, about: '' };
  }

  /** Mostly soon, at times almost as late as an answer may be. */
  #delayMs(): number {
    return this.chance() < 0.8 ? this.chance() * 5 : this.chance() * this.#intervalMs * 0.45;
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
