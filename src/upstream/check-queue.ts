// Checks upstreams, some at once and each one at a time, for so long and no longer.
import { textOf } from '../lease/error-text.ts';
import { systemClock } from '../runtime/clock.ts';

/** Resolves with whether the upstream serves; a rejection is a failure too. It is to end when the signal aborts. */
export type UpstreamCheck<Upstream> = (
  upstream: Upstream,
  signal: AbortSignal,
) => Promise<boolean> | boolean;

export interface CheckResult {
  /** How long the answer took, ms. */
  readonly latencyMs: number;
  /** Why it failed; null: it passed. */
  readonly failure: string | null;
}

export interface CheckOrder<Item> {
  readonly check: UpstreamCheck<Item>;
  readonly timeoutMs: number;
  readonly checksAtOnce: number;
  readonly onResult: (item: Item, result: CheckResult) => void;
}

interface Turn {
  readonly controller: AbortController;
  /** What is said of it once its time is over; null: it is not. */
  expired: string | null;
  stopWaiting: () => void;
}

export class CheckQueue<Item extends object> {
  readonly #order: CheckOrder<Item>;
  readonly #waiting = new Set<Item>();
  readonly #underWay = new Map<Item, Turn>();
  /** Those whose check has not ended: also one that goes on although it was aborted. */
  readonly #unsettled = new WeakSet<Item>();

  constructor(order: CheckOrder<Item>) {
    this.#order = order;
  }

  /** Checks it as soon as there is room; not a second time while it waits, or a check of it goes on. */
  add(item: Item): void {
    if (this.#underWay.has(item)) return;
    if (this.#waiting.has(item) && this.#unsettled.has(item)) {
      const failure = 'its last check was aborted but is still running';
      this.#order.onResult(item, { latencyMs: this.#order.timeoutMs, failure });
      return;
    }
    this.#waiting.add(item);
    this.#fill();
  }

  /** Aborts their checks; nothing more is told of them. */
  drop(items: readonly Item[]): void {
    for (const item of items) this.#waiting.delete(item);
    for (const item of items) {
      const turn = this.#underWay.get(item);
      if (turn === undefined) continue;
      this.#underWay.delete(item);
      turn.stopWaiting();
      turn.controller.abort(new Error('its check is no longer needed'));
    }
    this.#fill();
  }

  #fill(): void {
    for (const item of this.#waiting) {
      if (this.#underWay.size >= this.#order.checksAtOnce) return;
      // Another check beside one that does not end could be followed by a third, and no end of them.
      if (this.#unsettled.has(item)) continue;
      this.#waiting.delete(item);
      this.#begin(item);
    }
  }

  #begin(item: Item): void {
    const turn: Turn = { controller: new AbortController(), expired: null, stopWaiting: nothing };
    this.#underWay.set(item, turn);
    this.#unsettled.add(item);
    const begunMs = systemClock.now();
    const end = (failure: string | null): void => {
      if (this.#underWay.get(item) !== turn) return;
      this.#underWay.delete(item);
      turn.stopWaiting();
      this.#fill();
      this.#order.onResult(item, { latencyMs: systemClock.now() - begunMs, failure });
    };
    this.#limit(turn, () => {
      const expired = `it has not answered in ${String(this.#order.timeoutMs)} ms`;
      turn.expired = expired;
      turn.controller.abort(new Error('its check timed out'));
      // One that heeds its signal ends before that, and only then is there room for another.
      turn.stopWaiting = systemClock.wakeAt(systemClock.now(), () => {
        end(expired);
      });
    });
    void this.#failureOf(item, turn.controller.signal).then((failure) => {
      this.#unsettled.delete(item);
      end(turn.expired ?? failure);
      this.#fill();
    });
  }

  /** A program that was late itself has not seen what arrived meanwhile: then the time begins anew, once. */
  #limit(turn: Turn, expire: () => void, mayBeLate = true): void {
    const { timeoutMs } = this.#order;
    const dueMs = systemClock.now() + timeoutMs;
    turn.stopWaiting = systemClock.wakeAt(dueMs, () => {
      if (mayBeLate && systemClock.now() - dueMs > timeoutMs) this.#limit(turn, expire, false);
      else expire();
    });
  }

  async #failureOf(item: Item, signal: AbortSignal): Promise<string | null> {
    try {
      return (await this.#order.check(item, signal)) ? null : 'its check failed';
    } catch (error) {
      return textOf(error) || 'its check failed';
    }
  }
}

function nothing(): void {
  // There is nothing to end yet.
}
