// Remembers what was read of a file or a directory for as long as its times prove that it is the same.
import type { BigIntStats } from 'node:fs';

/** What changes with every write, whoever writes: the last of them can't be set by anybody. */
interface Stamp {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/**
 * A write within the same tick of the file system's clock as the one before leaves the same times. So what
 * was read counts only where it was read longer after the last change than any such tick takes; until then
 * it is read each time.
 */
export class ReadOnce<T> {
  readonly #now: () => number;
  #stamp: Stamp | null = null;
  /** When that stamp was first seen: the change that made it was before. */
  #seenAtMs = 0;
  #readAtMs = 0;
  #value: T | null = null;
  #isSettled = false;

  /** @param now monotonic, ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * What `read` gives, now or earlier. `stats` are to be of a moment before, so that what is read is never
   * older than they are.
   */
  value(stats: BigIntStats, read: () => T): T {
    const now = this.#now();
    if (!isSame(this.#stamp, stats)) {
      this.forget();
      const value = read();
      this.#remember(stats, value, now);
      return value;
    }
    if (this.#isSettled && now - this.#readAtMs < TRUST_MS) return this.#value as T; // set with the stamp
    this.#value = read();
    this.#readAtMs = now;
    this.#isSettled = now - this.#seenAtMs >= TICK_MS;
    return this.#value;
  }

  #remember({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats, value: T, now: number): void {
    this.#stamp = { dev, ino, size, mtimeNs, ctimeNs };
    this.#value = value;
    this.#seenAtMs = now;
    this.#readAtMs = now;
  }

  /** What is asked for next is read. */
  forget(): void {
    this.#stamp = null;
    this.#value = null;
    this.#isSettled = false;
  }
}

function isSame(stamp: Stamp | null, stats: BigIntStats): boolean {
  return (
    stamp !== null &&
    stamp.ctimeNs === stats.ctimeNs &&
    stamp.mtimeNs === stats.mtimeNs &&
    stamp.size === stats.size &&
    stamp.ino === stats.ino &&
    stamp.dev === stats.dev
  );
}

/** The coarsest clock of a file system ticks every two seconds, that of FAT. */
export const TICK_MS = 2_500;

/** However still it seems, a file system that keeps no times hides a change no longer than this. */
export const TRUST_MS = 30_000;
