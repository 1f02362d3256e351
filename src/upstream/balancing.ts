// Which upstream is next: in turn, among the usable ones of the lowest tier that has any.

/** What the choice goes by. */
export interface Candidate {
  readonly isUsable: boolean;
  /** The lower is chosen first. */
  readonly tier: number;
}

/** Lower bounds of tiers, ms: near, and ever farther away. Each is ten times as far as the one before. */
export const LATENCY_TIERS_MS: readonly number[] = [0, 0.1, 1, 10, 100, 1_000];

/** The tier of a latency: the last one whose bound it reaches. */
export function tierOf(latencyMs: number, boundsMs: readonly number[]): number {
  const above = boundsMs.findIndex((boundMs) => latencyMs < boundMs);
  return Math.max(0, (above === -1 ? boundsMs.length : above) - 1);
}

/**
 * The index of the next one, beginning after the one that was chosen last; -1: none is usable.
 *
 * @param last the index that was chosen last; -1: none was
 */
export function nextInTurn(candidates: readonly Candidate[], last: number): number {
  let chosen = -1;
  let lowest = Infinity;
  for (let step = 1; step <= candidates.length; step += 1) {
    const index = (last + step) % candidates.length;
    const candidate = candidates[index];
    if (candidate?.isUsable !== true || candidate.tier >= lowest) continue;
    chosen = index;
    lowest = candidate.tier;
  }
  return chosen;
}
