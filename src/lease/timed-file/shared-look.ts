// A look that takes its time: who asks while it waits for its turn has it together with those who wait already.
import type { FileLink, IsLate } from './file-link.ts';

export interface SharedLookParts<Seen> {
  readonly link: FileLink;
  readonly timeoutMs: number;
  readonly look: (isLate: IsLate) => Promise<Seen>;
}

export class SharedLook<Seen> {
  readonly #parts: SharedLookParts<Seen>;
  /** Null: none waits, and one that is under way may have passed what has changed since. */
  #next: Promise<Seen> | null = null;

  constructor(parts: SharedLookParts<Seen>) {
    this.#parts = parts;
  }

  /** What is there now. @throws as `FileLink.looking` */
  see(): Promise<Seen> {
    if (this.#next !== null) return this.#next;
    const { link, timeoutMs, look } = this.#parts;
    const next = link
      .looking(timeoutMs, (isLate) => {
        this.#left(next);
        return look(isLate);
      })
      .finally(() => {
        this.#left(next);
      });
    this.#next = next;
    return next;
  }

  #left(look: Promise<Seen>): void {
    if (this.#next === look) this.#next = null;
  }
}
