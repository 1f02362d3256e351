// What a profile that somebody wrote may say: outside of this a run would not end, or mean nothing.
import {
  FENCE_MODES,
  ORPHAN_MODES,
  RESTART_MODES,
  STANDBY_MODES,
  STRATEGIES,
} from '../config/choices.ts';

/** The longest time in a run, ms: longer trouble is another run. */
export const TIME_LIMIT_MS = 86_400_000;

/** The most nodes of a run. */
export const NODES_LIMIT = 50;

/** What is wrong with one value of a profile, which has the right type; null: nothing. */
export function faultOfValue(key: string, value: unknown): string | null {
  if (typeof value === 'string') {
    const words = WORDS.get(key);
    return words?.includes(value) === false ? `is none of ${words.join(', ')}` : null;
  }
  if (typeof value !== 'number') return null;
  const [least, most] = RANGES.get(key) ?? [0, TIME_LIMIT_MS];
  if (value >= least && value <= most) return null;
  return `is not from ${String(least)} to ${String(most)}`;
}

type Range = readonly [least: number, most: number];

const WORDS: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['standby', STANDBY_MODES],
  ['fence', FENCE_MODES],
  ['restart', RESTART_MODES],
  ['orphan', ORPHAN_MODES],
  ['strategy', [...STRATEGIES, 'mixed']],
]);

/** Times that come round again and again are never shorter than the command line takes them. */
const REPEATED: Range = [10, TIME_LIMIT_MS];

const RANGES: ReadonlyMap<string, Range> = new Map<string, Range>([
  ['heartbeatIntervalMs', REPEATED],
  ['heartbeatTimeoutMs', REPEATED],
  ['probeIntervalMs', REPEATED],
  ['probeTimeoutMs', REPEATED],
  ['retryBackoffMinMs', REPEATED],
  ['retryBackoffMaxMs', REPEATED],
  ['restartWindowMs', REPEATED],
  ['preemptDelayMs', REPEATED],
  ['healthIntervalMs', REPEATED],
  ['healthFastIntervalMs', REPEATED],
  ['healthTimeoutMs', REPEATED],
  ['healthHoldMs', REPEATED],
  ['healthFall', [1, 1000]],
  ['healthRise', [1, 1000]],
  ['probeAttempts', [1, 100]],
  ['restartLimit', [0, 1000]],
  ['count', [0, 100]],
  ['silent', [0, 1]],
  ['stubborn', [0, 1]],
  ['helpers', [0, 1]],
  ['clockDriftPpm', [0, 100_000]],
]);
