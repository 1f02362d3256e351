// When journals may be read by who watches many groups: each is read in one piece, and nodes in this process beat.
import { monotonicNow } from '../../runtime/clock.ts';

/** After one that has taken long comes a pause so many times as long: a thousand nodes may have ended at once. */
const PAUSE_FACTOR = 3;

export class ReadingPace {
  #restUntil = -Infinity;

  get isDue(): boolean {
    return monotonicNow() >= this.#restUntil;
  }

  /** One was read. @param tookMs How long nothing else was done */
  rest(tookMs: number): void {
    this.#restUntil = monotonicNow() + PAUSE_FACTOR * tookMs;
  }
}
