// The lease that nodes agree on among themselves: who leads says so to all that live, and each of them gives way.
import { formatDuration } from '../../config/duration.ts';
import { isLive } from '../../core/peer-table.ts';
import type { Endpoints, LeaseHolder, LeaseObservation } from '../../core/state.ts';
import { FailoverError } from '../../errors.ts';
import type { ReturnOrder } from '../../guard/messages.ts';
import type { PeerCounters } from '../../peers/peer-counters.ts';
import type { PeerNode } from '../../peers/peer-node.ts';
import { ChangeWatch } from '../change-watch.ts';
import type {
  AcquireOutcome,
  ReleaseOutcome,
  RenewOutcome,
  VerifyOutcome,
} from '../lease-store.ts';
import type {
  RemoteStore,
  RemoteStoreOptions,
  StoredSight,
  StoredNode,
  StoreEvent,
} from '../remote-store.ts';
import { encodeAbout, readAbout } from './about.ts';
import type { GroupWord } from './about.ts';
import { Changes } from './changes.ts';
import { GroupWords } from './group-words.ts';
import type { KeptWord } from './kept-word.ts';
import { PeerSightings } from './peer-sightings.ts';

export interface PeersLeaseParts {
  readonly options: RemoteStoreOptions;
  readonly tickMs: number;
  readonly maxDriftMs: number;
  readonly kept: KeptWord;
  /** Puts an epoch on record on this machine: on the disk when it resolves. */
  readonly keepEpoch: (epoch: number) => Promise<void>;
  /** Its election, which asks for what is said beside it. */
  readonly open: (hooks: {
    readonly about: () => string;
    readonly onChange: () => void;
  }) => PeerNode;
  /** Begins to hear others. @throws FAILOVER_ADDRESS_IN_USE, FAILOVER_NODE_TAKEN, FAILOVER_BAD_KEY_FILE */
  readonly listen: (node: PeerNode) => Promise<void>;
  readonly stopListening: () => Promise<void>;
  /** How another process says good-bye for this term of it. */
  readonly returnOrder: (lastSeq: number, epoch: number) => ReturnOrder;
}

export class PeersLease implements RemoteStore {
  readonly kind = 'peers';
  readonly guards: readonly string[] = ['peers', 'epoch'];
  readonly #parts: PeersLeaseParts;
  readonly #node: PeerNode;
  readonly #watch = new ChangeWatch();
  readonly #changes = new Changes();
  readonly #sightings = new PeerSightings();
  readonly #words: GroupWords;
  #record: StoredNode;
  /** The epoch of the term that was granted last and not given up; null: none. */
  #epoch: number | null = null;
  /** Counts what was asked for and given up: an answer to an earlier one is nobody's. */
  #attempt = 0;
  #told = '';
  #isClosed = false;

  constructor(parts: PeersLeaseParts) {
    this.#parts = parts;
    this.#record = parts.options.record;
    this.#words = new GroupWords(parts.kept, parts.options.record.node);
    this.#node = parts.open({
      about: () => encodeAbout(this.#record, this.#words.latest),
      onChange: () => {
        this.#changed();
      },
    });
  }

  async begin(): Promise<void> {
    await this.#parts.listen(this.#node);
    void this.#node.begin();
    this.#note('joined', 0);
  }

  returnOrder(): ReturnOrder | null {
    if (this.#epoch === null) return null;
    return this.#parts.returnOrder(this.#node.lastSeq, this.#epoch);
  }

  get counters(): PeerCounters {
    return this.#node.counters;
  }

  /** Waits until it has listened for long enough, and until all that live give way. */
  async acquire(floor: number): Promise<AcquireOutcome> {
    this.#giveUp();
    const attempt = this.#attempt;
    const untilMs = this.#now() + ACQUIRE_LIMIT_MS;
    this.#node.want(true, floor);
    void this.#node.say();
    for (;;) {
      const outcome = this.#outcomeOf(attempt);
      if (outcome !== 'open') {
        if (attempt === this.#attempt) this.#giveUp();
        return { type: 'denied', cause: outcome, waitsFor: [], observation: this.observe() };
      }
      if (this.#node.term !== null && this.#node.isLeading) break;
      const leftMs = untilMs - this.#now();
      if (leftMs <= 0) {
        this.#giveUp();
        throw this.#unreachable(this.#whoHesitates());
      }
      await this.#changes.next(leftMs);
    }
    return this.#granted(attempt);
  }

  /**
   * The epoch is on record here, and known to all that live, before anything starts under it: the next one's is higher.
   * The term counts from after the first, which takes as long as the disk.
   */
  async #granted(attempt: number): Promise<AcquireOutcome> {
    const epoch = this.#node.term;
    const previous = this.#previous;
    this.#epoch = epoch;
    try {
      if (epoch !== null) await this.#keep(epoch);
    } catch (error) {
      this.#giveUp();
      void this.#node.say();
      throw error;
    }
    const askedAt = this.#now();
    void this.#node.say();
    await this.#heardByAll(askedAt, this.#parts.options.requestTimeoutMs);
    if (epoch === null || attempt !== this.#attempt || this.#node.term !== epoch) {
      if (attempt === this.#attempt) this.#giveUp();
      return { type: 'denied', cause: 'lost-race', waitsFor: [], observation: this.observe() };
    }
    this.#note('granted', epoch);
    const granted = { askedAt, ttlMs: this.#parts.options.ttlMs };
    return { type: 'granted', epoch, previous, granted };
  }

  /**
   * Renews by what the living peers are known to have heard: they count the silence of this node from there, or
   * later.
   */
  async renew(timeoutMs: number): Promise<RenewOutcome> {
    const [attempt, epoch] = [this.#attempt, this.#epoch];
    if (epoch === null) return { type: 'over' };
    const saidAt = this.#now();
    void this.#node.say();
    await this.#heardByAll(saidAt, Math.min(timeoutMs, this.#parts.tickMs / ANSWER_SHARE));
    if (attempt !== this.#attempt || this.#epoch === null) return { type: 'over' };
    const cause = this.#lossOf(this.#epoch);
    if (cause !== null) return { type: 'lost', cause };
    if (!this.#node.isLeading) {
      throw this.#unreachable('a live node may not have heard this one for a whole lease');
    }
    // A peer that is gone, or cut off, must not end the term of a node that the others hear.
    const earliest = saidAt - this.#parts.maxDriftMs * SILENT_SHARE;
    const askedAt = Math.min(saidAt, Math.max(this.#node.heardByAllAt, earliest));
    return { type: 'renewed', askedAt, ttlMs: this.#parts.options.ttlMs };
  }

  /** Where it fails the lease is still held: what ran under the epoch before it may run on until it was stopped. */
  async advanceEpoch(floor: number): Promise<number> {
    const attempt = this.#attempt;
    const epoch = this.#epoch === null ? null : this.#node.advance(floor);
    if (epoch === null) throw this.#lost('it is not held');
    this.#epoch = epoch;
    await this.#keep(epoch);
    const saidAt = this.#now();
    void this.#node.say();
    await this.#heardByAll(saidAt, this.#parts.options.requestTimeoutMs);
    if (attempt !== this.#attempt) throw this.#lost('it was given up');
    const cause = this.#lossOf(epoch);
    if (cause !== null) throw this.#lost(cause);
    this.#note('advanced', epoch);
    return epoch;
  }

  verify(): VerifyOutcome {
    const cause = this.#epoch === null ? 'the lease is not held' : this.#lossOf(this.#epoch);
    return cause === null ? { type: 'held' } : { type: 'lost', cause };
  }

  /** Resolves when all that live know: who comes next asks them. */
  async release(): Promise<ReleaseOutcome> {
    const epoch = this.#epoch;
    this.#giveUp();
    const saidAt = this.#now();
    void this.#node.say();
    await this.#heardByAll(saidAt, this.#parts.tickMs / ANSWER_SHARE);
    if (epoch !== null) this.#note('released', epoch);
    return { heldBy: null };
  }

  observe(): LeaseObservation {
    const rival = this.#rival;
    const own: LeaseHolder = this.#record;
    const holder = this.#epoch === null ? (rival?.holder ?? null) : own;
    const waitsForMs = this.#node.listensForMs - BIDDING_TICKS * this.#parts.tickMs;
    const { node: id, run, endpoints } = holder ?? own;
    return {
      epoch: this.#node.epoch,
      held: this.#epoch !== null || rival !== null,
      holder: holder === null ? null : { node: id, run, endpoints },
      recordUnreadable: false,
      touch: null,
      paused: this.#words.latest.pausedBy !== null,
      ...(waitsForMs > 0 ? { notBefore: this.#now() + waitsForMs } : {}),
    };
  }

  learn(epoch: number): void {
    this.#node.learn(epoch);
  }

  look(): Promise<LeaseObservation> {
    return Promise.resolve(this.observe());
  }

  watch(onChange: () => void): void {
    this.#watch.add(onChange);
  }

  /** The others know nothing of processes. */
  missesRecordIn(): boolean {
    return false;
  }

  cleared(): void {
    // Leftover processes are local: the peers have nothing to clear.
  }

  async markCompleted(epoch: number): Promise<void> {
    await this.#tell({ completed: epoch });
    this.#note('completed', epoch);
  }

  async setPaused(paused: boolean, by: string): Promise<void> {
    await this.#tell({ pausedBy: paused ? by.slice(0, NAME_LIMIT) || 'somebody' : null });
    this.#note(paused ? 'paused' : 'resumed', this.#node.epoch);
  }

  listNodes(): Promise<readonly StoredSight[]> {
    const at = this.#now();
    const seen = this.#node.known.flatMap((peer) => {
      const { record } = readAbout(peer);
      const seenAgoMs = Math.max(0, at - peer.seenAt);
      return record === null || seenAgoMs > SHOWN_FOR_MS ? [] : [{ ...record, seenAgoMs }];
    });
    return Promise.resolve([{ ...this.#record, seenAgoMs: 0, pid: process.pid }, ...seen]);
  }

  readEvents(limit: number): Promise<readonly StoreEvent[]> {
    return Promise.resolve(this.#sightings.latest(limit));
  }

  updateEndpoints(endpoints: Endpoints): void {
    this.#record = { ...this.#record, endpoints };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#giveUp();
    this.#watch.close();
    await this.#node.close();
    await this.#parts.stopListening();
  }

  /**
   * Resolves once the epoch is on record here, or the term is given up: nobody waits for a disk that hangs.
   *
   * @throws FAILOVER_STATE_DIR_*
   */
  async #keep(epoch: number): Promise<void> {
    const attempt = this.#attempt;
    const work = { isOver: false };
    const kept = this.#parts.keepEpoch(epoch).finally(() => {
      work.isOver = true;
      this.#changes.tell();
    });
    // Thrown below, unless nobody waits for it any more.
    kept.catch(() => undefined);
    while (!work.isOver && attempt === this.#attempt) await this.#changes.next(ACQUIRE_LIMIT_MS);
    if (attempt === this.#attempt) await kept;
  }

  /** What it wants or holds is over. */
  #giveUp(): void {
    this.#attempt += 1;
    this.#epoch = null;
    this.#node.want(false);
    this.#changes.tell();
  }

  #outcomeOf(attempt: number): 'open' | 'held' | 'completed' | 'lost-race' {
    if (attempt !== this.#attempt || this.#isClosed) return 'lost-race';
    if (this.#words.isCompleted) return 'completed';
    return this.#rival === null ? 'open' : 'held';
  }

  /** Another that leads, or may: its name is not known then. */
  get #rival(): { readonly holder: LeaseHolder | null } | null {
    const { ttlMs } = this.#parts.options;
    const at = this.#now();
    const leading = this.#node.known.filter((peer) => peer.leads && isLive(peer, at, ttlMs));
    const [first] = leading.sort((a, b) => (b.term ?? 0) - (a.term ?? 0));
    if (first !== undefined) return { holder: readAbout(first).holder };
    return this.#node.mayHaveHiddenLeader ? { holder: null } : null;
  }

  /** The peer that led last, of those that are known. */
  get #previous(): string | null {
    return this.#sightings.lastLeader;
  }

  /** Why a term is over; null: it is not. */
  #lossOf(epoch: number): string | null {
    if (this.#node.term === epoch) return null;
    if (this.#node.hasDuplicateId)
      return `another node with the id ${this.#record.node} is running`;
    const holder = this.#rival?.holder ?? null;
    if (holder !== null) return `${holder.node} leads`;
    return 'the others may consider it gone';
  }

  /** @throws when the disk does not take it */
  async #tell(said: Partial<Pick<GroupWord, 'pausedBy' | 'completed'>>): Promise<void> {
    await this.#words.say(said);
    const saidAt = this.#now();
    void this.#node.say();
    await this.#heardByAll(saidAt, this.#parts.options.requestTimeoutMs);
  }

  #changed(): void {
    this.#words.hear(this.#node.known, !this.#node.hasListened);
    this.#sightings.look(this.#node.known, this.#now());
    this.#changes.tell();
    const { held, holder, epoch, paused } = this.observe();
    const isOver = this.#epoch !== null && this.#lossOf(this.#epoch) !== null;
    const now = JSON.stringify([held, holder?.run, epoch, paused, isOver, this.#words.isCompleted]);
    if (now === this.#told) return;
    this.#told = now;
    this.#watch.changed();
  }

  /** Resolves when each that lives has heard what was said since, or when it has waited for so long. */
  async #heardByAll(since: number, withinMs: number): Promise<void> {
    const untilMs = this.#now() + withinMs;
    const attempt = this.#attempt;
    while (this.#node.heardByAllAt < since && attempt === this.#attempt) {
      const leftMs = untilMs - this.#now();
      if (leftMs <= 0) return;
      await this.#changes.next(leftMs);
    }
  }

  #whoHesitates(): string {
    const { listensForMs } = this.#node;
    if (listensForMs > 0) {
      return `it listens for another ${formatDuration(Math.ceil(listensForMs))} before it may lead`;
    }
    const { ttlMs, record } = this.#parts.options;
    if (this.#node.hasDuplicateId) return `another node with the id ${record.node} is running`;
    const at = this.#now();
    const live = this.#node.known.filter((peer) => isLive(peer, at, ttlMs));
    const names = live.map(({ node }) => node);
    return `not all of ${names.join(', ') || 'them'} have yielded`;
  }

  #note(action: StoreEvent['action'], epoch: number): void {
    this.#sightings.note({ node: this.#record.node, action, epoch });
  }

  #unreachable(why: string): FailoverError {
    const message = `Cannot be sure of the other nodes of the group: ${why}`;
    return new FailoverError('FAILOVER_STORE_UNREACHABLE', message);
  }

  #lost(cause: string): FailoverError {
    const { group } = this.#parts.options;
    return new FailoverError(
      'FAILOVER_LEASE_LOST',
      `Cannot advance the epoch of ${this.#record.node} in group ${group}: ${cause}`,
      { details: { group } },
    );
  }

  #now(): number {
    return this.#parts.options.now();
  }
}

/** Shorter than the time after which nobody waits for a claim any more. */
const ACQUIRE_LIMIT_MS = 8_000;

/** How long before it may lead a node bids: those that were started together hear of each other by then. */
const BIDDING_TICKS = 2;

/** The part of a tick that the answers to a renewal are waited for: those that come later count for the next. */
const ANSWER_SHARE = 5;

/** The part of the longest drift that one may be silent for before its silence counts for nothing. */
const SILENT_SHARE = 0.3;

/** The longest name of a person who paused the group, characters. */
const NAME_LIMIT = 128;

/** As long as a server remembers a node. */
const SHOWN_FOR_MS = 30_000;
