// Wakes of many nodes of one process, done together: each time that a process is woken costs more than what a node
// then does.
import { systemClock } from './clock.ts';
import type { Clock } from './ports.ts';

/** To what the wakes are rounded up that are so far away; what is nearer may be of a takeover, and is not. */
const STEPS: readonly { readonly fromMs: number; readonly stepMs: number }[] = [
  { fromMs: 400, stepMs: 25 },
  { fromMs: 160, stepMs: 10 },
];

/** Those that are due at one time. */
interface Round {
  readonly callbacks: Set<() => void>;
  readonly cancel: () => void;
}

export class SharedWakes {
  readonly #rounds = new Map<number, Round>();
  readonly #clock: Clock;

  /** `clock`: what the rounds are waited for with. */
  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** The same time; what is far away comes up to 25 ms later than asked for, never earlier. */
  over(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      wakeAt: (atMs, callback) => this.#wakeIn(atMs - clock.now(), callback),
    };
  }

  #wakeIn(delayMs: number, callback: () => void): () => void {
    const dueAt = this.#clock.now() + delayMs;
    const step = STEPS.find(({ fromMs }) => delayMs >= fromMs);
    if (step === undefined || dueAt === Infinity) return this.#clock.wakeAt(dueAt, callback);
    const at = Math.ceil(dueAt / step.stepMs) * step.stepMs;
    const round = this.#rounds.get(at) ?? this.#begin(at);
    // Each node gives a callback of its own, and has at most one wake at a time.
    round.callbacks.add(callback);
    return () => {
      round.callbacks.delete(callback);
      if (round.callbacks.size > 0 || this.#rounds.get(at) !== round) return;
      this.#rounds.delete(at);
      round.cancel();
    };
  }

  #begin(at: number): Round {
    const callbacks = new Set<() => void>();
    const cancel = this.#clock.wakeAt(at, () => {
      this.#rounds.delete(at);
      for (const callback of callbacks) callback();
    });
    const round = { callbacks, cancel };
    this.#rounds.set(at, round);
    return round;
  }
}
