// For how long a primary is waited for that does not answer, or stops within an answer: one timer for all requests.
import type { Clock } from '../runtime/ports.ts';
import { UnderWay } from './under-way.ts';
import type { Going } from './under-way.ts';

/** One that waits. The fields are those of `Patience`. */
export interface Waiting extends Going {
  /** Called in each round, and may give up its wait. */
  review(): void;
}

export interface PatienceLimits {
  readonly answerTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** Of the shorter limit; a wait may end two rounds later than it says. */
const ROUNDS_A_LIMIT = 16;
const SHORTEST_ROUND_MS = 5;
const LONGEST_ROUND_MS = 1_000;

/**
 * Time is counted in rounds: who notes one reads no clock, and a process that stands still counts one meanwhile. Two
 * timers for each request, made to be cleared, cost some 3 % of the processor.
 */
export class Patience {
  readonly #clock: Clock;
  readonly #roundMs: number;
  readonly #waiting = new UnderWay<Waiting>();
  #round = 0;
  /** Whether nobody was reviewed in the round before. */
  #hasPassed = false;
  #cancel: (() => void) | null = null;

  constructor({ answerTimeoutMs, idleTimeoutMs }: PatienceLimits, clock: Clock) {
    const wantedMs = Math.min(answerTimeoutMs, idleTimeoutMs) / ROUNDS_A_LIMIT;
    this.#roundMs = Math.min(Math.max(wantedMs, SHORTEST_ROUND_MS), LONGEST_ROUND_MS);
    this.#clock = clock;
  }

  /** The present one: it goes up as long as somebody waits. */
  get round(): number {
    return this.#round;
  }

  /** Whether at least so much time has passed since that round, ms. */
  isOver(since: number, limitMs: number): boolean {
    // The first of them may have been nearly over.
    return (this.#round - since - 1) * this.#roundMs >= limitMs;
  }

  add(waiting: Waiting): void {
    this.#waiting.add(waiting);
    // It runs on until nobody has waited for a round: most requests start no timer.
    if (this.#cancel === null) this.#schedule();
  }

  /** A second time it does nothing. */
  delete(waiting: Waiting): void {
    this.#waiting.delete(waiting);
  }

  /** Nobody is reviewed any more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #schedule(): void {
    const dueMs = this.#clock.now() + this.#roundMs;
    this.#cancel = this.#clock.wakeAt(dueMs, () => {
      this.#cancel = null;
      this.#round += 1;
      if (this.#waiting.size === 0) return;
      this.#schedule();
      // After it stood still it first hears what has come meanwhile; one that always is late does not wait for ever.
      this.#hasPassed = !this.#hasPassed && this.#clock.now() - dueMs >= this.#roundMs;
      if (this.#hasPassed) return;
      for (const waiting of this.#waiting.inTurn()) waiting.review();
    });
  }
}
