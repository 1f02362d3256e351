// What an UpstreamList is given, and what of that is refused.
import { MAX_DURATION_MS } from '../config/duration.ts';
import { onlyGiven } from '../config/only-given.ts';
import { FailoverError } from '../errors.ts';
import type { UpstreamCheck } from './check-queue.ts';
import { DEFAULT_SCORES } from './score.ts';
import type { ScoreLimits } from './score.ts';

export interface UpstreamListOptions<Item> {
  readonly check: UpstreamCheck<Item>;
  /** Addresses, or objects with an `id` that is a text; by default none yet. */
  readonly upstreams?: readonly Item[];
  /** From one check of an upstream to the next, ms, give or take a tenth; by default 1,000. */
  readonly intervalMs?: number;
  /** How long a check may take, ms; by default 100. */
  readonly timeoutMs?: number;
  /** How many checks are under way at a time; by default 10. */
  readonly checksAtOnce?: number;
  /** Choose none before a check of it has passed; by default it is used at once. */
  readonly waitForCheck?: boolean;
  /** Lower bounds of tiers of latency, ms, the first one 0, such as `LATENCY_TIERS_MS`; by default one tier. */
  readonly tiersMs?: readonly number[];
  /** Stops it when it is aborted. */
  readonly signal?: AbortSignal;
  /** By default from -3 to 3, 1 at first, and 1 up or down with each result. */
  readonly scores?: Partial<ScoreLimits>;
}

export type UpstreamSettings<Item> = Required<
  Omit<UpstreamListOptions<Item>, 'upstreams' | 'scores' | 'signal'>
> & { readonly scores: ScoreLimits };

/** The most upstreams of one list. */
const UPSTREAM_LIMIT = 1_000;

/** @throws FAILOVER_BAD_OPTION */
export function settingsOf<Item>(options: UpstreamListOptions<Item>): UpstreamSettings<Item> {
  const { check, intervalMs = 1_000, timeoutMs = 100, checksAtOnce = 10 } = options;
  const { waitForCheck = false } = options;
  const { tiersMs = [0] } = options;
  requireNumber('intervalMs', intervalMs, { least: 1, most: MAX_DURATION_MS });
  requireNumber('timeoutMs', timeoutMs, { least: 1, most: MAX_DURATION_MS });
  requireNumber('checksAtOnce', checksAtOnce, { least: 1, most: UPSTREAM_LIMIT, whole: true });
  requireTiers(tiersMs);
  const scores = { ...DEFAULT_SCORES, ...onlyGiven(options.scores ?? {}) };
  requireScores(scores);
  return {
    check,
    intervalMs,
    timeoutMs,
    checksAtOnce,
    waitForCheck,
    tiersMs: [...tiersMs],
    scores,
  };
}

/**
 * By their ids, in their order; of an id that comes twice the last.
 *
 * @throws FAILOVER_BAD_OPTION
 */
export function byId<Item>(upstreams: readonly Item[]): Map<string, Item> {
  const found = new Map(upstreams.map((one) => [idOf(one), one]));
  if (found.size <= UPSTREAM_LIMIT) return found;
  throw bad('upstreams', `they are ${String(found.size)}`, `at most ${String(UPSTREAM_LIMIT)}`);
}

/** @throws FAILOVER_BAD_OPTION */
export function idOf(upstream: unknown): string {
  if (typeof upstream === 'string') return upstream;
  if (typeof upstream === 'object' && upstream !== null && 'id' in upstream) {
    if (typeof upstream.id === 'string') return upstream.id;
  }
  throw bad('upstreams', 'one has no id', 'strings, or objects with a string id');
}

interface Range {
  readonly least: number;
  readonly most: number;
  readonly whole?: boolean;
}

function requireNumber(name: string, value: number, { least, most, whole = false }: Range): void {
  const isRight = whole ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (isRight && value >= least && value <= most) return;
  const kind = whole ? 'a whole number' : 'a number';
  const expected = `${kind} from ${String(least)} to ${String(most)}`;
  throw bad(name, `${String(value)} is not ${expected}`, expected);
}

const TIER_LIMIT = 32;

function requireTiers(tiersMs: readonly number[]): void {
  // A program without types may give anything.
  const rises =
    Array.isArray(tiersMs) &&
    tiersMs.every((bound, index) => Number.isFinite(bound) && bound > (tiersMs[index - 1] ?? -1));
  if (rises && tiersMs[0] === 0 && tiersMs.length <= TIER_LIMIT) return;
  const expected = `increasing numbers of milliseconds, 0 or more, at most ${String(TIER_LIMIT)}`;
  throw bad('tiersMs', `${JSON.stringify(tiersMs).slice(0, 80)} is not that`, expected);
}

const SCORE_LIMIT = 1_000_000;

/** Each can be reached: an upstream that could never fall, or never come back, is a mistake. */
function requireScores({ lowest, highest, initial, success, failure }: ScoreLimits): void {
  const whole = { whole: true };
  requireNumber('scores.lowest', lowest, { least: -SCORE_LIMIT, most: -1, ...whole });
  requireNumber('scores.highest', highest, { least: 0, most: SCORE_LIMIT, ...whole });
  requireNumber('scores.initial', initial, { least: lowest, most: highest, ...whole });
  requireNumber('scores.success', success, { least: 1, most: SCORE_LIMIT, ...whole });
  requireNumber('scores.failure', failure, { least: -SCORE_LIMIT, most: -1, ...whole });
}

function bad(option: string, fact: string, expected: string): FailoverError {
  return new FailoverError('FAILOVER_BAD_OPTION', `Cannot use ${option}: ${fact}`, {
    details: { option, expected },
  });
}
