// What a node has answered recently, so that it can tell what was said since from what was said once and is sent again.
import { randomBytes } from 'node:crypto';

/**
 * Each answer offers a random text, a new one in each interval, and what is said next repeats it. Nothing is
 * compared between the clocks of two machines.
 */
export class Challenges {
  readonly #intervalMs: number;
  readonly #validMs: number;
  readonly #now: () => number;
  /** The latest last. */
  #offered: { readonly text: string; readonly since: number }[] = [];

  constructor(times: {
    readonly intervalMs: number;
    readonly validMs: number;
    readonly now: () => number;
  }) {
    this.#intervalMs = times.intervalMs;
    this.#validMs = times.validMs;
    this.#now = times.now;
  }

  offer(): string {
    const at = this.#now();
    const latest = this.#offered.at(-1);
    if (latest !== undefined && at - latest.since < this.#intervalMs) return latest.text;
    const text = randomBytes(16).toString('hex');
    this.#offered = this.#offered.filter(({ since }) => at - since < this.#validMs);
    this.#offered.push({ text, since: at });
    return text;
  }

  /** Since when it was offered; null: it never was, or too long ago. */
  sinceOf(text: string): number | null {
    const found = this.#offered.find((offered) => offered.text === text);
    if (found === undefined || this.#now() - found.since >= this.#validMs) return null;
    return found.since;
  }
}
