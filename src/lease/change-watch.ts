// Tells of changes of a lease that a server keeps: when it says so, and when what was seen of it has ended.
import { TIMER_LIMIT_MS } from '../runtime/clock.ts';

export class ChangeWatch {
  readonly #listeners: (() => void)[] = [];
  #quietUntilDone: NodeJS.Timeout | null = null;
  #isMissed = false;
  #end: NodeJS.Timeout | null = null;
  #isClosed = false;

  add(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Told at once, and then not for a while: what comes meanwhile is told when that is over. */
  changed(): void {
    if (this.#isClosed) return;
    if (this.#quietUntilDone !== null) {
      this.#isMissed = true;
      return;
    }
    this.#quietUntilDone = setTimeout(() => {
      this.#quietUntilDone = null;
      if (!this.#isMissed) return;
      this.#isMissed = false;
      this.changed();
    }, QUIET_MS).unref();
    for (const listener of this.#listeners) listener();
  }

  /** When a lease that nobody renews ends: no server says that. Null: it is not waited for. */
  endsIn(leftMs: number | null): void {
    if (this.#end !== null) clearTimeout(this.#end);
    this.#end = null;
    if (leftMs === null || this.#isClosed) return;
    const delayMs = Math.min(leftMs + AFTER_END_MS, TIMER_LIMIT_MS);
    this.#end = setTimeout(() => {
      this.#end = null;
      this.changed();
    }, delayMs).unref();
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of [this.#end, this.#quietUntilDone]) if (timer !== null) clearTimeout(timer);
  }
}

/** The same pause as for a file: a takeover makes a few changes at once, ms. */
const QUIET_MS = 40;

/** The server ends a lease up to a millisecond late. */
const AFTER_END_MS = 2;
