// The lease in Redis: a key with a time to live, a random token for each acquisition, and an epoch that stays.
import { randomBytes } from 'node:crypto';
import type { Granted } from '../../core/lease-term.ts';
import type { Endpoints, LeaseObservation } from '../../core/state.ts';
import { FailoverError } from '../../errors.ts';
import type { RedisAddress } from '../../config/lease-url.ts';
import type { ReturnOrder } from '../../guard/messages.ts';
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
  SeenNode,
  StoredNode,
  StoreEvent,
} from '../remote-store.ts';
import { StoreLink } from '../store-link.ts';
import { connectionsTo } from './redis-client.ts';
import type { OpenConnection, RedisConnection } from './redis-client.ts';
import { isOfReplica, refusalOf } from './redis-errors.ts';
import * as replies from './replies.ts';
import type { View } from './replies.ts';
import { runScript } from './run-script.ts';
import type { Script } from './run-script.ts';
import * as scripts from './scripts.ts';

export interface RedisLeaseOptions extends RemoteStoreOptions {
  readonly address: RedisAddress;
}

/** A node that was not seen for so long is no longer listed, ms: far longer than it pauses between two looks. */
const REGISTRATION_TTL_MS = 30_000;

export class RedisLease implements RemoteStore {
  readonly kind = 'redis';
  readonly guards = ['redis', 'epoch'] as const;
  readonly #address: RedisAddress;
  readonly #group: string;
  readonly #ttlMs: number;
  readonly #requestTimeoutMs: number;
  readonly #now: () => number;
  readonly #keys: readonly string[];
  readonly #link: StoreLink<RedisConnection>;
  readonly #watch: ChangeWatch;
  #record: StoredNode;
  /** Of the last acquisition, also of one that nothing is known of. */
  #token: string | null = null;
  /** Null: nothing is held, as far as is known here. */
  #epoch: number | null = null;
  /** By then what was asked for last has ended by itself, whatever the server did with it. */
  #overAt = 0;
  /** The highest epoch that is known here. */
  #known = 0;
  /** The place among all that ever registered; empty: none yet. */
  #start = '';
  #joining: Promise<void> | null = null;
  #takesPart = false;
  #seen: LeaseObservation = NOTHING_SEEN;
  #isClosed = false;

  /**
   * Loads the client, connects and registers.
   *
   * @throws FAILOVER_CLIENT_MISSING, FAILOVER_STORE_REFUSED; nothing is left open then
   */
  static async open(options: RedisLeaseOptions): Promise<RedisLease> {
    const { address, requestTimeoutMs } = options;
    const lease = new RedisLease(options, await connectionsTo(address, requestTimeoutMs));
    try {
      await lease.begin();
    } catch (error) {
      await lease.close();
      throw error;
    }
    return lease;
  }

  /** Nothing is opened yet. */
  constructor(options: RedisLeaseOptions, open: OpenConnection) {
    const { address, group, record, ttlMs, requestTimeoutMs, now } = options;
    this.#address = address;
    this.#group = group;
    this.#record = record;
    this.#ttlMs = ttlMs;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#now = now;
    this.#keys = scripts.keysOf(group);
    this.#watch = new ChangeWatch();
    const channel = scripts.channelOf(group);
    const { shown } = address;
    this.#link = new StoreLink({
      open: () => open(channel),
      shown,
      connectTimeoutMs: Math.max(requestTimeoutMs, LEAST_CONNECT_MS),
      onChange: () => {
        this.#watch.changed();
      },
      refusalOf: (error) => refusalOf(shown, error),
      isMisled: isOfReplica,
    });
  }

  async begin(): Promise<void> {
    this.#takesPart = true;
    try {
      await this.#join();
    } catch (error) {
      const code = error instanceof FailoverError ? error.code : null;
      if (code !== 'FAILOVER_STORE_UNREACHABLE') throw error;
    }
  }

  returnOrder(): ReturnOrder | null {
    if (this.#epoch === null || this.#token === null) return null;
    const { host, port, tls, username, password, database } = this.#address;
    const user = username === null ? [] : [username];
    const args = this.#argsOf([this.#token, this.#record.node]);
    const count = String(this.#keys.length);
    return {
      kind: 'redis',
      ...{ host, port, tls },
      greeting: [
        ...(password === null ? [] : [['AUTH', ...user, password]]),
        ...(database === 0 ? [] : [['SELECT', String(database)]]),
      ],
      request: ['EVAL', scripts.RELEASE.text, count, ...this.#keys, ...args],
      timeoutMs: Math.max(this.#requestTimeoutMs, LEAST_CONNECT_MS),
    };
  }

  async acquire(floor: number): Promise<AcquireOutcome> {
    // Of a term that was given up unasked: as its end may be unknown to the server, it is told.
    if (this.#epoch !== null && this.#token !== null) this.#giveBackSoon(this.#token);
    this.#epoch = null;
    const token = randomBytes(16).toString('hex');
    this.#token = token;
    const granted: Granted = { askedAt: this.#now(), ttlMs: this.#ttlMs };
    this.#overAt = this.#overAfter(granted.askedAt);
    let claim: replies.ClaimReply;
    try {
      await this.#joined();
      const { node, run } = this.#record;
      const record = JSON.stringify(this.#record);
      const what = [run, token, this.#ttlMs, floor, this.#start, node, record];
      claim = replies.readClaim(await this.#run(scripts.CLAIM, what));
    } catch (error) {
      // Whether it was granted is not known.
      this.#giveBackSoon(token);
      throw error;
    }
    const { observation } = this.#saw(claim.view);
    if (claim.type === 'denied') {
      return { type: 'denied', cause: claim.cause, waitsFor: [], observation };
    }
    if (this.#token !== token) {
      // Given up meanwhile: nobody would renew it.
      this.#giveBackSoon(token);
      return { type: 'denied', cause: 'lost-race', waitsFor: [], observation };
    }
    const { epoch, previous } = claim;
    this.#epoch = epoch;
    this.learn(epoch);
    return { type: 'granted', epoch, previous, granted };
  }

  async renew(timeoutMs: number): Promise<RenewOutcome> {
    const token = this.#token;
    if (token === null || this.#epoch === null) return { type: 'over' };
    const isOver = (): boolean => this.#token !== token || this.#epoch === null;
    const askedAt = this.#now();
    this.#overAt = this.#overAfter(askedAt);
    try {
      const what = [this.#record.run, token, this.#ttlMs, REGISTRATION_TTL_MS];
      const reply = replies.readRenewal(await this.#run(scripts.RENEW, what, timeoutMs));
      if (isOver()) return { type: 'over' };
      if (!reply.isKnown) this.#joinAgain();
      if (reply.isOurs) return { type: 'renewed', askedAt, ttlMs: this.#ttlMs };
      this.#epoch = null;
      const cause = reply.by === null ? 'it has ended in the store' : `${reply.by} has it`;
      return { type: 'lost', cause };
    } catch (error) {
      if (isOver()) return { type: 'over' };
      throw error;
    }
  }

  async advanceEpoch(floor: number): Promise<number> {
    const token = this.#token;
    if (token === null || this.#epoch === null) throw this.#lost('it is not held');
    const isOver = (): boolean => this.#token !== token || this.#epoch === null;
    const what = [token, floor, this.#record.node];
    const epoch = replies.readAdvance(await this.#run(scripts.ADVANCE, what));
    if (epoch === null) throw this.#lost('the store has it no more');
    // Given back, or found lost, meanwhile: it stays so.
    if (!isOver()) this.#epoch = epoch;
    this.learn(epoch);
    return epoch;
  }

  /** What this node knows by itself: nobody is asked before each start. */
  verify(): VerifyOutcome {
    if (this.#epoch === null) return { type: 'lost', cause: 'the lease is not held' };
    return { type: 'held' };
  }

  async release(): Promise<ReleaseOutcome> {
    const token = this.#token;
    // From here on nothing is claimed of it, whatever becomes of the request.
    this.#epoch = null;
    if (token === null) return { heldBy: null };
    try {
      await this.#run(scripts.RELEASE, [token, this.#record.node]);
    } catch (error) {
      // Nobody renews it: a node does not wait for a server that is gone for good.
      if (this.#now() < this.#overAt) throw error;
    }
    if (this.#token === token) this.#token = null;
    return { heldBy: null };
  }

  observe(): LeaseObservation {
    return this.#seen;
  }

  learn(epoch: number): void {
    this.#known = Math.max(this.#known, epoch);
  }

  async look(): Promise<LeaseObservation> {
    const what = [this.#record.run, REGISTRATION_TTL_MS, this.#known];
    const view = replies.readView(await this.#run(scripts.LOOK, what));
    if (!view.isKnown) this.#joinAgain();
    return this.#saw(view).observation;
  }

  watch(onChange: () => void): void {
    this.#watch.add(onChange);
  }

  /** A store knows nothing of processes. */
  missesRecordIn(): boolean {
    return false;
  }

  cleared(): void {
    // As above.
  }

  async markCompleted(epoch: number): Promise<void> {
    await this.#run(scripts.COMPLETE, [this.#record.node, epoch]);
  }

  async setPaused(paused: boolean, by: string): Promise<void> {
    await this.#run(scripts.PAUSE, [this.#record.node, paused ? by || 'somebody' : '']);
  }

  async listNodes(): Promise<readonly SeenNode[]> {
    return replies.readNodes(await this.#run(scripts.LIST, []), REGISTRATION_TTL_MS);
  }

  async readEvents(limit: number): Promise<readonly StoreEvent[]> {
    return replies.readEvents(await this.#run(scripts.EVENTS, [limit]));
  }

  updateEndpoints(endpoints: Endpoints): void {
    this.#record = { ...this.#record, endpoints };
    this.#joinAgain();
  }

  /** Within two requests' time: what can not be given back ends by itself. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#watch.close();
    const { node, run } = this.#record;
    const leaving = this.#start === '' ? null : this.#run(scripts.LEAVE, [run, node]);
    await Promise.allSettled([this.release(), leaving]);
    this.#link.close();
  }

  #saw(view: View): View {
    this.learn(view.observation.epoch);
    this.#seen = view.observation;
    this.#watch.endsIn(this.#epoch === null ? view.leftMs : null);
    return view;
  }

  #joined(): Promise<void> {
    return this.#start === '' ? this.#join() : Promise.resolve();
  }

  /** One at a time: each would be another start. */
  #join(): Promise<void> {
    this.#joining ??= this.#register().finally(() => {
      this.#joining = null;
    });
    return this.#joining;
  }

  async #register(): Promise<void> {
    const { node, run } = this.#record;
    const what = [run, REGISTRATION_TTL_MS, node, JSON.stringify(this.#record), this.#start];
    this.#start = String(replies.readStart(await this.#run(scripts.JOIN, what)));
  }

  /** Nobody waits for it: the next look tries again. */
  #joinAgain(): void {
    if (this.#isClosed || !this.#takesPart) return;
    this.#join().catch(() => undefined);
  }

  /** A request counts from when the server takes it, at the latest when nobody waits for its answer any more. */
  #overAfter(askedAt: number): number {
    return askedAt + this.#requestTimeoutMs + this.#ttlMs;
  }

  /** A word to the store that nobody waits for. */
  #giveBackSoon(token: string): void {
    this.#run(scripts.RELEASE, [token, this.#record.node]).catch(() => undefined);
  }

  #run(
    script: Script,
    what: readonly (string | number)[],
    timeoutMs: number = this.#requestTimeoutMs,
  ): Promise<unknown> {
    const request = { keys: this.#keys, args: this.#argsOf(what) };
    return this.#link.within(timeoutMs, (connection) => runScript(connection, script, request));
  }

  /** What every script takes, and then its own. */
  #argsOf(what: readonly (string | number)[]): readonly string[] {
    return [scripts.channelOf(this.#group), ...what.map(String)];
  }

  #lost(cause: string): FailoverError {
    return new FailoverError(
      'FAILOVER_LEASE_LOST',
      `Cannot advance the epoch of ${this.#record.node} in group ${this.#group}: ${cause}.`,
      { details: { group: this.#group } },
    );
  }
}

/** A connection takes more than an answer: name, handshake, perhaps encryption. */
const LEAST_CONNECT_MS = 250;

const NOTHING_SEEN: LeaseObservation = {
  epoch: 0,
  held: false,
  holder: null,
  recordUnreadable: false,
  touch: null,
  paused: false,
};
