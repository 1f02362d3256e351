// A server that keeps one lease with a time to live: compare and set by token, expiry by its own clock.
import type { DenialCause } from '../core/event.ts';
import type { LeaseHolder, LeaseObservation } from '../core/state.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

interface Entry {
  /** Random for each acquisition; here a number that is never used again. */
  readonly token: number;
  readonly life: Life;
  epoch: number;
  /** On the server's clock, ms. */
  expiresAt: number;
}

type Claimed =
  | { readonly type: 'granted'; readonly epoch: number; readonly previous: string | null }
  | { readonly type: 'denied'; readonly cause: DenialCause };

export class TimedStore {
  /** Until when it answers nobody, and until when it takes its time, in the world's time. */
  downUntil = 0;
  slowUntil = 0;
  paused = false;
  completedAt: number = Number.NEGATIVE_INFINITY;
  readonly #world: World;
  readonly #rate: number;
  #entry: Entry | null = null;
  /** The highest epoch ever granted. */
  #epoch = 0;
  #record: LeaseHolder | null = null;
  #tokens = 0;

  /** @param drift the share by which its clock runs fast */
  constructor(world: World, drift: number) {
    this.#world = world;
    this.#rate = 1 + drift;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Whose lease has not expired. */
  get holder(): Life | null {
    return this.#living?.life ?? null;
  }

  newToken(): number {
    this.#tokens += 1;
    return this.#tokens;
  }

  claim(
    life: Life,
    token: number,
    asked: { readonly floor: number; readonly ttlMs: number },
  ): Claimed {
    if (this.completedAt >= life.startedAt) return { type: 'denied', cause: 'completed' };
    if (this.#living !== null) return { type: 'denied', cause: 'held' };
    const previous = this.#record?.node ?? null;
    const epoch = this.#nextEpoch(asked.floor);
    this.#world.checker.granted(life, epoch);
    this.#entry = { token, life, epoch, expiresAt: this.#now + asked.ttlMs };
    this.#record = life.holder;
    this.#world.leaseChanged();
    return { type: 'granted', epoch, previous };
  }

  /** False: it is not, or no more, the lease of that token. */
  renew(token: number, ttlMs: number): boolean {
    const entry = this.#of(token);
    if (entry !== null) entry.expiresAt = this.#now + ttlMs;
    return entry !== null;
  }

  /** Null: it is not, or no more, the lease of that token. */
  advance(token: number, floor: number): number | null {
    const entry = this.#of(token);
    if (entry === null) return null;
    entry.epoch = this.#nextEpoch(floor);
    this.#world.leaseChanged();
    return entry.epoch;
  }

  /** Of another token than the present one it changes nothing. */
  release(token: number): void {
    if (this.#of(token) === null) return;
    this.#entry = null;
    this.#world.leaseChanged();
  }

  observe(): LeaseObservation {
    return {
      epoch: this.#epoch,
      held: this.#living !== null,
      holder: this.#record,
      recordUnreadable: false,
      touch: null,
      paused: this.paused,
    };
  }

  get #now(): number {
    return this.#world.at * this.#rate;
  }

  get #living(): Entry | null {
    return this.#entry !== null && this.#entry.expiresAt > this.#now ? this.#entry : null;
  }

  #of(token: number): Entry | null {
    return this.#living?.token === token ? this.#living : null;
  }

  #nextEpoch(floor: number): number {
    this.#epoch = Math.max(this.#epoch, floor) + 1;
    return this.#epoch;
  }
}
