// From when on events are told: so long ago, or at a time.
import { parseDuration } from '../../config/duration.ts';
import { shortened } from '../../config/quoted.ts';
import { badOption } from '../flag-values.ts';

/**
 * Wall clock, ms since 1970.
 *
 * @param nowMs What `10m` is counted back from.
 * @throws FAILOVER_BAD_OPTION
 */
export function parseSince(text: string, nowMs: number): number {
  if (DATE.test(text)) {
    // A day alone would be that of another time zone than one with a time.
    const timeMs = Date.parse(text.length === DAY_LENGTH ? `${text}T00:00` : text);
    if (!Number.isNaN(timeMs)) return timeMs;
  } else if (DURATION.test(text)) return nowMs - parseDuration(text, '--since');
  throw badOption('--since', `"${shortened(text)}" is not a time`, EXPECTED);
}

const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]|$)/;
const DAY_LENGTH = 10;
const DURATION = /^\d+(?:h|m|s|ms|$)/;
const EXPECTED = 'how long ago, such as 10m, or a time such as 2026-03-01T12:00:00Z';
