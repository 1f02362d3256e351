// Health that does not follow each answer: so many failures in a row make it fall, so many successes rise again.

export interface Thresholds {
  /** Failures in a row after which what was healthy is not. */
  readonly fall: number;
  /** Successes in a row after which what was not healthy is. */
  readonly rise: number;
}

export interface Hysteresis {
  readonly healthy: boolean;
  /** The latest results in a row that speak against that; fewer than the threshold. */
  readonly contrary: number;
}

export interface Observed {
  readonly state: Hysteresis;
  /** Whether this result was the one that changed `healthy`. */
  readonly flipped: boolean;
}

/** Nothing has spoken against it yet. */
export function settled(healthy: boolean): Hysteresis {
  return { healthy, contrary: 0 };
}

/** Whole numbers of at least one: a threshold of none would change with no result at all. */
export function normalizedThresholds({ fall, rise }: Thresholds): Thresholds {
  return { fall: atLeastOne(fall), rise: atLeastOne(rise) };
}

/** What a result makes of a state. A result that agrees with it undoes all that spoke against it. */
export function observe(state: Hysteresis, success: boolean, thresholds: Thresholds): Observed {
  if (success === state.healthy) return { state: settled(state.healthy), flipped: false };
  const { fall, rise } = normalizedThresholds(thresholds);
  const contrary = state.contrary + 1;
  if (contrary >= (state.healthy ? fall : rise)) return { state: settled(success), flipped: true };
  return { state: { healthy: state.healthy, contrary }, flipped: false };
}

/** Whether results speak against it, but not yet enough: the time to look more often. */
export function isWavering({ contrary }: Hysteresis): boolean {
  return contrary > 0;
}

function atLeastOne(threshold: number): number {
  return Number.isNaN(threshold) ? 1 : Math.max(1, Math.floor(threshold));
}
