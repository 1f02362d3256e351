// What a node tells its listeners: its transitions, each warning once, and the latest of them on request.
import type { EventEmitter } from 'node:events';
import type { Phase, Role, StopOrder, Takeover } from '../core/state.ts';
import type { Step } from '../core/transition.ts';
import { monotonicNow } from './clock.ts';

/** A change of the node's phase, with the sentence that says why. */
export interface NodeTransition {
  readonly from: Phase;
  readonly to: Phase;
  readonly role: Role;
  readonly epoch: number;
  readonly reason: string;
  readonly takeover: Takeover | null;
  /** When it was decided, by the wall clock: listeners are called a moment later. */
  readonly time: Date;
}

export interface NodeEvents {
  transition: [NodeTransition];
  /** Something a person should know; nothing has failed yet. */
  warning: [string];
  /** The node has ended: everything is closed. */
  exit: [StopOrder];
}

/** How many transitions a node remembers. */
const HISTORY_LIMIT = 100;

/** Speaks through a node's events. */
export class Narrator {
  readonly #emitter: EventEmitter<NodeEvents>;
  readonly #history: NodeTransition[] = [];
  readonly #now: () => number;
  /** When each warning came last, ms; the one that came last at the end. */
  readonly #warnedAt = new Map<string, number>();

  constructor(emitter: EventEmitter<NodeEvents>, now: () => number = monotonicNow) {
    this.#emitter = emitter;
    this.#now = now;
  }

  /** The latest transitions, oldest first; bounded. */
  history(): readonly NodeTransition[] {
    return [...this.#history];
  }

  tell({ before, state, move, reason }: Step): void {
    if (move !== null) {
      const epoch = 'epoch' in state ? state.epoch : state.epochFloor;
      const takeover = move === 'promoted' ? state.lastTakeover : null;
      const { role, phase } = state;
      const time = new Date();
      const change = { from: before.phase, to: phase, role, epoch, reason, takeover, time };
      this.#history.push(change);
      if (this.#history.length > HISTORY_LIMIT) this.#history.shift();
      later(() => this.#emitter.emit('transition', change));
    }
    if (state.warning === before.warning) return;
    // What a decision has ended is news when it comes back.
    if (before.warning !== null) this.#warnedAt.delete(before.warning);
    if (state.warning !== null) this.warn(state.warning);
  }

  /** Said once for as long as it keeps coming, whatever other warnings come in between. */
  warn(message: string): void {
    const now = this.#now();
    const before = this.#warnedAt.get(message);
    this.#warnedAt.delete(message);
    this.#warnedAt.set(message, now);
    if (before !== undefined && now - before < QUIET_MS) return;
    const [oldest] = this.#warnedAt.keys();
    if (this.#warnedAt.size > WARNINGS_LIMIT && oldest !== undefined) this.#warnedAt.delete(oldest);
    later(() => this.#emitter.emit('warning', message));
  }
}

/** A warning that has not come for so long is news when it comes again. */
const QUIET_MS = 60_000;

/** How many different warnings are remembered. */
const WARNINGS_LIMIT = 16;

/** Later in this turn: a listener that throws can't break a decision that is being carried out. */
function later(emit: () => void): void {
  setImmediate(emit);
}
