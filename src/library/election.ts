// An election by a lease in Redis: this node leads, or stands by and leads when nobody else does.
import { EventEmitter } from 'node:events';
import { messageOf } from '../error-message.ts';
import type { Clock } from '../runtime/ports.ts';
import { claimAtMs, holdOffMs, longestTickMs, tickDelayMs } from './claim-turn.ts';
import type { ElectionStrategy } from './claim-turn.ts';
import { ElectedTerm, within } from './elected-term.ts';
import type { StartCallback, StopCallback } from './elected-term.ts';
import type { LeaseTerms } from './election-options.ts';
import type { LeaseTerm, RedisLease } from './redis-lease.ts';
import type { ElectionStatistics } from './statistics.ts';

/** `stepping-down`: it was told to stop, and its lease is still kept from others if that can be. */
export type ElectionRole = 'follower' | 'leader' | 'stepping-down' | 'closed';

export interface ElectionChange {
  readonly role: ElectionRole;
  /** Of the term that it is about; null: of none. */
  readonly epoch: number | null;
  readonly reason: string;
}

export interface ElectionEvents {
  change: [ElectionChange];
  /** Something a person should know: it is tried again, or said above all when two may lead at once. */
  warning: [string];
}

/** What an election does with a lease. */
type ElectionLease = Pick<
  RedisLease,
  | 'acquire'
  | 'close'
  | 'isHeld'
  | 'look'
  | 'nodeId'
  | 'onChange'
  | 'onLost'
  | 'project'
  | 'release'
  | 'renew'
  | 'statistics'
>;

interface ElectionParts {
  readonly lease: ElectionLease;
  readonly terms: Pick<LeaseTerms, 'leaseTtlMs' | 'leaseTickMs' | 'leaseMaxDriftMs' | 'record'>;
  readonly strategy: ElectionStrategy;
  readonly stopBudgetMs: number;
  readonly onStart: StartCallback;
  readonly onStop: StopCallback | null;
  readonly clock: Clock;
  readonly random: () => number;
}

/** A term with what this side of it knows of the lease. */
interface Led {
  readonly term: ElectedTerm;
  /** When the lease was asked for last, as far as the server said yes, ms. */
  keptSinceMs: number;
  /** The server has said that it is another's, or nobody's. */
  isGone: boolean;
  hasToldOverlap: boolean;
  /** Set before the program is told: whatever that does, it ends once. */
  isEnding: boolean;
}

export class Election extends EventEmitter<ElectionEvents> implements AsyncDisposable {
  readonly #parts: ElectionParts;
  readonly #looping: Promise<void>;
  #led: Led | null = null;
  #failures = 0;
  #heldOffUntilMs = 0;
  #registeredAtMs: number | null = null;
  #freeSinceMs: number | null = null;
  #leftBehind: Promise<void> | null = null;
  #owesLease = false;
  #isClosed = false;
  #closing: Promise<boolean> | null = null;
  /** The next turn comes no later, ms; 0: at once. */
  #dueMs = Infinity;
  #wake: (() => void) | null = null;
  #problem: string | null = null;

  /** Use `runElection`. */
  constructor(parts: ElectionParts) {
    super();
    this.#parts = parts;
    const { lease } = parts;
    lease.onLost(({ epoch, cause }) => {
      if (this.#led?.term.epoch === epoch) this.#stepDown(this.#led, cause);
    });
    lease.onChange(() => {
      // The holder hears of nothing that it has not done itself.
      if (this.#led === null) this.#poke();
    });
    this.#looping = this.#loop();
  }

  get project(): string {
    return this.#parts.lease.project;
  }

  get nodeId(): string {
    return this.#parts.lease.nodeId;
  }

  get role(): ElectionRole {
    if (this.#led !== null) return this.isLeader ? 'leader' : 'stepping-down';
    return this.#isClosed ? 'closed' : 'follower';
  }

  /** Whether this program may act as the leader now: by the clock, also when nothing was told yet. */
  get isLeader(): boolean {
    return this.#led?.isEnding === false && this.#parts.lease.isHeld;
  }

  /** Of the term that it leads in or ends; null: none. */
  get epoch(): number | null {
    return this.#led?.term.epoch ?? null;
  }

  /** @throws FAILOVER_STORE_UNREACHABLE, FAILOVER_STORE_REFUSED */
  statistics(): Promise<ElectionStatistics> {
    return this.#parts.lease.statistics();
  }

  /**
   * Steps down, gives the lease back and leaves; a second time it gives the same. False: a callback goes on
   * beyond its budget. The lease is kept while `onStart` does, for as long as this process lives. Never
   * rejects.
   */
  close(): Promise<boolean> {
    if (this.#closing !== null) return this.#closing;
    this.#isClosed = true;
    const led = this.#led;
    // Before the program is told: it may close it as well.
    this.#closing = this.#left(led);
    if (led !== null) this.#stepDown(led, 'the election was closed');
    this.#poke();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Waits for the end of what it led, and leaves. */
  async #left(led: Led | null): Promise<boolean> {
    const { lease, stopBudgetMs } = this.#parts;
    const left = this.#looping.then(async () => {
      await lease.close();
      this.#tell({ role: 'closed', epoch: null, reason: 'the election was closed' });
    });
    if (led !== null && !(await within(stopBudgetMs, led.term.started))) return false;
    await left;
    return this.#leftBehind === null;
  }

  /** Until it is closed and nothing is led any more. */
  async #loop(): Promise<void> {
    const { clock, random, terms } = this.#parts;
    while (!this.#isClosed || this.#led !== null) {
      const nextMs = clock.now() + tickDelayMs(terms.leaseTickMs, random());
      this.#dueMs = Infinity;
      try {
        await this.#turn();
        this.#problem = null;
      } catch (error) {
        this.#warnOnce(messageOf(error));
      }
      // What ended meanwhile has found nobody to wake.
      if (this.#isClosed && this.#led === null) return;
      await this.#until(Math.min(nextMs, this.#dueMs));
    }
  }

  async #turn(): Promise<void> {
    const led = this.#led;
    if (led === null) await this.#stand();
    else await this.#keep(led);
  }

  /** Also of a term that is ending: nobody else is to start before it has. */
  async #keep(led: Led): Promise<void> {
    const { lease, clock } = this.#parts;
    try {
      if (led.isGone) return;
      const askedAtMs = clock.now();
      if (await lease.renew()) led.keptSinceMs = askedAtMs;
      else led.isGone = true;
    } finally {
      this.#tellOverlap(led);
    }
  }

  async #stand(): Promise<void> {
    const { lease, clock } = this.#parts;
    if (this.#owesLease) await this.#giveBack();
    const { held, paused } = await lease.look();
    const now = clock.now();
    this.#registeredAtMs ??= now;
    if (held || paused) {
      this.#freeSinceMs = null;
      return;
    }
    this.#freeSinceMs ??= now;
    if (this.#leftBehind !== null) return;
    const atMs = await this.#turnToClaim(this.#freeSinceMs, this.#registeredAtMs);
    if (atMs === null || this.#isClosed) return;
    if (atMs > clock.now()) {
      this.#dueMs = Math.min(this.#dueMs, atMs);
      return;
    }
    const askedAtMs = clock.now();
    const term = await lease.acquire();
    if (term === null) return;
    // It may have been closed meanwhile.
    if (this.role === 'closed') await this.#giveBack();
    else this.#lead(term, askedAtMs);
  }

  async #turnToClaim(freeSinceMs: number, registeredAtMs: number): Promise<number | null> {
    const { strategy, terms } = this.#parts;
    const { priority } = terms.record;
    const others = strategy === 'priority' && priority > 0 ? await this.#others() : [];
    const windowMs = longestTickMs(terms.leaseTickMs);
    const situation = { strategy, priority, others, freeSinceMs, registeredAtMs, windowMs };
    const atMs = claimAtMs(situation);
    return atMs === null ? null : Math.max(atMs, this.#heldOffUntilMs);
  }

  /** The numbers of those that live: who holds the lease or stands by is seen more often than this. */
  async #others(): Promise<readonly number[]> {
    const { lease, terms } = this.#parts;
    const { nodes } = await lease.statistics();
    return nodes
      .filter(({ nodeId, lastSeenMs }) => {
        return nodeId !== lease.nodeId && lastSeenMs < terms.leaseMaxDriftMs;
      })
      .map(({ priority }) => priority);
  }

  #lead(granted: LeaseTerm, askedAtMs: number): void {
    const { onStart, onStop, stopBudgetMs } = this.#parts;
    const term = new ElectedTerm({
      ...{ term: granted, onStart, onStop, stopBudgetMs },
      warn: (message) => {
        this.#warn(message);
      },
      onFailed: (why) => {
        this.#failed(why);
      },
    });
    this.#freeSinceMs = null;
    this.#led = {
      term,
      keptSinceMs: askedAtMs,
      isGone: false,
      hasToldOverlap: false,
      isEnding: false,
    };
    const reason = granted.previous === null ? 'nobody led' : `${granted.previous} no longer leads`;
    this.#tell({ role: 'leader', epoch: granted.epoch, reason });
  }

  #failed(why: string): void {
    const { clock, terms } = this.#parts;
    this.#failures += 1;
    this.#heldOffUntilMs = clock.now() + holdOffMs(this.#failures, terms.leaseTickMs);
    this.#warn(why);
    if (this.#led !== null) this.#stepDown(this.#led, why);
  }

  #stepDown(led: Led, reason: string): void {
    if (led.isEnding) return;
    led.isEnding = true;
    this.#tell({ role: 'stepping-down', epoch: led.term.epoch, reason });
    void this.#finish(led, reason);
  }

  async #finish(led: Led, reason: string): Promise<void> {
    await led.term.end(reason);
    try {
      await this.#giveBack();
    } catch (error) {
      this.#warnOnce(messageOf(error));
    }
    if (!led.term.failed) this.#failures = 0;
    this.#leftBehind = led.term.leftBehind;
    void this.#leftBehind?.then(() => {
      this.#leftBehind = null;
    });
    this.#led = null;
    if (!this.#isClosed) this.#tell({ role: 'follower', epoch: led.term.epoch, reason });
    this.#poke();
  }

  /** What the server did not hear of is given back with the next turn: the others would wait for its end. */
  async #giveBack(): Promise<void> {
    this.#owesLease = true;
    await this.#parts.lease.release();
    this.#owesLease = false;
  }

  #tellOverlap(led: Led): void {
    const { clock, terms } = this.#parts;
    if (!led.isEnding || led.term.hasReturned || led.hasToldOverlap) return;
    if (!led.isGone && clock.now() < led.keptSinceMs + terms.leaseTtlMs) return;
    led.hasToldOverlap = true;
    const epoch = String(led.term.epoch);
    this.#warn(
      `the lease of epoch ${epoch} has ended but onStart is still running: another node may lead at the same time, and only the epoch protects what it writes`,
    );
  }

  /** Something has happened: the next turn is now, or right after the present one. */
  #poke(): void {
    this.#dueMs = 0;
    this.#wake?.();
  }

  /** Waits for its time, or until it is poked. */
  #until(atMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#wake = null;
        cancel();
        resolve();
      };
      const cancel = this.#parts.clock.wakeAt(atMs, end);
      this.#wake = end;
    });
  }

  /** The same trouble is told once, until it is over. */
  #warnOnce(message: string): void {
    if (this.#problem === message) return;
    this.#problem = message;
    this.#warn(message);
  }

  #warn(message: string): void {
    // What a listener throws is the program's own, and ends no turn.
    process.nextTick(() => this.emit('warning', message));
  }

  #tell(change: ElectionChange): void {
    process.nextTick(() => this.emit('change', change));
  }
}
