// What the nodes of a process that runs many of them share, so that each costs little.
import type { Phase } from '../core/state.ts';
import { monotonicNow } from './clock.ts';
import { LoopTurns } from './loop-turns.ts';
import { SharedWakes } from './shared-wakes.ts';

/** While others may be waiting for what a node does: journals are not written then. */
export const BUSY_PHASES: ReadonlySet<Phase> = new Set<Phase>([
  ...(['suspecting', 'fencing', 'acquiring', 'clearing', 'starting', 'promoting'] as const),
  ...(['unwinding', 'restarting', 'demoting'] as const),
]);

export class ManyNodes {
  readonly wakes: SharedWakes = new SharedWakes();
  readonly #leases = new LoopTurns(LEASES_A_TURN);
  readonly #busy = new Set<object>();
  #lastEntryAt = -Infinity;
  readonly #now: () => number;
  readonly #onRush: (isRush: boolean) => void;
  /** Nodes that were at rest once. */
  readonly #settled = new WeakSet<object>();
  /** Looks whether it is over; null: there is none. */
  #rush: NodeJS.Timeout | null = null;
  /** False from the beginning of one until it has been quiet again. */
  #mayRush = true;

  /**
   * @param now monotonic, ms
   * @param onRush many begin to do at once what others may be waiting for, or are through with it; not as they start
   */
  constructor({
    now = monotonicNow,
    onRush = () => undefined,
  }: {
    readonly now?: () => number;
    readonly onRush?: (isRush: boolean) => void;
  } = {}) {
    this.#now = now;
    this.#onRush = onRush;
  }

  /** Whether one of them does what others may be waiting for, and has not been at it for long. */
  get isBusy(): boolean {
    return this.#busy.size > 0 && this.#now() - this.#lastEntryAt < BUSY_LIMIT_MS;
  }

  /** See {@link LoopTurns}: to take the lease is the longest step of a takeover. */
  readonly leaseTurn = (meanwhile: () => void): Promise<void> => this.#leases.take(meanwhile);

  /** To be told whenever the phase of a node has changed; one that has ended is `stopped`. */
  entered(node: object, phase: Phase): void {
    if (!BUSY_PHASES.has(phase)) {
      this.#busy.delete(node);
      if (phase === 'watching' || phase === 'serving') this.#settled.add(node);
      if (this.#busy.size < RUSH) this.#mayRush = true;
      return;
    }
    this.#busy.add(node);
    this.#lastEntryAt = this.#now();
    if (this.#busy.size >= RUSH && this.#settled.has(node)) this.#beginRush();
  }

  /** A node decides nothing any more. */
  left(node: object): void {
    this.#busy.delete(node);
  }

  #beginRush(): void {
    if (this.#rush !== null || !this.#mayRush) return;
    this.#mayRush = false;
    this.#onRush(true);
    const endAt = this.#now() + RUSH_LIMIT_MS;
    const look = setInterval(() => {
      if (this.isBusy && this.#busy.size >= RUSH && this.#now() < endAt) return;
      clearInterval(look);
      this.#rush = null;
      this.#onRush(false);
    }, RUSH_LOOK_MS);
    this.#rush = look.unref();
  }
}

/** A turn of the loop then takes some 10 ms more: the others are not kept waiting, and few turns go without one. */
const LEASES_A_TURN = 8;

/** Fewer at once are through before it would make a difference. */
const RUSH = 32;

const RUSH_LOOK_MS = 1_000;

/** Ten times what a thousand groups take: some may be busy for ever, with a command that never gets ready. */
const RUSH_LIMIT_MS = 30_000;

/** Since the last step of any of them: one that waits for its command to be ready keeps no journal from being written. */
const BUSY_LIMIT_MS = 2_000;
