// What one node has seen of a lease that its holder renews by changing it, on the clock of that node alone.

/** One look. */
export interface Look {
  /** What is different after each renewal. */
  readonly mark: string;
  /** The time to live of the lease, by what its holder says. */
  readonly ttlMs: number;
  /** On the looking node's clock, ms. */
  readonly beganAt: number;
  readonly endedAt: number;
}

/**
 * A lease is over once it was seen unchanged for its time to live. What a look shows was written before it ended, so
 * the time is counted from there; and to a look that begins later every renewal shows that was done by then. Its
 * holder counts from before it wrote, so what is over here was over there before, whatever their clocks say.
 */
export class Sight {
  #mark: string | null = null;
  #sinceMs = 0;

  /** How long it may go on, ms; 0: it is over. */
  leftMs({ mark, ttlMs, beganAt, endedAt }: Look): number {
    if (mark !== this.#mark) {
      this.#mark = mark;
      this.#sinceMs = endedAt;
      return ttlMs;
    }
    return Math.max(0, this.#sinceMs + ttlMs - beganAt);
  }
}
