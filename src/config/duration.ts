// Durations as people write them (`250ms`, `2s`, `1m30s`), kept in milliseconds.
import { DURATION_UNITS, formatDuration } from '../core/duration-text.ts';
import { FailoverError } from '../errors.ts';
import { quoted } from './quoted.ts';

export { formatDuration } from '../core/duration-text.ts';

/** The longest duration there is, 365 days: past it a value is a mistake, and timers overflow. */
export const MAX_DURATION_MS: number = 365 * 24 * 60 * 60 * 1000;

/** The forms a duration may have, for messages and help. */
const DURATION_FORMS = '250ms, 2s, 1m30s, 1h or 0';

/**
 * The milliseconds of a duration: whole numbers with the units `h`, `m`, `s` and `ms`, each at most
 * once and from large to small, or `0`.
 *
 * @param name What the value was given as (a flag, a variable), named by the error.
 * @throws FAILOVER_BAD_OPTION when it is none, or longer than 365 days.
 */
export function parseDuration(text: string, name = 'duration'): number {
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(text === '0' ? '0ms' : text);
  if (match === null || text === '') {
    throw badDuration(name, text, `is not a duration`, `a duration: ${DURATION_FORMS}`);
  }
  const totalMs = DURATION_UNITS.reduce(
    (sumMs, [, unitMs], i) => sumMs + unitMs * Number(match[i + 1] ?? 0),
    0,
  );
  if (totalMs > MAX_DURATION_MS) {
    const limit = formatDuration(MAX_DURATION_MS);
    throw badDuration(name, text, `is longer than ${limit}`, `a duration of at most ${limit}`);
  }
  return totalMs;
}

function badDuration(name: string, text: string, fact: string, expected: string): FailoverError {
  return new FailoverError('FAILOVER_BAD_OPTION', `Cannot use ${name}: ${quoted(text)} ${fact}`, {
    details: { option: name, expected },
  });
}
