// When what has failed is tried again: after a second, after twice as long each time, and at the latest after 30 s.
import { monotonicNow } from '../../runtime/clock.ts';

interface Attempts {
  /** In a row. */
  failed: number;
  begunAtMs: number;
  timer: NodeJS.Timeout | null;
}

export class Retries {
  readonly #attempts = new Map<string, Attempts>();

  /** How many wait for their turn. */
  get size(): number {
    return [...this.#attempts.values()].filter(({ timer }) => timer !== null).length;
  }

  isWaiting(name: string): boolean {
    return (this.#attempts.get(name)?.timer ?? null) !== null;
  }

  /** It is tried now. */
  begins(name: string): void {
    const known = this.#attempts.get(name);
    this.#clear(name);
    this.#attempts.set(name, {
      failed: known?.failed ?? 0,
      begunAtMs: monotonicNow(),
      timer: null,
    });
  }

  /** It has failed. @returns in how many ms it is tried again */
  plan(name: string, tryAgain: () => void): number {
    const { failed, begunAtMs } = this.#attempts.get(name) ?? NONE;
    const isNew = monotonicNow() - begunAtMs > LONGEST_MS;
    const waitMs = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** (isNew ? 0 : failed));
    // Those that failed together are not tried together.
    const apartMs = waitMs * (0.75 + Math.random() / 4);
    const timer = setTimeout(tryAgain, apartMs);
    this.#clear(name);
    this.#attempts.set(name, { failed: isNew ? 1 : Math.min(failed + 1, 10), begunAtMs, timer });
    return apartMs;
  }

  /** Whatever becomes of it now is its first attempt. */
  forget(name: string): void {
    this.#clear(name);
    this.#attempts.delete(name);
  }

  cancelAll(): void {
    for (const name of [...this.#attempts.keys()]) this.forget(name);
  }

  #clear(name: string): void {
    const timer = this.#attempts.get(name)?.timer ?? null;
    if (timer !== null) clearTimeout(timer);
  }
}

const SHORTEST_MS = 1_000;
const LONGEST_MS = 30_000;
const NONE: Attempts = { failed: 0, begunAtMs: 0, timer: null };
