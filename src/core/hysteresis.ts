// Health that does not follow each answer: so many failures in a row make it fall, so many successes rise again.

export interface Thresholds {
  /** Failures in a row after which what was healthy is not. */
  readonly fall: number;
  /** Successes in a row after which what was not healthy is. */
  readonly rise: number;
}

export interface Hysteresis {
  readonly healthy: boolean;
  /** How many of the latest results in a row contradict that; fewer than the threshold. */
  readonly contrary: number;
}

export interface Observed {
  readonly state: Hysteresis;
  /** Whether this result was the one that changed `healthy`. */
  readonly flipped: boolean;
}

/** The initial state: nothing has spoken against it yet. */
export function settled(healthy: boolean): Hysteresis {
  return { healthy, contrary: 0 };
}

/** Refuses thresholds that are not whole numbers of at least one: with 0 the health would change without any result. */
export function normalizedThresholds({ fall, rise }: Thresholds): Thresholds {
  return { fall: atLeastOne(fall), rise: atLeastOne(rise) };
}

/** The state after one result. A result that agrees with it undoes all that contradicted it. */
export function observe(state: Hysteresis, success: boolean, thresholds: Thresholds): Observed {
  if (success === state.healthy) return { state: settled(state.healthy), flipped: false };
  const { fall, rise } = normalizedThresholds(thresholds);
  const contrary = state.contrary + 1;
  if (contrary >= (state.healthy ? fall : rise)) return { state: settled(success), flipped: true };
  return { state: { healthy: state.healthy, contrary }, flipped: false };
}

/** Whether results contradict the state, but not yet enough of them: the time to look more often. */
export function isWavering({ contrary }: Hysteresis): boolean {
  return contrary > 0;
}

function atLeastOne(threshold: number): number {
  return Number.isNaN(threshold) ? 1 : Math.max(1, Math.floor(threshold));
}
