// What a node tells its listeners: its transitions, each warning once, and the latest of them on request.
import type { EventEmitter } from 'node:events';
import type { Phase, Role, StopOrder, Takeover } from '../core/state.ts';
import type { Step } from '../core/transition.ts';

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
  #warned: string | null = null;

  constructor(emitter: EventEmitter<NodeEvents>) {
    this.#emitter = emitter;
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
    if (state.warning !== null && state.warning !== before.warning) this.warn(state.warning);
    if (state.warning === null && before.warning !== null) this.#warned = null;
  }

  /** Said once as long as it stays the same. */
  warn(message: string): void {
    if (message === this.#warned) return;
    this.#warned = message;
    later(() => this.#emitter.emit('warning', message));
  }
}

/** Later in this turn: a listener that throws can't break a decision that is being carried out. */
function later(emit: () => void): void {
  setImmediate(emit);
}
