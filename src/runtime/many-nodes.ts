// What the nodes of a process that runs many of them share, so that each costs little.
import type { Phase } from '../core/state.ts';
import { monotonicNow } from './clock.ts';
import { SharedWakes } from './shared-wakes.ts';

/** While others may be waiting for what a node does: journals are not written then. */
export const BUSY_PHASES: ReadonlySet<Phase> = new Set<Phase>([
  ...(['suspecting', 'fencing', 'acquiring', 'clearing', 'starting', 'promoting'] as const),
  ...(['unwinding', 'restarting', 'demoting'] as const),
]);

export class ManyNodes {
  readonly wakes: SharedWakes = new SharedWakes();
  readonly #busy = new Set<object>();
  #lastEntryAt = -Infinity;
  readonly #now: () => number;

  /** `now`: monotonic, ms. */
  constructor(now: () => number = monotonicNow) {
    this.#now = now;
  }

  /** Whether one of them does what others may be waiting for, and has not been at it for long. */
  get isBusy(): boolean {
    return this.#busy.size > 0 && this.#now() - this.#lastEntryAt < BUSY_LIMIT_MS;
  }

  /** To be told whenever the phase of a node has changed; one that has ended is `stopped`. */
  entered(node: object, phase: Phase): void {
    if (!BUSY_PHASES.has(phase)) {
      this.#busy.delete(node);
      return;
    }
    this.#busy.add(node);
    this.#lastEntryAt = this.#now();
  }

  /** It decides nothing any more. */
  left(node: object): void {
    this.#busy.delete(node);
  }
}

/** Since the last step of any of them: one that waits for its command to be ready keeps no journal from being written. */
const BUSY_LIMIT_MS = 2_000;
