// Virtual time: a binary heap of deeds, in the order of their times, and of their coming where those are equal.

/** Whoever does something: what it planned waits while it is stopped, and comes to nothing when it has ended. */
export interface Doer {
  readonly alive: boolean;
  readonly stopped: boolean;
  /** Takes a deed that fell due while it was stopped. */
  defer(act: () => void): void;
}

interface Deed {
  readonly at: number;
  readonly order: number;
  readonly doer: Doer | null;
  readonly act: () => void;
}

export class Timeline {
  readonly #heap: Deed[] = [];
  #at = 0;
  #order = 0;

  /** Now, ms. */
  get at(): number {
    return this.#at;
  }

  /** @param doer null: the kernel, the network or the simulation itself. */
  schedule(at: number, doer: Doer | null, act: () => void): void {
    this.#order += 1;
    const deed = { at: Math.max(at, this.#at), order: this.#order, doer, act };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(deed);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || isBefore(parent, deed)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = deed;
  }

  /** Does what falls due up to then. */
  runUntil(until: number): void {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.at > until) break;
      this.#removeFirst();
      this.#at = first.at;
      const { doer } = first;
      if (doer === null) first.act();
      else if (doer.alive) {
        if (doer.stopped) doer.defer(first.act);
        else first.act();
      }
    }
    this.#at = Math.max(this.#at, until);
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    const size = heap.length;
    if (last === undefined || size === 0) return;
    let index = 0;
    for (;;) {
      let least = 2 * index + 1;
      let child = heap[least];
      if (child === undefined) break;
      const right = heap[least + 1];
      if (right !== undefined && isBefore(right, child)) {
        least += 1;
        child = right;
      }
      if (isBefore(last, child)) break;
      heap[index] = child;
      index = least;
    }
    heap[index] = last;
  }
}

function isBefore(a: Deed, b: Deed): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
