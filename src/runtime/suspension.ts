// The stop that a terminal asks for (SIGTSTP): only once nothing is held, what led to it is written, and all is said.
import type { EventBody } from '../core/event.ts';
import type { NodeState } from '../core/state.ts';
import { holdsNothing } from '../core/suspending.ts';
import { LINGER_MS } from './closing.ts';

export interface SuspensionParts {
  /** Stops this process, and returns when it continues; null: nothing can. */
  readonly stopProcess: (() => void) | null;
  readonly state: () => NodeState;
  readonly dispatch: (event: EventBody) => void;
  /** Writes the journal. */
  readonly flush: () => Promise<void>;
}

export class Suspension {
  readonly #parts: SuspensionParts;
  /** Until it may be carried out; undefined: it was never to be. */
  #order: NodeJS.Timeout | undefined;

  constructor(parts: SuspensionParts) {
    this.#parts = parts;
  }

  /** Has the node step down; the core says when it may be carried out. */
  ask(): void {
    this.#parts.dispatch({ type: 'suspend-requested' });
  }

  /** What was asked for and has not happened yet does not happen. */
  withdraw(): void {
    clearTimeout(this.#order);
    this.#order = undefined;
    this.#parts.dispatch({ type: 'suspend-withdrawn' });
  }

  /** Once the last messages have left; asked again if something has to be given back meanwhile. */
  carryOut(): void {
    const { stopProcess } = this.#parts;
    if (stopProcess === null) {
      this.withdraw();
      return;
    }
    clearTimeout(this.#order);
    const order = setTimeout(() => void this.#carryOutNow(stopProcess, order), LINGER_MS);
    this.#order = order;
  }

  async #carryOutNow(stopProcess: () => void, order: NodeJS.Timeout): Promise<void> {
    // A stopped process can be asked nothing, but its journal can be read.
    await this.#parts.flush();
    // Withdrawn meanwhile, or ordered anew.
    if (this.#order !== order) return;
    if (!holdsNothing(this.#parts.state())) {
      this.ask();
      return;
    }
    stopProcess();
    // The process goes on here: when it was continued, or at once where the system does not stop it.
    this.withdraw();
  }
}
