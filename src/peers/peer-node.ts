// One node among its peers: beats, hears, and keeps what the core decides from it.
import { randomBytes } from 'node:crypto';
import {
  advanceTerm,
  beginElection,
  beginRound,
  hearPeer,
  isLeading,
  leaderOf,
  ownWords,
  wantToLead,
} from '../core/peer-election.ts';
import type { PeerElection, PeerSettings } from '../core/peer-election.ts';
import { livePeers, mayStillLead } from '../core/peer-table.ts';
import type { Heartbeat, Peer } from '../core/peer-table.ts';
import type { Clock } from '../runtime/ports.ts';
import { parseJson } from '../transport/checks.ts';
import { Challenges } from './challenges.ts';
import { PeerTally } from './peer-counters.ts';
import type { PeerCounters } from './peer-counters.ts';
import { PeerLink } from './peer-link.ts';
import type { Exchange, SignedBody } from './peer-link.ts';
import { encodeAnswer, encodeRequest, readAnswer, readRequest } from './peer-message.ts';
import type { PeerMessage } from './peer-message.ts';
import { isSigned, signature } from './signature.ts';
import type { Secret } from './signature.ts';

export interface PeerNodeOptions {
  readonly group: string;
  readonly node: string;
  readonly target: string;
  /** Addresses; its own may be among them. */
  readonly peers: readonly string[];
  /** Null: nobody is heard, and nobody is asked. */
  readonly secret: Secret | null;
  readonly intervalMs: number;
  readonly leaseMs: number;
  readonly preempts: boolean;
  /** As in the settings of the election. */
  readonly untilReleased?: boolean;
  /** By default a random text. */
  readonly run?: string;
  /** How long a request waits for its answer; by default one interval. */
  readonly timeoutMs?: number;
  /** Whether it leaves out to ask a peer that has asked it just now: each exchange tells both of the other. */
  readonly sparesRequests?: boolean;
  /** Whether it wants to lead from its start on; by default it does. */
  readonly wants?: boolean;
  /** What else it says of itself with each word. */
  readonly about?: () => string;
  readonly clock: Clock;
  /** Something may have changed. */
  readonly onChange: () => void;
}

/** What is answered to a request, as HTTP has it. */
export type Reply =
  | ({ readonly status: 200 } & SignedBody)
  | { readonly status: 400 | 401 | 403 | 503; readonly fact: string };

export interface SeenPeer {
  readonly node: string;
  readonly target: string;
  readonly leads: boolean;
  readonly seenAgoMs: number;
}

export class PeerNode {
  readonly #options: PeerNodeOptions;
  readonly #settings: PeerSettings;
  readonly #challenges: Challenges;
  readonly #tally = new PeerTally();
  readonly #links: readonly { readonly link: PeerLink; readonly isFresh: () => boolean }[];
  #election: PeerElection;
  #seq = 0;
  #cancelTick: (() => void) | null = null;
  #state: 'new' | 'open' | 'leaving' | 'closed' = 'new';

  constructor(options: PeerNodeOptions) {
    const { node, target, intervalMs, leaseMs, preempts, clock, secret } = options;
    const { untilReleased = false, wants = true, timeoutMs = intervalMs } = options;
    this.#options = options;
    const run = options.run ?? randomBytes(8).toString('hex');
    this.#settings = { node, run, target, intervalMs, leaseMs, preempts, untilReleased };
    const now = (): number => clock.now();
    this.#challenges = new Challenges({ intervalMs, validMs: leaseMs, now });
    const peers = secret === null ? [] : [...new Set(options.peers)];
    this.#links = peers.map((peer) => this.#linkTo(peer, timeoutMs));
    this.#election = beginElection(now(), this.#settings, { wants, epoch: 0 });
  }

  get isLeading(): boolean {
    return this.#isOpen && isLeading(this.#election, this.#now(), this.#settings);
  }

  /** Whether it is over the time in which it only listens. */
  get hasListened(): boolean {
    return this.#now() >= this.#election.listensUntil;
  }

  get leader(): { readonly node: string; readonly target: string } | null {
    if (!this.#isOpen) return null;
    return leaderOf(this.#election, this.#now(), this.#settings);
  }

  /** Of its term, or the highest that it knows. */
  get epoch(): number {
    return this.#election.term ?? this.#election.epoch;
  }

  get peers(): readonly SeenPeer[] {
    const at = this.#now();
    return livePeers(this.#election.peers, at, this.#settings.leaseMs).map(
      ({ node, target, leads, seenAt }) => ({ node, target, leads, seenAgoMs: at - seenAt }),
    );
  }

  /** Whether another lives under its id. */
  get hasDuplicateId(): boolean {
    return this.#now() < this.#election.duplicateUntil;
  }

  /** The epoch of its term, also where it doubts for the moment that it may lead; null: it has none. */
  get term(): number | null {
    return this.#election.term;
  }

  /** How long it only listens yet, ms. */
  get listensForMs(): number {
    return Math.max(0, this.#election.listensUntil - this.#now());
  }

  /** Whether somebody may lead who does not say so: a node that led was started anew. */
  get mayHaveHiddenLeader(): boolean {
    return mayStillLead(this.#election.peers, this.#now());
  }

  /** All that are known and have not left, the silent ones too. */
  get known(): readonly Peer[] {
    return [...this.#election.peers.values()].filter(({ leaving }) => !leaving);
  }

  /** When it said the latest that each that lives is known to have heard; Infinity: nobody lives. */
  get heardByAllAt(): number {
    const live = livePeers(this.#election.peers, this.#now(), this.#settings.leaseMs);
    return Math.min(Infinity, ...live.map(({ heardUsAt }) => heardUsAt));
  }

  /** As `wantToLead`. What was held is over: what anybody says of it from here on counts for nothing. */
  want(wants: boolean, epoch = 0): void {
    if (this.#election.holds) this.#seq = this.lastSeq + 1;
    const asked = { at: this.#now(), settings: this.#settings };
    this.#election = wantToLead(this.#election, { wants, epoch }, asked);
  }

  /** A number above all that it says before it next gives up what it holds. */
  get lastSeq(): number {
    return (Math.floor(this.#seq / SEQ_BLOCK) + 1) * SEQ_BLOCK - 1;
  }

  /** Takes note of an epoch that is known to have been. */
  learn(epoch: number): void {
    const known = Math.max(this.#election.epoch, epoch);
    // Of one that leads this would be the end, as it is whenever another has led since.
    if (known > this.#election.epoch) this.#election = { ...this.#election, epoch: known };
  }

  /** The next epoch of its term; null: it does not lead. */
  advance(floor: number): number | null {
    const asked = { at: this.#now(), settings: this.#settings };
    const next = advanceTerm(this.#election, floor, asked);
    if (next !== null) this.#election = next;
    return next?.term ?? null;
  }

  /** Says it all anew, and resolves once each peer has answered or failed to. */
  say(): Promise<void> {
    return this.#isOpen ? this.#round() : Promise.resolve();
  }

  get counters(): PeerCounters {
    return this.#tally.snapshot();
  }

  /** Counts what was refused before it came here. */
  refused(cause: 'malformed' | 'oversized'): void {
    this.#tally.count(cause);
  }

  /** Resolves once each peer has answered, or failed to. */
  async begin(): Promise<void> {
    this.#state = 'open';
    const { wants, epoch } = this.#election;
    this.#election = beginElection(this.#now(), this.#settings, { wants, epoch });
    this.#tickIn(this.#settings.intervalMs);
    await this.#round();
  }

  /** Says good-bye, within one interval: what can't be told is found out. */
  async close(): Promise<void> {
    if (this.#state === 'closed' || this.#state === 'leaving') return;
    const hasBegun = this.#state === 'open';
    this.#state = 'leaving';
    this.#cancelTick?.();
    this.#options.onChange();
    if (hasBegun) await Promise.all(this.#links.map(({ link }) => link.say()));
    this.#state = 'closed';
    for (const { link } of this.#links) link.close();
  }

  /** Takes a request, with its signature as it was given. */
  answer(body: Buffer, given: unknown): Reply {
    const { secret } = this.#options;
    const value = parseJson(body);
    if (value === undefined) return this.#refuse('malformed', 400, 'it is not JSON');
    if (secret === null || !isSigned(secret, 'request', { body, given })) {
      return this.#refuse('unsigned', 401, 'it is not signed with the secret of this group');
    }
    const request = readRequest(value);
    if (request === null) return this.#refuse('malformed', 400, 'it is not a heartbeat');
    if (request.group !== this.#options.group) {
      return this.#refuse('foreign', 403, 'it is of another group');
    }
    if (!this.#isOpen) return { status: 503, fact: 'this node is not participating now' };
    const { run, seq } = request.heartbeat;
    const heardUsAt = request.proof === null ? null : this.#challenges.sinceOf(request.proof);
    if (heardUsAt === null) this.#tally.count('unproven');
    else this.#hear(request, heardUsAt);
    const answer = encodeAnswer({
      ...this.#words(),
      to: { run, seq },
      offers: this.#challenges.offer(),
      taken: heardUsAt !== null,
    });
    return { status: 200, body: answer, signature: signature(secret, 'answer', answer) };
  }

  #linkTo(
    peer: string,
    timeoutMs: number,
  ): { readonly link: PeerLink; readonly isFresh: () => boolean } {
    let id: string | null = null;
    const exchange = this.#exchange((node) => {
      id = node;
    });
    const isFresh = (): boolean => {
      const known = id === null ? undefined : this.#election.peers.get(id);
      const ageMs = known === undefined ? Infinity : this.#now() - known.seenAt;
      return ageMs < this.#settings.intervalMs * FRESH_SHARE;
    };
    return { link: new PeerLink(peer, timeoutMs, exchange), isFresh };
  }

  #exchange(heard: (node: string) => void): Exchange {
    return {
      compose: (offered) => {
        const saidAt = this.#now();
        const words = this.#words();
        const body = encodeRequest({ ...words, proof: offered });
        const signed = signature(this.#options.secret ?? '', 'request', body);
        return { body, signature: signed, seq: words.heartbeat.seq, saidAt };
      },
      take: ({ body, signature: given, seq, saidAt }) => {
        const { secret } = this.#options;
        if (secret === null || !isSigned(secret, 'answer', { body, given })) {
          this.#tally.count('unsigned');
          return null;
        }
        const answer = readAnswer(parseJson(body));
        const isOurs = answer?.to.run === this.#settings.run && answer.to.seq === seq;
        if (answer === null || !isOurs || answer.group !== this.#options.group) {
          this.#tally.count(answer === null ? 'malformed' : isOurs ? 'foreign' : 'replayed');
          return null;
        }
        heard(answer.heartbeat.node);
        if (this.#isOpen) this.#hear(answer, answer.taken ? saidAt : null);
        return answer;
      },
      failed: () => {
        this.#tally.count('unanswered');
      },
    };
  }

  #hear({ heartbeat }: PeerMessage, heardUsAt: number | null): void {
    const { bid, term } = this.#election;
    const heard = { at: this.#now(), heardUsAt, settings: this.#settings };
    const { election, verdict } = hearPeer(this.#election, heartbeat, heard);
    this.#election = election;
    this.#tally.count(verdict);
    // Who waits for this node's word is not to wait for its next beat.
    if (election.bid !== bid || election.term !== term) void this.#round();
    this.#options.onChange();
  }

  /** Sooner where it will have listened long enough. */
  #tickIn(ms: number): void {
    const { clock } = this.#options;
    const { listensForMs } = this;
    const at = clock.now() + (listensForMs > 0 ? Math.min(ms, listensForMs) : ms);
    this.#cancelTick = clock.wakeAt(at, () => {
      if (!this.#isOpen) return;
      this.#tickIn(this.#settings.intervalMs);
      void this.#round(this.#options.sparesRequests === true && !this.#election.holds);
    });
  }

  async #round(spares = false): Promise<void> {
    this.#election = beginRound(this.#election, this.#now(), this.#settings);
    this.#options.onChange();
    const asked = this.#links.filter(({ isFresh }) => !(spares && isFresh()));
    await Promise.all(asked.map(({ link }) => link.say()));
  }

  /** What it says now; each time the next in order. */
  #words(): PeerMessage {
    this.#seq += 1;
    const words = ownWords(this.#election, this.#now(), this.#settings);
    const leaving = this.#state === 'leaving';
    const heartbeat: Heartbeat = {
      ...words,
      ...(leaving ? { bid: null, leads: false, term: null } : {}),
      ...{ seq: this.#seq, leaving, about: this.#options.about?.() ?? '' },
    };
    return { group: this.#options.group, heartbeat };
  }

  #refuse(cause: keyof PeerCounters, status: 400 | 401 | 403, fact: string): Reply {
    this.#tally.count(cause);
    return { status, fact };
  }

  get #isOpen(): boolean {
    return this.#state === 'open';
  }

  #now(): number {
    return this.#options.clock.now();
  }
}

/** Of two that ask at the same intervals one asks the other then, and is not asked. */
const FRESH_SHARE = 0.6;

/** More than a node says in a year. */
const SEQ_BLOCK = 2 ** 32;
