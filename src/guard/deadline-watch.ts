// Tells of a deadline at once when it has passed, also after the machine stood still.
import type { Clock } from '../runtime/ports.ts';

/** How often it looks at the clock, ms: a timer stands still with the machine, and is late by as much. */
const LOOK_MS = 25;

export class DeadlineWatch {
  readonly #clock: Clock;
  readonly #onOver: () => void;
  readonly #lookMs: number;
  #at = Infinity;
  #look: NodeJS.Timeout | null = null;
  #cancelWake: () => void = () => undefined;

  /** @param onOver called again with each look for as long as the deadline is not put off */
  constructor(clock: Clock, onOver: () => void, lookMs: number = LOOK_MS) {
    this.#clock = clock;
    this.#onOver = onOver;
    this.#lookMs = lookMs;
  }

  get at(): number {
    return this.#at;
  }

  isOver(): boolean {
    return this.#clock.now() >= this.#at;
  }

  /** What comes after the deadline is not started any more, and nothing leads without one. */
  allowsStart(isActive: boolean): boolean {
    return !this.isOver() && (!isActive || this.#at < Infinity);
  }

  /** The one deadline from here on. */
  set(at: number): void {
    this.#at = at;
    this.#wakeInTime();
    this.#look ??= setInterval(this.#tell, this.#lookMs);
  }

  /** There is none any more. */
  clear(): void {
    this.#at = Infinity;
    this.#cancelWake();
    if (this.#look !== null) clearInterval(this.#look);
    this.#look = null;
  }

  /** Again where it came early: the clock of a machine that was suspended goes in steps. */
  readonly #wakeInTime = (): void => {
    this.#cancelWake();
    if (this.isOver()) this.#tell();
    else this.#cancelWake = this.#clock.wakeAt(this.#at, this.#wakeInTime);
  };

  readonly #tell = (): void => {
    if (!this.isOver()) return;
    // What was said while this process stood still is read first: the deadline may be another by now.
    setImmediate(() => {
      if (this.isOver()) this.#onOver();
    });
  };
}
