// The score of one upstream: what its checks and its traffic have said of it lately, in one number.

export interface ScoreLimits {
  readonly lowest: number;
  readonly highest: number;
  /** Of an upstream that nothing is known of. */
  readonly initial: number;
  /** Added for each success, up to the highest. */
  readonly success: number;
  /** Added for each failure, down to the lowest: a negative number. */
  readonly failure: number;
}

export const DEFAULT_SCORES: ScoreLimits = {
  lowest: -3,
  highest: 3,
  initial: 1,
  success: 1,
  failure: -1,
};

export interface Score {
  readonly value: number;
  /** Successes since the last failure. */
  readonly streak: number;
  readonly isUsable: boolean;
}

/** How many successes in a row bring one back that had fallen below 0. */
const RISE = 2;

export function freshScore({ initial }: ScoreLimits): Score {
  return { value: initial, streak: 0, isUsable: initial >= 0 };
}

/**
 * The score after one more result. Below 0 an upstream is not usable any more; from 0 on it is again, once it has
 * succeeded twice in a row: one that succeeds every other time would come and go with each result otherwise.
 */
export function scored(score: Score, success: boolean, limits: ScoreLimits): Score {
  const { lowest, highest } = limits;
  const sum = score.value + (success ? limits.success : limits.failure);
  const value = Math.min(highest, Math.max(lowest, sum));
  const streak = success ? Math.min(score.streak + 1, RISE) : 0;
  return { value, streak, isUsable: value >= 0 && (score.isUsable || streak >= RISE) };
}
