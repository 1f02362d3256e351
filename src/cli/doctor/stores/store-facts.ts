// What a server of leases tells of itself, and how long it takes to: read only.
import { monotonicNow } from '../../../runtime/clock.ts';
import type { Finding } from '../check.ts';

export interface StoreFacts {
  /** With its name, such as `Redis 7.0.15`. */
  readonly version: string;
  /** The shortest of some requests, ms. */
  readonly roundTripMs: number;
  /** How far the server's wall clock is before this machine's, ms; null: it does not tell. */
  readonly aheadMs: number | null;
  /** What of its settings matters to a lease. */
  readonly settings: Finding;
}

/** The shortest of a few, ms: what comes on top is chance. */
export async function roundTripOf(ask: () => Promise<unknown>): Promise<number> {
  let bestMs = Infinity;
  for (let n = 0; n < REQUESTS; n += 1) {
    const askedMs = monotonicNow();
    await ask();
    bestMs = Math.min(bestMs, monotonicNow() - askedMs);
  }
  return bestMs;
}

const REQUESTS = 3;

/**
 * How far the other wall clock is ahead, ms, taken at the middle of a request.
 *
 * @param tell asks for it, ms since 1970
 */
export async function aheadOf(tell: () => Promise<number>): Promise<number> {
  const askedAtMs = Date.now();
  const theirsMs = await tell();
  return Math.round(theirsMs - (askedAtMs + Date.now()) / 2);
}
