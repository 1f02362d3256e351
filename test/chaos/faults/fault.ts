// What every kind of fault is: something done to the arena, and put right again when its time is over.
import type { Arena } from '../arena.ts';
import type { Fault } from '../plan.ts';

/** Resolves, when the fault has ended, with what was done; a text that begins with `skipped` counts as nothing. */
export type Perform = (arena: Arena, fault: Fault) => Promise<string>;

/** The item that a fault has chosen. */
export function chosen<Item>(items: readonly Item[], { choice }: Fault): Item | undefined {
  return items[choice % items.length];
}
