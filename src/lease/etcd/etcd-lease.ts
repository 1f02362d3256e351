// The lease in etcd: a key that hangs on a lease of etcd of its own for each acquisition, and an epoch that stays.
import type * as etcd from 'etcd3';
import type { Granted } from '../../core/lease-term.ts';
import type { Endpoints, LeaseObservation } from '../../core/state.ts';
import { NOTHING_OBSERVED } from '../../core/state.ts';
import { FailoverError } from '../../errors.ts';
import type { EtcdAddress } from '../../config/lease-url.ts';
import type { ReturnOrder } from '../../guard/messages.ts';
import { ChangeWatch } from '../change-watch.ts';
import type {
  AcquireOutcome,
  ReleaseOutcome,
  RenewOutcome,
  VerifyOutcome,
} from '../lease-store.ts';
import type { RemoteStore, RemoteStoreOptions, StoredSight, StoreEvent } from '../remote-store.ts';
import { StoreLink } from '../store-link.ts';
import { claim, nextEpoch } from './claim.ts';
import type { OpenConnection } from './etcd-client.ts';
import type { EtcdConnection } from './etcd-connection.ts';
import { refusalOf } from './etcd-errors.ts';
import { EventLog } from './event-log.ts';
import { keysOf } from './keys.ts';
import type { GroupKeys } from './keys.ts';
import { leadAfter, observationOf, readLead } from './lead.ts';
import type { Lead } from './lead.ts';
import { Registration } from './registration.ts';
import * as requests from './requests.ts';

export interface EtcdLeaseOptions extends RemoteStoreOptions {
  readonly address: EtcdAddress;
}

/** An acquisition that was granted. */
interface Term {
  /** The etcd lease that the term hangs on. */
  readonly token: string;
  /** When it was granted, as the store counts: what is told of what was before does not concern it. */
  readonly revision: number;
  /** The connection whose watch tells of its end. */
  watchedBy: number;
  /** Whether the key of the term was removed, or is another's. */
  isGone: boolean;
}

/** A lease of etcd that a claim was to have. */
interface Ready {
  readonly token: string;
  readonly askedAt: number;
  readonly granted: Promise<Granted>;
}

export class EtcdLease implements RemoteStore {
  readonly kind = 'etcd';
  readonly guards = ['etcd', 'epoch'] as const;
  readonly #options: EtcdLeaseOptions;
  readonly #keys: GroupKeys;
  readonly #link: StoreLink<EtcdConnection>;
  readonly #watch = new ChangeWatch();
  readonly #events: EventLog;
  readonly #registration: Registration;
  /** The token of the last acquisition, also of one whose outcome is not known. */
  #token: string | null = null;
  /** That of the last claim, unless it was given up: what the store grants it then is nobody's. */
  #claiming: string | null = null;
  /** An etcd lease granted ahead of a claim, or left from a denied one; the next claim reuses it. */
  #ready: Ready | null = null;
  /** The present term; null: nothing is held, as far as is known here. */
  #term: Term | null = null;
  /** When the last requested lease has certainly expired, whatever the server did. */
  #overAt = 0;
  /** The time to live as the server granted it, which may be longer than what was asked for. */
  #ttlMs = 0;
  /** The highest epoch that is known here. */
  #known = 0;
  #seen: LeaseObservation = NOTHING_OBSERVED;
  /** The record `#seen` was read from, kept current by watch events; null before the first read. */
  #lead: Lead | null = null;
  #connections = 0;
  #isClosed = false;

  /** Nothing is opened yet. */
  constructor(options: EtcdLeaseOptions, open: OpenConnection) {
    this.#options = options;
    const { address, group, record, requestTimeoutMs, now, sole = null } = options;
    const keys = keysOf(group);
    this.#keys = keys;
    const { shown } = address;
    this.#link = new StoreLink({
      open: () => {
        this.#connections += 1;
        this.#registration.doubt();
        const { key, range_end: rangeEnd } = keys.lead;
        const onEvents = (events: readonly etcd.IEvent[]): void => {
          this.#told(events);
        };
        return open({ key, rangeEnd, onEvents });
      },
      shown,
      connectTimeoutMs: Math.max(requestTimeoutMs, LEAST_CONNECT_MS),
      onChange: () => {
        this.#watch.changed();
      },
      refusalOf: (error) => refusalOf(shown, error),
    });
    this.#events = new EventLog(this.#ask, keys, record.node);
    const ask = this.#ask;
    const about = { record, now, group, requestTimeoutMs, sole };
    const lookFirst = async (): Promise<unknown> => this.#saw(await this.#read());
    this.#registration = new Registration({ ask, keys, events: this.#events, lookFirst, ...about });
  }

  async begin(): Promise<void> {
    await this.#registration.begin(this.#known);
  }

  returnOrder(): ReturnOrder | null {
    const { address, requestTimeoutMs, record } = this.#options;
    if (this.#term === null) return null;
    const { token } = this.#term;
    const { endpoints, tls, user } = address;
    return {
      kind: 'etcd',
      ...{ endpoints, tls, user },
      token,
      lease: this.#keys.lease.toString(),
      // The same event for the whole of a term: it is told more than once.
      event: this.#keys.event(token).toString(),
      ...{ node: record.node, epoch: this.#known },
      timeoutMs: Math.max(requestTimeoutMs, LEAST_CONNECT_MS),
    };
  }

  async acquire(floor: number): Promise<AcquireOutcome> {
    // A term that was given up unasked: the server may not know that it has ended, so it is told.
    if (this.#term !== null) this.#giveBackSoon(this.#term.token);
    this.#term = null;
    if (this.#registration.isContested) return this.#overtaken();
    let ready = this.#takeReady();
    const token = ready?.token ?? requests.newLeaseId();
    this.#token = token;
    this.#claiming = token;
    const { ttlMs, now } = this.#options;
    this.#ttlMs = ttlMs;
    this.#overAt = this.#overAfter(now());
    try {
      await this.#registration.joined(this.#known);
      // What was given back before it was asked for would be asked for after that.
      if (this.#claiming !== token) return this.#overtaken();
      const { record, start } = this.#registration;
      const parts = { ask: this.#ask, keys: this.#keys, events: this.#events, record, ttlMs };
      const watchedBy = this.#connections;
      const grant = (): Promise<Granted> => (ready ??= this.#makeReady(token)).granted;
      const outcome = await claim(parts, { token, grant, floor, start, told: this.#lead });
      const observation = this.#saw(outcome.lead);
      if (outcome.type === 'denied') {
        if (outcome.cause === 'held' && this.#claiming === token) this.#ready = ready;
        return { type: 'denied', cause: outcome.cause, waitsFor: [], observation };
      }
      if (this.#claiming !== token) {
        // Given up meanwhile: nobody would renew it.
        this.#giveBackSoon(token);
        return this.#overtaken();
      }
      const { epoch, previous, granted, lead } = outcome;
      this.#term = { token, revision: lead.revision, watchedBy, isGone: false };
      this.#ttlMs = granted.ttlMs;
      this.#overAt = this.#overAfter(now());
      this.#events.pruneSoon();
      return { type: 'granted', epoch, previous, granted };
    } catch (error) {
      // Whether it was granted is not known.
      this.#giveBackSoon(token);
      throw error;
    }
  }

  /** Has an etcd lease granted while nobody waits for the disks of the members. One that is not used ends by itself. */
  prepareClaim(): void {
    if (this.#term !== null || this.#isFresh(this.#ready)) return;
    this.#ready = this.#makeReady(requests.newLeaseId());
  }

  async renew(timeoutMs: number): Promise<RenewOutcome> {
    const term = this.#term;
    if (term === null) return { type: 'over' };
    const isOver = (): boolean => this.#term !== term;
    const { now } = this.#options;
    const askedAt = now();
    this.#overAt = this.#overAfter(askedAt);
    const leftMs = (): number => Math.max(0, timeoutMs - (now() - askedAt));
    try {
      await this.#watchTerm(term, timeoutMs);
      const ttlMs = term.isGone ? 0 : await this.#keep(term, leftMs());
      if (isOver()) return { type: 'over' };
      // Told while it was asked: the lease of etcd goes on, and that of the group is another's.
      if (ttlMs > 0 && !isGone(term)) return { type: 'renewed', askedAt, ttlMs };
      const cause = await this.#causeOfLoss(leftMs());
      if (isOver()) return { type: 'over' };
      this.#term = null;
      return { type: 'lost', cause };
    } catch (error) {
      if (isOver()) return { type: 'over' };
      throw error;
    }
  }

  async advanceEpoch(floor: number): Promise<number> {
    const term = this.#term;
    if (term === null) throw this.#lost('it is not held');
    const { token } = term;
    const { ttlMs } = this.#options;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const lead = await this.#read();
      if (lead.leaseId !== token) throw this.#lost('the store no longer has it');
      const { record } = this.#registration;
      const epoch = nextEpoch(lead.state, floor);
      const state = { epoch, cluster: lead.cluster, node: record.node, holder: record, ttlMs };
      const note = this.#events.note('advanced', epoch);
      const request = requests.advance(this.#keys, { lead, token, state }, [note]);
      const { succeeded } = await this.#ask((connection) => connection.txn(request));
      if (!succeeded) continue;
      this.learn(epoch);
      this.#events.pruneSoon();
      return epoch;
    }
    throw this.#lost('the store keeps being changed concurrently');
  }

  /** What this node knows by itself: nobody is asked before each start. */
  verify(): VerifyOutcome {
    if (this.#term === null) return { type: 'lost', cause: 'the lease is not held' };
    if (this.#term.isGone) return { type: 'lost', cause: 'the store no longer has it' };
    return { type: 'held' };
  }

  async release(): Promise<ReleaseOutcome> {
    const token = this.#token;
    this.#claiming = null;
    this.#ready = null;
    // From here on nothing is claimed of it, whatever becomes of the request.
    this.#term = null;
    if (token === null) return { heldBy: null };
    try {
      await this.#giveBack(token);
    } catch (error) {
      // Nobody renews it: a node does not wait for a server that is gone for good.
      if (this.#options.now() < this.#overAt) throw error;
    }
    if (this.#token === token) this.#token = null;
    return { heldBy: null };
  }

  /** A request counts from when the server takes it, at the latest when nobody waits for its answer any more. */
  #overAfter(askedAt: number): number {
    return askedAt + this.#options.requestTimeoutMs + this.#ttlMs;
  }

  observe(): LeaseObservation {
    return this.#seen;
  }

  learn(epoch: number): void {
    this.#known = Math.max(this.#known, epoch);
  }

  async look(): Promise<LeaseObservation> {
    const begunAt = this.#options.now();
    if (await this.#isAsSeen(begunAt)) return this.#seen;
    const lead = await this.#read();
    this.#registration.signSoon(this.#known, begunAt);
    if (this.#known <= (lead.state?.epoch ?? 0)) return this.#saw(lead);
    const state = { ...NO_STATE, ...lead.state, epoch: this.#known };
    const request = requests.putBack(this.#keys, lead, state);
    const { succeeded } = await this.#ask((connection) => connection.txn(request));
    return this.#saw(succeeded ? { ...lead, state } : lead);
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

  async markCompleted(epoch: number): Promise<void> {
    const completed = requests.put(this.#keys.completed, '1');
    await this.#write(completed, this.#events.note('completed', epoch));
  }

  async setPaused(paused: boolean, by: string): Promise<void> {
    const { paused: key } = this.#keys;
    const change = paused ? requests.put(key, by || 'somebody') : requests.remove(key);
    await this.#write(change, this.#events.note(paused ? 'paused' : 'resumed', this.#known));
  }

  listNodes(): Promise<readonly StoredSight[]> {
    return this.#registration.list();
  }

  readEvents(limit: number): Promise<readonly StoreEvent[]> {
    return this.#events.read(limit);
  }

  updateEndpoints(endpoints: Endpoints): void {
    this.#registration.moved({ ...this.#registration.record, endpoints }, this.#known);
    // Those who look read there where the holder listens. What fails is tried again with the next epoch.
    if (this.#term !== null) this.#tellHolder(this.#term).catch(() => undefined);
  }

  /** Within two requests' time: what can not be given back ends by itself. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#watch.close();
    const leaving = this.#registration.leave(this.#known);
    await Promise.allSettled([this.release(), leaving]);
    this.#link.close();
  }

  readonly #ask: requests.Ask = (act, timeoutMs = this.#options.requestTimeoutMs) =>
    this.#link.within(timeoutMs, act);

  async #read(timeoutMs?: number): Promise<Lead> {
    const { lead } = this.#keys;
    return readLead(this.#keys, await this.#ask((connection) => connection.range(lead), timeoutMs));
  }

  async #write(...changes: readonly etcd.IRequestOp[]): Promise<void> {
    await this.#ask((connection) => connection.txn(requests.all(...changes)));
    this.#events.pruneSoon();
  }

  /** With the sign of life that is due: one call for both. */
  async #keep({ token }: Term, timeoutMs: number): Promise<number> {
    const sign = this.#registration.signAlong(this.#known, this.#options.now());
    try {
      const kept = await this.#ask((connection) => connection.keepAlive(token, sign), timeoutMs);
      return kept.ttlMs;
    } catch (error) {
      sign?.onAnswer(null);
      throw error;
    }
  }

  /**
   * The sign of life that is due is the look as well, where it shows that nothing at all was changed in the store
   * since the last one.
   */
  async #isAsSeen(at: number): Promise<boolean> {
    const lead = this.#lead;
    if (lead === null || this.#known > (lead.state?.epoch ?? 0)) return false;
    const kept = await this.#registration.signInstead(this.#known, at);
    return kept?.cluster === lead.cluster && kept.revision === lead.revision;
  }

  #saw(lead: Lead): LeaseObservation {
    this.#lead = lead;
    this.#seen = observationOf(lead);
    this.learn(this.#seen.epoch);
    return this.#seen;
  }

  /** An etcd lease that was prepared, or left from a denied claim, a moment ago, and that did not fail. */
  #takeReady(): Ready | null {
    const ready = this.#ready;
    this.#ready = null;
    return this.#isFresh(ready) ? ready : null;
  }

  #isFresh(ready: Ready | null): ready is Ready {
    const { now, claimAheadMs = 0 } = this.#options;
    return ready !== null && now() - ready.askedAt <= claimAheadMs;
  }

  #makeReady(token: string): Ready {
    const { now, ttlMs: askedMs } = this.#options;
    const askedAt = now();
    const granted = this.#ask((connection) => connection.grant(token, askedMs)).then((ttlMs) => ({
      askedAt,
      ttlMs,
    }));
    granted.catch(() => {
      if (this.#ready?.token === token) this.#ready = null;
    });
    return { token, askedAt, granted };
  }

  /** A lease of etcd may go on when the key on it is gone: that is told by the watch. */
  #told(events: readonly etcd.IEvent[]): void {
    if (this.#lead !== null) this.#lead = leadAfter(this.#keys, this.#lead, events);
    const term = this.#term;
    if (term === null) return;
    const isOfLease = ({ kv }: etcd.IEvent): boolean => kv.key.equals(this.#keys.lease);
    const changes = events.filter(isOfLease);
    if (changes.some(({ kv }) => Number(kv.mod_revision) > term.revision)) term.isGone = true;
  }

  /** What has happened before there was this watch nobody has told. */
  async #watchTerm(term: Term, timeoutMs: number): Promise<void> {
    const connection = this.#connections;
    if (term.watchedBy === connection) return;
    const { leaseId } = await this.#read(timeoutMs);
    if (leaseId !== term.token) term.isGone = true;
    term.watchedBy = connection;
  }

  /** Why the lease was lost, which is known already: what is answered now only tells to whom. */
  async #causeOfLoss(timeoutMs: number): Promise<string> {
    const ended = 'it has expired in the store';
    try {
      const { leaseId, state } = await this.#read(timeoutMs);
      return leaseId === null ? ended : `${state?.node ?? 'another'} has it`;
    } catch {
      return ended;
    }
  }

  async #tellHolder({ token }: Term): Promise<void> {
    const lead = await this.#read();
    if (lead.state === null || lead.leaseId !== token) return;
    const state = { ...lead.state, holder: this.#registration.record };
    const request = requests.advance(this.#keys, { lead, token, state }, []);
    await this.#ask((connection) => connection.txn(request));
  }

  async #giveBack(token: string): Promise<void> {
    const note = this.#events.note('released', this.#known);
    const request = requests.release(this.#keys, token, note);
    const { succeeded } = await this.#ask((connection) => connection.txn(request));
    // Nothing hangs on it any more: it ends by itself, and keeps no disk from the claim that follows now.
    if (succeeded) return;
    // A claim that is still under way finds its lease of etcd ended.
    await this.#ask((connection) => connection.revoke(token));
  }

  #overtaken(): AcquireOutcome {
    return { type: 'denied', cause: 'lost-race', waitsFor: [], observation: this.#seen };
  }

  /** A word to the store that nobody waits for. */
  #giveBackSoon(token: string): void {
    this.#giveBack(token).catch(() => undefined);
  }

  #lost(cause: string): FailoverError {
    const { record, group } = this.#options;
    return new FailoverError(
      'FAILOVER_LEASE_LOST',
      `Cannot advance the epoch of ${record.node} in group ${group}: ${cause}`,
      { details: { group } },
    );
  }
}

/** Set by the watch while an answer is waited for. */
function isGone(term: Term): boolean {
  return term.isGone;
}

/** How often an epoch may be put back by another between a look and a change. */
const ATTEMPTS = 4;

/** A connection takes more than an answer: name, handshake, perhaps encryption and a password. */
const LEAST_CONNECT_MS = 1_000;

const NO_STATE = { cluster: null, node: null, holder: null, ttlMs: 0 };
