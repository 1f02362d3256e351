// One seed, one run: the only source of chance of a simulation (Marsaglia's xorshift32).

export class Random {
  #bits: number;

  constructor(seed: number) {
    this.#bits = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) | 0 || 1;
    // Seeds next to each other begin alike.
    for (let i = 0; i < 4; i += 1) this.next();
  }

  /** In [0, 1). */
  next(): number {
    let bits = this.#bits;
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
    this.#bits = bits;
    return (bits >>> 0) / 2 ** 32;
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  /** A whole number from 0 up to and without `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  happens(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of at least one item. */
  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.below(items.length)] ?? items[0];
  }

  /** A source of its own: what it gives does not depend on how often this one is asked later. */
  fork(): Random {
    return new Random(Math.floor(this.next() * 2 ** 32));
  }
}
