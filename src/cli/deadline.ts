// A bounded wait for a condition that nothing announces: looked at again and again until a deadline.
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';

/** How long a change may take that was given no other time. */
export const CHANGE_TIME = '90s';

/** The time a command has, on the monotonic clock. */
export class Deadline {
  readonly #endsAt: number;

  constructor(timeoutMs: number) {
    this.#endsAt = performance.now() + timeoutMs;
  }

  /** What is left, ms; 0 when it has passed. */
  get leftMs(): number {
    return Math.max(0, this.#endsAt - performance.now());
  }

  get hasPassed(): boolean {
    return this.leftMs === 0;
  }

  /** Looks every `intervalMs` until the condition holds; false when the deadline came first. */
  async until(condition: () => boolean, intervalMs: number): Promise<boolean> {
    while (!condition()) {
      if (this.hasPassed) return false;
      await wait(Math.min(intervalMs, this.leftMs));
    }
    return true;
  }
}
