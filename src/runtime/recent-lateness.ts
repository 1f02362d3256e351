// How late the loop of this node was recently: the worst of about a minute, in a few numbers.

/** The time that one number stands for, ms. */
const SLOT_MS = 10_000;

/** How many of them are kept: what is told is of the last 50 to 60 seconds. */
const SLOTS = 6;

export class RecentLateness {
  /** By the number of the slot; older ones than are kept have gone. */
  readonly #worst = new Map<number, number>();

  /** A timer that was due at `dueAtMs` has come at `nowMs`; both on one monotonic clock. */
  note(dueAtMs: number, nowMs: number): void {
    const slot = slotOf(nowMs);
    const lateMs = Math.max(0, nowMs - dueAtMs);
    this.#worst.set(slot, Math.max(lateMs, this.#worst.get(slot) ?? 0));
    for (const old of this.#worst.keys()) if (old <= slot - SLOTS) this.#worst.delete(old);
  }

  /** The worst, ms; 0 where no timer has come lately. */
  worst(nowMs: number): number {
    const oldest = slotOf(nowMs) - SLOTS;
    const recent = [...this.#worst].filter(([slot]) => slot > oldest);
    return Math.max(0, ...recent.map(([, lateMs]) => lateMs));
  }
}

function slotOf(atMs: number): number {
  return Math.floor(atMs / SLOT_MS);
}
