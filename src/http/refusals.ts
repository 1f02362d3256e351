// How often somebody may guess a token: a few times at once, and then now and then. Pure but for the clock it is given.

/** Wrong ones in a row, and after how long one more may be tried. */
const GUESSES = 10;
const GUESS_INTERVAL_MS = 6_000;

/** Beyond so many who guess, those are forgotten who have not for the longest time. */
const MOST_ADDRESSES = 1_000;

export class Refusals {
  readonly #now: () => number;
  /** By address: when its last guess is made up for. The one that guessed last is the last. */
  readonly #until = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** How long it has to wait, ms; 0: not at all. Right tokens wait as well: otherwise waiting would be no loss. */
  waitMs(address: string): number {
    const owedMs = (this.#until.get(address) ?? 0) - this.#now();
    return Math.max(0, owedMs - (GUESSES - 1) * GUESS_INTERVAL_MS);
  }

  note(address: string): void {
    const from = Math.max(this.#now(), this.#until.get(address) ?? 0);
    this.#until.delete(address);
    this.#until.set(address, from + GUESS_INTERVAL_MS);
    if (this.#until.size <= MOST_ADDRESSES) return;
    const [oldest] = this.#until.keys();
    if (oldest !== undefined) this.#until.delete(oldest);
  }
}
