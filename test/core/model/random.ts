// One seed gives one run: the only source of chance of the model.
import { nextRandom } from '../../../src/core/jitter.ts';

export class Random {
  #random: number;

  constructor(seed: number) {
    this.#random = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
    for (let i = 0; i < 4; i += 1) this.between(0, 1);
  }

  between(least: number, most: number): number {
    const { value, random } = nextRandom(this.#random);
    this.#random = random;
    return least + value * (most - least);
  }

  happens(probability: number): boolean {
    return this.between(0, 1) < probability;
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.between(0, items.length))];
  }
}
