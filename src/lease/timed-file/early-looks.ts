// Looks often for a moment: somebody wants the lease now, and a holder that is gone gives it back in a moment, perhaps
// on another machine, of which nobody is told here.

const LOOKS_FOR_MS = 2_000;
const LOOKS_EVERY_MS = 50;

export interface EarlyLooksParts {
  readonly now: () => number;
  readonly onFree: () => void;
}

export class EarlyLooks {
  readonly #parts: EarlyLooksParts;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: EarlyLooksParts) {
    this.#parts = parts;
  }

  /** @param isFree one look; where it fails the next may do better */
  begin(isFree: () => Promise<boolean>): void {
    if (this.#timer !== null) return;
    const { now, onFree } = this.#parts;
    const endAt = now() + LOOKS_FOR_MS;
    let isLooking = false;
    this.#timer = setInterval(() => {
      if (now() >= endAt) this.end();
      if (isLooking || this.#timer === null) return;
      isLooking = true;
      isFree()
        .then((isOver) => {
          isLooking = false;
          if (!isOver) return;
          this.end();
          onFree();
        })
        .catch(() => {
          isLooking = false;
        });
    }, LOOKS_EVERY_MS).unref();
  }

  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
