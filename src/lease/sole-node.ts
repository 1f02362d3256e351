// Whether another that is on record under the id of a node still lives: by its process where that can be looked at,
// and else by the signs of life that it leaves in the store, or does not.

/** What is known of the process of the other: unknown where it is another machine's, or hidden. */
export type RivalProcess = 'alive' | 'gone' | 'unknown';

/** One look at the other in the store. */
export interface Sighting {
  readonly run: string;
  readonly process: RivalProcess;
  /** How long ago it had left a sign of life, by the clock of the store, ms: negative where that was set back since. */
  readonly seenAgoMs: number;
  /** How long it may leave the store alone, by its own word, ms; null: it does not say. */
  readonly quietMs: number | null;
  /** When the store was asked and when it had answered, on the clock of this node, ms. */
  readonly askedAt: number;
  readonly answeredAt: number;
}

export interface SoleRules {
  /** Whether a person has given the id: one that was made up is not waited for, as another does as well. */
  readonly isGiven: boolean;
  /** How long this node may leave the store alone, ms. */
  readonly quietMs: number;
  /** How long the store shows no sign of a node that does not leave it alone, ms. */
  readonly signPauseMs: number;
}

/** `gone`: its record may be replaced; `unclear`: look again. */
export type Judgement = 'taken' | 'gone' | 'unclear';

/** @param first the first look at any other; `latest`: the last one, which may be the same */
export function judgeRival(first: Sighting, latest: Sighting, rules: SoleRules): Judgement {
  // The other has come while this node was looking: somebody has just started it.
  if (latest.run !== first.run) return 'taken';
  if (latest.process === 'gone') return 'gone';
  if (latest.process === 'alive' || !rules.isGiven) return 'taken';
  if (hasSignedSince(first, latest)) return 'taken';
  return latest.askedAt - first.answeredAt >= longestWatchMs(latest, rules) ? 'gone' : 'unclear';
}

/**
 * How long one that leaves no sign is watched until it is gone, ms: as long as either of the two may be quiet, whose
 * settings may differ. A sign may be too small a step to be seen as one.
 */
export function longestWatchMs(
  other: Pick<Sighting, 'quietMs'>,
  { quietMs, signPauseMs }: Omit<SoleRules, 'isGiven'>,
): number {
  const byItsWord = Math.min(other.quietMs ?? 0, LONGEST_BELIEVED_MS);
  return Math.max(quietMs, byItsWord) + signPauseMs + COARSENESS_MS;
}

/**
 * An answer may take long: its last sign of then is taken to be as late, and that of now as early, as can be. A sign
 * that was yet to come, by a clock that was set back, is followed by one of now, which is before it: then the other way.
 */
function hasSignedSince(first: Sighting, latest: Sighting): boolean {
  const before = first.answeredAt - first.seenAgoMs;
  if (latest.askedAt - latest.seenAgoMs > before + COARSENESS_MS) return true;
  const earliest = first.askedAt - first.seenAgoMs;
  return first.seenAgoMs < 0 && latest.answeredAt - latest.seenAgoMs < earliest - COARSENESS_MS;
}

/** Nobody waits for longer because of what another's record says. */
const LONGEST_BELIEVED_MS = 60_000;

/** Some stores count in whole seconds. */
const COARSENESS_MS = 1_000;
