// A server that keeps one lease with a time to live: compare and set by token, expiry by its own clock.
import type { DenialCause } from '../core/event.ts';
import type { LeaseHolder, LeaseObservation } from '../core/state.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

interface Entry {
  /** Random for each acquisition; here a number that is never used again. */
  readonly token: number;
  readonly life: Life | null;
  /** On the server's clock, ms. */
  readonly expiresAt: number;
}

/** All that it keeps. */
interface Kept {
  readonly entry: Entry | null;
  /** The highest epoch ever granted. */
  readonly epoch: number;
  readonly record: LeaseHolder | null;
  readonly paused: boolean;
  readonly completedAt: number;
  /** Which server it was when it last knew that it had forgotten nothing; 0: nobody has asked for a lease yet. */
  readonly server: number;
}

type Claimed =
  | { readonly type: 'granted'; readonly epoch: number; readonly previous: string | null }
  | { readonly type: 'denied'; readonly cause: DenialCause };

export class TimedStore {
  /** Until when it answers nobody, and until when it takes its time, in the world's time. */
  downUntil = 0;
  slowUntil = 0;
  /** When it last lost what it knew, or the latest of it, in the world's time. */
  forgotAt: number = Number.NEGATIVE_INFINITY;
  /** Whether it has granted nothing since. */
  isForgetful = false;
  readonly #world: World;
  readonly #rate: number;
  #kept: Kept = NOTHING_KEPT;
  /** What it kept before, and until when, in the world's time; the latest last. */
  #past: readonly { readonly until: number; readonly kept: Kept }[] = [];
  /** Each start has another number. */
  #server = 1;
  #startedAt = Number.NEGATIVE_INFINITY;
  #tokens = 0;
  /** Another server may have forgotten that: what it keeps there is nobody's. */
  readonly #givenBack = new Set<number>();

  /** @param drift the share by which its clock runs fast */
  constructor(world: World, drift: number) {
    this.#world = world;
    this.#rate = 1 + drift;
  }

  get epoch(): number {
    return this.#kept.epoch;
  }

  get paused(): boolean {
    return this.#kept.paused;
  }

  set paused(paused: boolean) {
    this.#keep({ paused });
  }

  /** Whose lease has not expired. */
  get holder(): Life | null {
    const living = this.#living;
    return living === null || this.#givenBack.has(living.token) ? null : living.life;
  }

  newToken(): number {
    this.#tokens += 1;
    return this.#tokens;
  }

  /**
   * Another server takes its place that knows what this one knew at a time; nothing of a group that is younger.
   * A replica that has never heard of a group can't tell that it has forgotten anything: that is no promise.
   */
  forgetSince(at: number): void {
    const { at: now, checker } = this.#world;
    const isEmpty = at === Number.NEGATIVE_INFINITY;
    const former = this.#past.find(({ until }) => until > at)?.kept ?? this.#kept;
    if (!isEmpty && former.server === 0) return;
    this.#kept = isEmpty ? NOTHING_KEPT : former;
    this.#past = [];
    this.#server += 1;
    if (isEmpty) this.#startedAt = now;
    this.forgotAt = now;
    this.isForgetful = true;
    checker.forget();
    this.#world.leaseChanged();
  }

  /** @param asked `said`: the highest epoch that an answer has told the claimant of, whatever it makes of that */
  claim(
    life: Life,
    token: number,
    asked: { readonly floor: number; readonly ttlMs: number; readonly said: number },
  ): Claimed {
    const { completedAt, server, epoch: known, record } = this.#kept;
    if (completedAt >= life.startedAt) return { type: 'denied', cause: 'completed' };
    if (this.#living !== null) return { type: 'denied', cause: 'held' };
    const expiresAt = this.#now + asked.ttlMs;
    if (server !== this.#server) {
      // Somebody may still have a lease that it knows nothing of: nobody gets it for as long as that could last.
      const isYoung = this.#world.at - this.#startedAt < asked.ttlMs;
      const mayHaveForgotten = server > 0 || known > 0 || asked.floor > 0 || isYoung;
      const entry = mayHaveForgotten ? { token: FORGOTTEN, life: null, expiresAt } : null;
      // What the claimant has seen is kept all the same: it may be the last that knows of it.
      this.#keep({ server: this.#server, entry, epoch: Math.max(known, asked.floor) });
      if (mayHaveForgotten) return { type: 'denied', cause: 'held' };
    }
    if (this.isForgetful) {
      this.isForgetful = false;
      this.#world.checker.forget(asked.said);
    }
    const epoch = Math.max(this.epoch, asked.floor) + 1;
    this.#world.checker.granted(life, epoch);
    this.#keep({ entry: { token, life, expiresAt }, epoch, record: life.holder });
    this.#world.leaseChanged();
    return { type: 'granted', epoch, previous: record?.node ?? null };
  }

  /** False: it is not, or no more, the lease of that token. One that is renewed was not forgotten. */
  renew(token: number, ttlMs: number): boolean {
    const entry = this.#of(token);
    if (entry === null) return false;
    const renewed = { ...entry, expiresAt: this.#now + ttlMs };
    this.#keep({ entry: renewed, server: this.#server });
    return true;
  }

  /** Null: it is not, or no more, the lease of that token. */
  advance(token: number, floor: number): number | null {
    if (this.#of(token) === null) return null;
    const epoch = Math.max(this.#kept.epoch, floor) + 1;
    this.#keep({ epoch });
    this.#world.leaseChanged();
    return epoch;
  }

  /** Of another token than the present one it changes nothing. */
  release(token: number): void {
    if (this.#of(token) === null) return;
    this.#givenBack.add(token);
    this.#keep({ entry: null });
    this.#world.leaseChanged();
  }

  complete(): void {
    this.#keep({ completedAt: this.#world.at });
  }

  /** @param known the highest epoch that the one who looks has seen: of a store that forgets, nodes remember */
  look(known: number): LeaseObservation {
    if (known > this.epoch) this.#keep({ epoch: known });
    return this.observe();
  }

  observe(): LeaseObservation {
    const { epoch, record, paused } = this.#kept;
    return {
      epoch,
      held: this.#living !== null,
      holder: record,
      recordUnreadable: false,
      touch: null,
      paused,
    };
  }

  get #now(): number {
    return this.#world.at * this.#rate;
  }

  get #living(): Entry | null {
    const { entry } = this.#kept;
    return entry !== null && entry.expiresAt > this.#now ? entry : null;
  }

  #of(token: number): Entry | null {
    return this.#living?.token === token ? this.#living : null;
  }

  #keep(changes: Partial<Kept>): void {
    const until = this.#world.at;
    const recent = this.#past.filter((past) => past.until > until - LONGEST_LAG_MS);
    this.#past = [...recent, { until, kept: this.#kept }];
    this.#kept = { ...this.#kept, ...changes };
  }
}

/** What no node has as its token: a lease that may have been forgotten is nobody's. */
const FORGOTTEN = -1;

const NOTHING_KEPT: Kept = {
  entry: null,
  epoch: 0,
  record: null,
  paused: false,
  completedAt: Number.NEGATIVE_INFINITY,
  server: 0,
};

/** As long as the longest fault. */
const LONGEST_LAG_MS = 8_000;
