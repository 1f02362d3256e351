// The highest epoch on record, for callers that ask at every beat: the directory is listed where it has changed.
import { highestEpoch } from './epoch.ts';
import type { FileSight } from './file-sight.ts';
import { ReadOnce } from './read-once.ts';

export class HighestEpoch {
  readonly #epochs: string;
  readonly #sight: FileSight;
  readonly #listing: ReadOnce<number>;

  /**
   * @param epochs the directory of epochs
   * @param now monotonic, ms
   */
  constructor(epochs: string, sight: FileSight, now: () => number) {
    this.#epochs = epochs;
    this.#sight = sight;
    this.#listing = new ReadOnce(now);
  }

  /** Like `highestEpoch`, but a claim does not go by it. @throws as that */
  get onRecord(): number {
    const stats = this.#sight.statsOf(this.#epochs);
    if (stats === null) return highestEpoch(this.#epochs);
    return this.#listing.value(stats, () => highestEpoch(this.#epochs));
  }
}
