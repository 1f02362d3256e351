// Which answers still count: an order may be given again, or be overtaken by another, before it is answered.

/**
 * Orders of one kind are carried out one after the other, or one ends the other: only what became of the
 * newest is so. The claim and the return of a lease are one kind, and so is all that starts and stops the
 * workload; hooks run beside it.
 */
export type OrderKind = 'lease' | 'clearing' | 'workload' | 'hook' | 'fence' | 'demotion-request';

/** Whether the answer to an order counts: no other of its kind was given since. */
export type IsNewest = () => boolean;

/** The orders of one node. */
export class Orders {
  readonly #newest = new Map<OrderKind, number>();

  /** Numbers an order that is given now. */
  begin(kind: OrderKind): IsNewest {
    const number = (this.#newest.get(kind) ?? 0) + 1;
    this.#newest.set(kind, number);
    return () => this.#newest.get(kind) === number;
  }
}
