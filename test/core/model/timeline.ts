// Virtual time: deeds in the order of their times, and of their coming where the times are equal.

interface Deed {
  readonly at: number;
  readonly act: () => void;
}

export class Timeline {
  readonly #deeds: Deed[] = [];
  #at = 0;

  get at(): number {
    return this.#at;
  }

  schedule(at: number, act: () => void): void {
    let index = this.#deeds.length;
    while (index > 0 && (this.#deeds[index - 1]?.at ?? 0) > at) index -= 1;
    this.#deeds.splice(index, 0, { at, act });
  }

  runUntil(until: number): void {
    for (;;) {
      const deed = this.#deeds[0];
      if (deed === undefined || deed.at > until) break;
      this.#deeds.shift();
      this.#at = Math.max(this.#at, deed.at);
      deed.act();
    }
    this.#at = until;
  }
}
