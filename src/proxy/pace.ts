// How many requests may be under way to a primary: few at first, more with each answer. The time is handed in.

export interface Pace {
  /** How many may be under way; while it can't be reached: how many may try to. */
  readonly slots: number;
  /** Before that none more is let go, ms; of the clock that is handed in. */
  readonly notBeforeMs: number;
  /** When it grows without an answer; null: it can't grow, or waits for `notBeforeMs`. */
  readonly growsMs: number | null;
  /** How often in a row it could not be reached. */
  readonly refusals: number;
}

/** Of a primary that nothing is known of. */
const FIRST_SLOTS = 16;

/** Answers may take long by their nature: without any, the slots double this often, ms. */
const GROWTH_MS = 250;

/** Until the next try to reach one that could not be, ms: it may not listen yet. Doubles each time. */
const FIRST_BACKOFF_MS = 20;
const LAST_BACKOFF_MS = 500;

/** Of a primary that is new, or serves again. */
export function freshPace(nowMs: number, limit: number): Pace {
  return growing({ slots: Math.min(FIRST_SLOTS, limit), refusals: 0 }, nowMs, limit);
}

/** After an answer: one more may be under way, so that what is answered soon doubles. */
export function paceAfterAnswer(pace: Pace, nowMs: number, limit: number): Pace {
  if (pace.refusals > 0) return freshPace(nowMs, limit);
  if (pace.slots >= limit) return pace;
  return { ...pace, slots: pace.slots + 1 };
}

/**
 * After the primary could not be reached: one alone tries next, and not at once. Of several that tried together the
 * first counts.
 */
export function paceAfterRefusal(pace: Pace, nowMs: number): Pace {
  if (nowMs < pace.notBeforeMs) return pace;
  const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** pace.refusals, LAST_BACKOFF_MS);
  const refusals = Math.min(pace.refusals + 1, 32);
  return { slots: 1, notBeforeMs: nowMs + backoffMs, growsMs: null, refusals };
}

/** Whether neither an answer nor that it was reached changes it: so it is nearly always. */
export function isFull(pace: Pace, limit: number): boolean {
  return pace.refusals === 0 && pace.slots >= limit;
}

/** What it is by now. */
export function paceAt(pace: Pace, nowMs: number, limit: number): Pace {
  if (pace.growsMs === null || nowMs < pace.growsMs) return pace;
  return growing({ slots: Math.min(pace.slots * 2, limit), refusals: 0 }, nowMs, limit);
}

/** One that could be reached, whatever it will answer. */
export function paceAfterReach(pace: Pace, nowMs: number, limit: number): Pace {
  return pace.refusals > 0 ? freshPace(nowMs, limit) : pace;
}

function growing(
  { slots, refusals }: Pick<Pace, 'slots' | 'refusals'>,
  nowMs: number,
  limit: number,
): Pace {
  const growsMs = slots < limit ? nowMs + GROWTH_MS : null;
  return { slots, notBeforeMs: nowMs, growsMs, refusals };
}
