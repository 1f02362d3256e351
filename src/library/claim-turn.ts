// When a node of an election claims a lease that is free: at once, or after those that go before it.

export type ElectionStrategy = 'race' | 'priority';

export interface ClaimSituation {
  readonly strategy: ElectionStrategy;
  /** This node's priority; 0: it never leads. */
  readonly priority: number;
  /** The priorities of the other nodes that were seen recently. */
  readonly others: readonly number[];
  /** Since when this node has seen the lease as free, ms. */
  readonly freeSinceMs: number;
  /** Since when the others can have seen this node, ms. */
  readonly registeredAtMs: number;
  /** As long as a node may take to notice that the lease is free, or that a node is there, ms. */
  readonly windowMs: number;
}

/** When it may claim, on the same clock; null: never. */
export function claimAtMs(situation: ClaimSituation): number | null {
  const { strategy, priority, others, freeSinceMs, registeredAtMs, windowMs } = situation;
  if (priority === 0) return null;
  if (strategy === 'race') return freeSinceMs;
  // Of those that start together none knows the others at first.
  const knownAtMs = Math.max(freeSinceMs, registeredAtMs + windowMs);
  return knownAtMs + rankOf(priority, others) * windowMs;
}

/** A tick, give or take a fifth: nodes that start together don't ask together for ever. */
export function tickDelayMs(tickMs: number, random: number): number {
  return tickMs + tickMs * TICK_SPREAD * (2 * random - 1);
}

/** The longest tick, ms. */
export function longestTickMs(tickMs: number): number {
  return tickMs + tickMs * TICK_SPREAD;
}

/** How long a node whose start failed leaves the lease to others, ms; doubles with each failure in a row. */
export function holdOffMs(failures: number, tickMs: number): number {
  const doublings = Math.min(Math.max(failures - 1, 0), DOUBLINGS_LIMIT);
  return Math.min(LEAST_HOLD_OFF_TICKS * tickMs * 2 ** doublings, LONGEST_HOLD_OFF_MS);
}

const TICK_SPREAD = 0.2;

/** More than the longest tick of the others, and their request. */
const LEAST_HOLD_OFF_TICKS = 3;

const LONGEST_HOLD_OFF_MS = 30_000;

const DOUBLINGS_LIMIT = 20;

/** Nodes of the same number race. */
function rankOf(priority: number, others: readonly number[]): number {
  return new Set(others.filter((other) => other > 0 && other < priority)).size;
}
