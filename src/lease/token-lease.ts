// A lease that a server keeps: a random token for each acquisition says whose it is, and what is asked of the server
// while it is given up is nobody's.
import { randomBytes } from 'node:crypto';
import type { Granted } from '../core/lease-term.ts';
import type { Endpoints, LeaseObservation } from '../core/state.ts';
import { NOTHING_OBSERVED } from '../core/state.ts';
import { FailoverError } from '../errors.ts';
import type { ReturnOrder } from '../guard/messages.ts';
import { isTaken, isUnreachable, joinAlone } from './join-alone.ts';
import type { Alone, JoinReply } from './join-alone.ts';
import type {
  AcquireOutcome,
  LeaseKind,
  ReleaseOutcome,
  RenewOutcome,
  VerifyOutcome,
} from './lease-store.ts';
import type { ChangeWatch } from './change-watch.ts';
import type {
  RemoteStore,
  RemoteStoreOptions,
  StoredSight,
  StoredNode,
  StoreEvent,
} from './remote-store.ts';
import type { Asker, ClaimReply, TokenDriver, View } from './token-driver.ts';

export interface TokenLeaseParts {
  readonly kind: LeaseKind;
  readonly options: RemoteStoreOptions;
  readonly driver: TokenDriver;
  /** The changes that the server tells of. */
  readonly watch: ChangeWatch;
}

export class TokenLease implements RemoteStore {
  readonly kind: LeaseKind;
  readonly guards: readonly string[];
  readonly #options: RemoteStoreOptions;
  readonly #driver: TokenDriver;
  readonly #watch: ChangeWatch;
  #record: StoredNode;
  /** The token of the last acquisition, also of one whose outcome is not known. */
  #token: string | null = null;
  /** That of the last claim, unless it was given up: what the server grants it then is nobody's. */
  #claiming: string | null = null;
  /** Null: nothing is held, as far as is known here. */
  #epoch: number | null = null;
  /** When the last requested lease has certainly expired, whatever the server did. */
  #overAt = 0;
  /** The highest epoch that is known here. */
  #known = 0;
  /** The place among all that ever registered; empty: none yet. */
  #start = '';
  #joining: Promise<void> | null = null;
  /** Another is on record with its id, and may live: nothing is claimed until that is clear. */
  #isContested = false;
  #takesPart = false;
  /** Who begins is told by that what has become of it. */
  #hasBegun = false;
  #seen: LeaseObservation = NOTHING_OBSERVED;
  #isClosed = false;

  constructor({ kind, options, driver, watch }: TokenLeaseParts) {
    this.kind = kind;
    this.guards = [kind, 'epoch'];
    this.#options = options;
    this.#driver = driver;
    this.#watch = watch;
    this.#record = options.record;
  }

  async begin(): Promise<void> {
    this.#takesPart = true;
    try {
      await this.#join();
    } catch (error) {
      if (!isUnreachable(error)) throw error;
    }
    this.#hasBegun = true;
  }

  returnOrder(): ReturnOrder | null {
    if (this.#epoch === null || this.#token === null) return null;
    return this.#driver.returnOrder(this.#asker(), this.#token);
  }

  async acquire(floor: number): Promise<AcquireOutcome> {
    // A term that was given up unasked: the server may not know that it has ended, so it is told.
    if (this.#epoch !== null && this.#token !== null) this.#giveBackSoon(this.#token);
    this.#epoch = null;
    if (this.#isContested) return this.#overtaken();
    const token = randomBytes(16).toString('hex');
    this.#token = token;
    this.#claiming = token;
    // A store that knows nothing any more is told of it with the next registration.
    this.learn(floor);
    const { now, ttlMs } = this.#options;
    const granted: Granted = { askedAt: now(), ttlMs };
    this.#overAt = this.#overAfter(granted.askedAt);
    let claim: ClaimReply;
    try {
      await this.#joined();
      // What was given back before it was asked for would be asked for after that.
      if (this.#claiming !== token) return this.#overtaken();
      claim = await this.#driver.claim(this.#asker(), { token, ttlMs, floor, start: this.#start });
    } catch (error) {
      // Whether it was granted is not known.
      this.#giveBackSoon(token);
      throw error;
    }
    const { observation } = this.#saw(claim.view);
    if (claim.type === 'denied') {
      return { type: 'denied', cause: claim.cause, waitsFor: [], observation };
    }
    if (this.#claiming !== token) {
      // Given up meanwhile: nobody would renew it.
      this.#giveBackSoon(token);
      return this.#overtaken();
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
    const { now, ttlMs } = this.#options;
    const askedAt = now();
    this.#overAt = this.#overAfter(askedAt);
    try {
      const reply = await this.#driver.renew(this.#asker(), { token, ttlMs, timeoutMs });
      if (isOver()) return { type: 'over' };
      if (!reply.isKnown) this.#joinAgain();
      if (reply.isOurs) return { type: 'renewed', askedAt, ttlMs };
      this.#epoch = null;
      const cause = reply.by === null ? 'it has expired in the store' : `${reply.by} has it`;
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
    const epoch = await this.#driver.advance(this.#asker(), { token, floor });
    if (epoch === null) throw this.#lost('the store no longer has it');
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
    this.#claiming = null;
    // From here on nothing is claimed of it, whatever becomes of the request.
    this.#epoch = null;
    if (token === null) return { heldBy: null };
    try {
      await this.#driver.release(this.#asker(), token);
    } catch (error) {
      // Nobody renews it: a node does not wait for a server that is gone for good.
      if (this.#options.now() < this.#overAt) throw error;
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
    return this.#saw(await this.#driver.look(this.#asker(), this.#known)).observation;
  }

  watch(onChange: () => void): void {
    this.#watch.add(onChange);
  }

  /** A store knows nothing of processes. */
  missesRecordIn(): boolean {
    return false;
  }

  cleared(): void {
    // Leftover processes are local: the store has nothing to clear.
  }

  markCompleted(epoch: number): Promise<void> {
    return this.#driver.complete(this.#asker(), epoch);
  }

  setPaused(paused: boolean, by: string): Promise<void> {
    return this.#driver.pause(this.#asker(), paused ? by || 'somebody' : null);
  }

  listNodes(): Promise<readonly StoredSight[]> {
    return this.#driver.listNodes();
  }

  readEvents(limit: number): Promise<readonly StoreEvent[]> {
    return this.#driver.readEvents(limit);
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
    const leaving = this.#start === '' ? null : this.#driver.leave(this.#asker());
    await Promise.allSettled([this.release(), leaving]);
    this.#driver.close();
  }

  #saw(view: View): View {
    if (!view.isKnown) this.#joinAgain();
    this.learn(view.observation.epoch);
    this.#seen = view.observation;
    this.#watch.endsIn(this.#epoch === null ? view.leftMs : null);
    return view;
  }

  #joined(): Promise<void> {
    return this.#start === '' ? this.#join() : Promise.resolve();
  }

  /** Registers, one attempt at a time: each would be another start. */
  #join(): Promise<void> {
    this.#joining ??= this.#register()
      .catch((error: unknown) => {
        const mustEnd = this.#hasBegun && !this.#isClosed && isTaken(error);
        if (mustEnd) this.#options.sole?.onTaken(error);
        throw error;
      })
      .finally(() => {
        this.#joining = null;
      });
    return this.#joining;
  }

  async #register(): Promise<void> {
    const { sole, group, now, requestTimeoutMs } = this.#options;
    const { node } = this.#record;
    const join = (alone: Alone | null): Promise<JoinReply<string>> => this.#joinOnce(alone);
    if (sole === undefined) {
      await join(null);
      return;
    }
    const { signPauseMs } = this.#driver;
    const about = { sole, signPauseMs, node, group, requestTimeoutMs, now };
    await joinAlone({ join, hasBegun: this.#hasBegun, ...about });
  }

  async #joinOnce(alone: Alone | null): Promise<JoinReply<string>> {
    const what = { start: this.#start, known: this.#known, alone };
    const reply = await this.#driver.join(this.#asker(), what);
    this.#isContested = reply.type === 'taken';
    if (reply.type === 'joined') this.#start = reply.joined;
    return reply;
  }

  /** Nobody waits for it: the next look tries again. */
  #joinAgain(): void {
    if (this.#isClosed || !this.#takesPart) return;
    this.#join().catch(() => undefined);
  }

  #overtaken(): AcquireOutcome {
    return { type: 'denied', cause: 'lost-race', waitsFor: [], observation: this.#seen };
  }

  /** A request counts from when the server takes it, at the latest when nobody waits for its answer any more. */
  #overAfter(askedAt: number): number {
    const { requestTimeoutMs, ttlMs } = this.#options;
    return askedAt + requestTimeoutMs + ttlMs;
  }

  /** A word to the store that nobody waits for. */
  #giveBackSoon(token: string): void {
    this.#driver.release(this.#asker(), token).catch(() => undefined);
  }

  #asker(): Asker {
    const { run, node } = this.#record;
    return { run, node, record: JSON.stringify(this.#record) };
  }

  #lost(cause: string): FailoverError {
    const { group } = this.#options;
    return new FailoverError(
      'FAILOVER_LEASE_LOST',
      `Cannot advance the epoch of ${this.#record.node} in group ${group}: ${cause}`,
      { details: { group } },
    );
  }
}
