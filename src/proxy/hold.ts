// What waits for a primary: first come, first served, with limits on number, bytes and time. The time is handed in.

export interface HoldLimits {
  /** How many may wait. */
  readonly requests: number;
  /** How many bytes of bodies may be kept, of those that wait and of those that may have to be sent again. */
  readonly bytes: number;
  /** How long each may wait in all, ms. */
  readonly waitMs: number;
}

/** What waits. The fields are the hold's. */
export interface Held {
  /** Since when it has been waiting; null: it is not. */
  sinceMs: number | null;
  /** How long it waited before, ms. */
  waitedMs: number;
}

export class Hold<Item extends Held> {
  readonly #limits: HoldLimits;
  /** In the order of their coming. */
  readonly #fresh = new Set<Item>();
  /** Those that had gone and have come back: they came before all others. */
  readonly #returned = new Set<Item>();
  #bytes = 0;

  constructor(limits: HoldLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#fresh.size + this.#returned.size;
  }

  /** Of bodies that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** False: there is no room for one more. */
  add(item: Item, nowMs: number): boolean {
    if (this.size >= this.#limits.requests) return false;
    item.sinceMs = nowMs;
    this.#fresh.add(item);
    return true;
  }

  /** There is always room for one that has been let go before: as many as can be under way. */
  putBack(item: Item, nowMs: number): void {
    item.sinceMs = nowMs;
    this.#returned.add(item);
  }

  /** The next to go, which waits no more; null: there is none. */
  next(nowMs: number): Item | null {
    const [item] = this.#returned.size > 0 ? this.#returned : this.#fresh;
    if (item === undefined) return null;
    this.remove(item, nowMs);
    return item;
  }

  /** Takes one out, wherever it stands; one that does not wait is left alone. */
  remove(item: Item, nowMs: number): void {
    if (item.sinceMs === null) return;
    item.waitedMs += nowMs - item.sinceMs;
    item.sinceMs = null;
    if (!this.#returned.delete(item)) this.#fresh.delete(item);
  }

  /** Takes out those that have waited too long. */
  takeExpired(nowMs: number): readonly Item[] {
    const expired = [...this.#returned].filter((item) => this.#dueMs(item) <= nowMs);
    for (const item of this.#fresh) {
      if (this.#dueMs(item) > nowMs) break;
      expired.push(item);
    }
    for (const item of expired) this.remove(item, nowMs);
    return expired;
  }

  /** When the first of them will have waited too long; null: nobody waits. */
  get dueMs(): number | null {
    // Of the fresh ones none has waited before: they are due as they came.
    const [first] = this.#fresh;
    const candidates = first === undefined ? [...this.#returned] : [...this.#returned, first];
    if (candidates.length === 0) return null;
    return Math.min(...candidates.map((item) => this.#dueMs(item)));
  }

  /** False: so many bytes more can't be kept. */
  reserve(bytes: number): boolean {
    if (this.#bytes + bytes > this.#limits.bytes) return false;
    this.#bytes += bytes;
    return true;
  }

  free(bytes: number): void {
    this.#bytes -= bytes;
  }

  #dueMs({ sinceMs, waitedMs }: Held): number {
    return (sinceMs ?? 0) - waitedMs + this.#limits.waitMs;
  }
}
