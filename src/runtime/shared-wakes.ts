// Wakes of many nodes of one process, done together: each time that a process is woken costs more than what a node
// then does.
import { systemClock } from './clock.ts';
import type { Clock } from './ports.ts';

/** To what a wake is rounded up that is so far away; null: what is nearer may be of a takeover, and is not. */
function stepOf(delayMs: number): number | null {
  if (delayMs >= 400) return 25;
  return delayMs >= 160 ? 10 : null;
}

/**
 * Those that are due at one time. Rounds and wakes are used again and again: what is made anew at each beat of a thousand
 * nodes outlives the collections in between, and is then collected the dear way.
 */
interface Round {
  at: number;
  /** The first `count` of them. Null: carried out, or taken back while the round is. */
  readonly wakes: (Wake | null)[];
  count: number;
  cancel: () => void;
}

/** The wake of one node, which has at most one at a time. */
interface Wake {
  callback: () => void;
  /** The round it waits for; null: none. */
  round: Round | null;
  place: number;
  readonly cancel: () => void;
}

export class SharedWakes {
  readonly #rounds = new Map<number, Round>();
  readonly #over: Round[] = [];
  readonly #clock: Clock;

  /** `clock`: what the rounds are waited for with. */
  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /**
   * The same time for one node; what is far away comes up to 25 ms later than asked for, never earlier. A cancellation
   * is of the wake that is waited for when it is called: it is not to be kept for longer than its own.
   */
  over(clock: Clock): Clock {
    let own = this.#wake();
    return {
      now: () => clock.now(),
      wakeAt: (atMs, callback) => {
        if (own.round !== null) own = this.#wake();
        return this.#wakeIn(atMs - clock.now(), callback, own);
      },
    };
  }

  #wake(): Wake {
    const wake: Wake = {
      callback: () => undefined,
      round: null,
      place: 0,
      cancel: () => {
        this.#takeBack(wake);
      },
    };
    return wake;
  }

  #wakeIn(delayMs: number, callback: () => void, wake: Wake): () => void {
    const dueAt = this.#clock.now() + delayMs;
    const stepMs = stepOf(delayMs);
    if (stepMs === null || dueAt === Infinity) return this.#clock.wakeAt(dueAt, callback);
    const at = Math.ceil(dueAt / stepMs) * stepMs;
    const round = this.#rounds.get(at) ?? this.#begin(at);
    wake.callback = callback;
    wake.round = round;
    wake.place = round.count;
    round.wakes[round.count] = wake;
    round.count += 1;
    return wake.cancel;
  }

  #takeBack(wake: Wake): void {
    const { round, place } = wake;
    if (round === null) return;
    wake.round = null;
    if (this.#rounds.get(round.at) !== round) {
      // The round is being carried out, and ends by itself.
      round.wakes[place] = null;
      return;
    }
    // The last one takes its place, so that a round is never longer than there are nodes.
    round.count -= 1;
    const last = round.wakes[round.count] ?? wake;
    round.wakes[place] = last;
    last.place = place;
    round.wakes[round.count] = null;
    if (round.count > 0) return;
    round.cancel();
    this.#rounds.delete(round.at);
    this.#end(round);
  }

  #begin(at: number): Round {
    const round = this.#over.pop() ?? { at, wakes: [], count: 0, cancel: () => undefined };
    round.at = at;
    round.cancel = this.#clock.wakeAt(at, () => {
      this.#carryOut(round);
    });
    this.#rounds.set(at, round);
    return round;
  }

  #carryOut(round: Round): void {
    this.#rounds.delete(round.at);
    for (let place = 0; place < round.count; place += 1) {
      const wake = round.wakes[place] ?? null;
      if (wake === null) continue;
      round.wakes[place] = null;
      wake.round = null;
      wake.callback();
    }
    this.#end(round);
  }

  #end(round: Round): void {
    round.count = 0;
    if (this.#over.length < ROUNDS_KEPT) this.#over.push(round);
  }
}

/** More than are waited for at one time at the default intervals. */
const ROUNDS_KEPT = 64;
