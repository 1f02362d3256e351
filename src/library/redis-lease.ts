// A lease in Redis for a program: whoever has it may do what only one may, as long as it is renewed.
import { FailoverError } from '../errors.ts';
import type { RemoteStore } from '../lease/remote-store.ts';
import { BootClock } from '../runtime/boot-clock.ts';
import { callOut } from '../runtime/call-out.ts';
import { onAbort, refuseAborted } from '../runtime/on-abort.ts';
import type { Clock } from '../runtime/ports.ts';
import { leaseTermsOf } from './election-options.ts';
import type { LeaseTerms, RedisLeaseOptions } from './election-options.ts';
import { readStatistics } from './statistics.ts';
import type { ElectionStatistics } from './statistics.ts';

/** From a claim to its end. */
export interface LeaseTerm {
  /** Higher than that of every earlier term: what is written to should refuse a lower one. */
  readonly epoch: number;
  /** Who had it before; null: nobody, as far as is known. */
  readonly previous: string | null;
}

/** A term that ended without having been given back. */
export interface LeaseLoss {
  readonly epoch: number;
  readonly cause: string;
}

/** What is known of the lease at the server. */
export interface LeaseView {
  readonly held: boolean;
  readonly leader: string | null;
  readonly epoch: number;
  /** Somebody has paused the group: nobody is to claim by itself. */
  readonly paused: boolean;
}

/**
 * One node's hold on the lease of a project. Nothing is renewed by itself: `runElection` does all of it.
 *
 * A term is held until `maxDriftMs` after the beginning of the request that renewed it last, on a clock that
 * goes on while the machine is suspended. That is before the lease ends at the server, so there is time to
 * stop. Not promised: that code of this program which does not ask, or which a frozen machine kept from
 * asking, has stopped when another has the lease. The epoch protects what it writes.
 */
export class RedisLease implements AsyncDisposable {
  readonly project: string;
  readonly nodeId: string;
  readonly #terms: LeaseTerms;
  readonly #clock: Clock;
  readonly #store: RemoteStore;
  readonly #lost: Listeners<[LeaseLoss]> = new Set();
  readonly #changed: Listeners<[]> = new Set();
  #term: LeaseTerm | null = null;
  /** Of the term, or of one that was lost by its own clock and may still keep others out. */
  #renewedAtMs = 0;
  /** The highest epoch that is known here: a server that forgets everything is told with the next claim. */
  #floor = 0;
  #stopWaiting: (() => void) | null = null;
  #closing: Promise<void> | null = null;
  #forgetSignal: () => void = () => undefined;

  /**
   * Loads the client, connects and registers the node. A server that does not answer is tried again with
   * every request.
   *
   * @throws FAILOVER_CLIENT_MISSING, FAILOVER_STORE_REFUSED, FAILOVER_BAD_OPTION, FAILOVER_BAD_GROUP,
   *   FAILOVER_BAD_NODE_ID, FAILOVER_SETTINGS_CONFLICT, FAILOVER_REFUSED when the signal is aborted already;
   *   nothing is left open then
   */
  static async open(options: RedisLeaseOptions): Promise<RedisLease> {
    const terms = leaseTermsOf(options);
    refuseAborted(options.signal, 'open the lease');
    // Only who uses it loads the client of Redis.
    const { openRedisLease } = await import('../lease/redis/redis-lease.ts');
    const clock = new BootClock();
    const { address, project: group, record } = terms;
    const store = await openRedisLease({
      ...{ address, group, record, now: () => clock.now() },
      ttlMs: terms.leaseTtlMs,
      requestTimeoutMs: terms.leaseRequestTimeoutMs,
    });
    const lease = new RedisLease(terms, store, clock);
    lease.#forgetSignal = onAbort(options.signal, () => void lease.close());
    return lease;
  }

  private constructor(terms: LeaseTerms, store: RemoteStore, clock: Clock) {
    this.#terms = terms;
    this.#store = store;
    this.#clock = clock;
    this.project = terms.project;
    this.nodeId = terms.record.node;
    store.watch(() => {
      for (const listener of this.#changed) callOut(listener);
    });
  }

  /** Whether the term may be acted on now. Once it is lost it stays so: the next claim is another term. */
  get isHeld(): boolean {
    this.#checkDrift();
    return this.#term !== null;
  }

  /** Of the term that is held; null: none is. */
  get epoch(): number | null {
    return this.isHeld ? (this.#term?.epoch ?? null) : null;
  }

  /** For how long it is held without another renewal, ms; 0: it is not. */
  get heldForMs(): number {
    return this.isHeld ? Math.max(0, this.#deadlineMs - this.#clock.now()) : 0;
  }

  /**
   * Claims the lease; null: another has it, or it was given back or closed meanwhile, or a server that was
   * just started, or has forgotten what this node knows, does not know whether one has it.
   * A claim while it is held gives the present term.
   *
   * @throws FAILOVER_STORE_UNREACHABLE, FAILOVER_STORE_REFUSED, FAILOVER_REFUSED once it was closed; it is not
   *   held then
   */
  async acquire(): Promise<LeaseTerm | null> {
    if (this.#closing !== null) {
      throw new FailoverError('FAILOVER_REFUSED', 'Cannot claim the lease: it was closed');
    }
    if (this.isHeld) return this.#term;
    const outcome = await this.#store.acquire(this.#floor);
    if (outcome.type === 'denied') {
      this.#learn(outcome.observation.epoch);
      return null;
    }
    const { epoch, previous, granted } = outcome;
    this.#learn(epoch);
    // It may have been given back after the answer, and before this.
    if (this.#store.verify().type === 'lost') return null;
    this.#term = { epoch, previous };
    this.#renewed(granted?.askedAt ?? 0);
    this.#checkDrift();
    if (this.epoch === epoch) return this.#term;
    // The answer took longer than a term may go without a renewal.
    await this.release();
    return null;
  }

  /**
   * Asks for another time to live; false: the store says that it is not, or no more, this node's. A term that
   * was lost because no renewal came in time does not come back by one: it keeps others out while the program
   * stops, and resolves with true as long as it does.
   *
   * @throws FAILOVER_STORE_UNREACHABLE when nobody knows, FAILOVER_STORE_REFUSED; ask again
   */
  async renew(): Promise<boolean> {
    const outcome = await this.#store.renew(this.#terms.leaseRequestTimeoutMs);
    this.#checkDrift();
    if (outcome.type === 'renewed') {
      this.#renewed(outcome.askedAt);
      return true;
    }
    this.#lose(outcome.type === 'lost' ? outcome.cause : 'it was released');
    return false;
  }

  /**
   * Gives it back, and is told of no loss of it any more. The others are told at once.
   *
   * @throws FAILOVER_STORE_UNREACHABLE when it has to end by itself, FAILOVER_STORE_REFUSED
   */
  async release(): Promise<void> {
    this.#term = null;
    this.#stopWaiting?.();
    await this.#store.release();
  }

  /** What the server has of it now. @throws FAILOVER_STORE_UNREACHABLE, FAILOVER_STORE_REFUSED */
  async look(): Promise<LeaseView> {
    const { held, holder, epoch, paused } = await this.#store.look();
    this.#learn(epoch);
    return { held, leader: held ? (holder?.node ?? null) : null, epoch, paused };
  }

  /** Who takes part, and what happened recently. @throws FAILOVER_STORE_UNREACHABLE, FAILOVER_STORE_REFUSED */
  statistics(): Promise<ElectionStatistics> {
    return readStatistics(this.project, this.#store);
  }

  /** Calls back when a term ends that was not given back, once for each; returns how to end that. */
  onLost(listener: (loss: LeaseLoss) => void): () => void {
    return listen(this.#lost, listener);
  }

  /** Calls back when somebody has claimed the lease or given it back, or may have. */
  onChange(listener: () => void): () => void {
    return listen(this.#changed, listener);
  }

  /** Gives back what is held, leaves and disconnects; also a second time, and never rejects. */
  close(): Promise<void> {
    this.#term = null;
    this.#stopWaiting?.();
    this.#forgetSignal();
    this.#closing ??= this.#store.close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #learn(epoch: number): void {
    this.#floor = Math.max(this.#floor, epoch);
  }

  get #deadlineMs(): number {
    return this.#renewedAtMs + this.#terms.leaseMaxDriftMs;
  }

  #renewed(askedAtMs: number): void {
    this.#renewedAtMs = askedAtMs;
    if (this.#term !== null) this.#await();
  }

  /** Until the term is over: a timer may come a little early, or find that it was renewed. */
  #await(): void {
    this.#stopWaiting?.();
    this.#stopWaiting = this.#clock.wakeAt(this.#deadlineMs, () => {
      if (this.isHeld) this.#await();
    });
  }

  #checkDrift(): void {
    if (this.#term === null || this.#clock.now() < this.#deadlineMs) return;
    this.#lose(`no renewal succeeded for ${String(Math.round(this.#terms.leaseMaxDriftMs))}ms`);
  }

  #lose(cause: string): void {
    const term = this.#term;
    this.#term = null;
    this.#stopWaiting?.();
    if (term === null) return;
    const { epoch } = term;
    for (const listener of this.#lost)
      callOut(() => {
        listener({ epoch, cause });
      });
  }
}

type Listeners<Told extends readonly unknown[]> = Set<(...told: Told) => void>;

function listen<Told extends readonly unknown[]>(
  listeners: Listeners<Told>,
  listener: (...told: Told) => void,
): () => void {
  // One that is added twice is called twice, and ended by itself.
  const own = (...told: Told): void => {
    listener(...told);
  };
  listeners.add(own);
  return () => {
    listeners.delete(own);
  };
}
