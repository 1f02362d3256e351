// Waits for the next change of what is known, and no longer than that is of use.
import { setTimeout as pause } from 'node:timers/promises';

export class Changes {
  #waiting: (() => void)[] = [];

  /** Something is another now: whoever waits looks again. */
  tell(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Resolves with the next change, or when it has waited for so long. */
  async next(withinMs: number): Promise<void> {
    const limit = new AbortController();
    const changed = new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
    const late = pause(withinMs, undefined, { signal: limit.signal, ref: false });
    // Ended below, and then nobody waits for it.
    late.catch(() => undefined);
    try {
      await Promise.race([changed, late]);
    } finally {
      limit.abort();
    }
  }
}
