// What nodes and people ask of nodes, by number, until it is answered.
import type { RequestOutcome } from '../core/effect.ts';

export class Requests {
  #count = 0;
  readonly #open = new Map<string, (outcome: RequestOutcome) => void>();

  /** @returns the number to ask under. */
  ask(answered: (outcome: RequestOutcome) => void): string {
    this.#count += 1;
    const requestId = `r${String(this.#count)}`;
    this.#open.set(requestId, answered);
    return requestId;
  }

  answered(requestId: string, outcome: RequestOutcome): void {
    const take = this.#open.get(requestId);
    this.#open.delete(requestId);
    take?.(outcome);
  }
}
