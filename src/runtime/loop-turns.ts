// What a thousand nodes would do in one turn of the loop, spread over many.
import { monotonicNow } from './clock.ts';

/** Somebody who waits for a turn. */
interface Waiting {
  readonly begin: () => void;
  readonly meanwhile: () => void;
  /** Monotonic, ms. */
  readonly since: number;
}

/**
 * So many in one turn of the loop, in the order of asking. What those that came first wait for, such as the disk or the
 * process that starts their commands, has its turn in between: else all would take each step before any takes the next.
 * Nobody keeps a place: what hangs holds nobody else up.
 */
export class LoopTurns {
  readonly #perTurn: number;
  readonly #now: () => number;
  readonly #waiting: Waiting[] = [];
  /** How many may begin yet before the loop has turned. */
  #left: number;
  #isTurning = false;
  #lookedAt = -Infinity;

  /** @param now monotonic, ms */
  constructor(perTurn: number, now: () => number = monotonicNow) {
    this.#perTurn = perTurn;
    this.#left = perTurn;
    this.#now = now;
  }

  /**
   * Resolves when it is its turn: at once for the first ones, and within seconds where each turn of the loop takes long.
   *
   * @param meanwhile called about twice a second until then. Must not throw
   */
  take(meanwhile: () => void): Promise<void> {
    if (!this.#isTurning) {
      this.#isTurning = true;
      this.#lookedAt = this.#now();
      setImmediate(this.#next);
    }
    if (this.#left === 0) {
      const since = this.#now();
      return new Promise((resolve) => this.#waiting.push({ begin: resolve, meanwhile, since }));
    }
    this.#left -= 1;
    return Promise.resolve();
  }

  readonly #next = (): void => {
    const now = this.#now();
    const isLate = ({ since }: Waiting): boolean => now - since >= LONGEST_WAIT_MS;
    const late = this.#waiting.findLastIndex(isLate) + 1;
    const begun = this.#waiting.splice(0, Math.max(late, this.#perTurn));
    this.#left = Math.max(0, this.#perTurn - begun.length);
    this.#isTurning = begun.length > 0;
    if (this.#isTurning) setImmediate(this.#next);
    for (const { begin } of begun) begin();
    if (now - this.#lookedAt < MEANWHILE_MS) return;
    this.#lookedAt = now;
    for (const { meanwhile } of this.#waiting) meanwhile();
  };
}

const MEANWHILE_MS = 500;

/** Half of what an order of the core may take before it counts as failed. */
const LONGEST_WAIT_MS = 5_000;
