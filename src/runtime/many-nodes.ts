// What the nodes of a process that runs many of them share, so that each costs little.
import type { Phase } from '../core/state.ts';
import { SharedWakes } from './shared-wakes.ts';

/** While others may be waiting for what a node does: journals are not written then. */
export const BUSY_PHASES: ReadonlySet<Phase> = new Set<Phase>([
  ...(['suspecting', 'fencing', 'acquiring', 'clearing', 'starting', 'promoting'] as const),
  ...(['unwinding', 'restarting', 'demoting'] as const),
]);

export class ManyNodes {
  readonly wakes: SharedWakes = new SharedWakes();
  readonly #busy = new Set<object>();

  /** Whether one of them does what others may be waiting for. */
  get isBusy(): boolean {
    return this.#busy.size > 0;
  }

  /** To be told whenever the phase of a node has changed; one that has ended is `stopped`. */
  entered(node: object, phase: Phase): void {
    if (BUSY_PHASES.has(phase)) this.#busy.add(node);
    else this.#busy.delete(node);
  }

  /** It decides nothing any more. */
  left(node: object): void {
    this.#busy.delete(node);
  }
}
