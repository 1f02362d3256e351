// Those that have been let go, in their turn: a set without the cost of one.

/** One that goes. The fields are those of `UnderWay`. */
export interface Going {
  /** Where it stands; null: it does not go. */
  index: number | null;
  turn: number;
}

/**
 * A `Set` that each request comes into and leaves makes a new table every few of them, and each table keeps the next
 * one: once a table has grown old, all that were ever in those after it stay in memory until all of it is collected.
 */
export class UnderWay<Item extends Going> {
  readonly #items: Item[] = [];
  #turns = 0;

  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    this.#turns += 1;
    item.turn = this.#turns;
    item.index = this.#items.push(item) - 1;
  }

  /** False: it was not among them. */
  delete(item: Item): boolean {
    const { index } = item;
    if (index === null) return false;
    item.index = null;
    const last = this.#items.pop();
    if (last === undefined || last === item) return true;
    this.#items[index] = last;
    last.index = index;
    return true;
  }

  /** As they are now, first those that were let go first. */
  inTurn(): readonly Item[] {
    return this.#items.toSorted((one, other) => one.turn - other.turn);
  }
}
