// Values of flags that only one command has: read from text, refused with what is expected.
import { formatDuration, parseDuration } from '../config/duration.ts';
import { MAX_MS } from '../config/row-kinds.ts';
import { FailoverError } from '../errors.ts';

/**
 * Null: it was not given.
 *
 * @throws FAILOVER_BAD_OPTION
 */
export function wholeNumber(
  flag: string,
  text: string | null,
  { least, most }: { readonly least: number; readonly most: number },
): number | null {
  if (text === null) return null;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const expected = `a whole number from ${String(least)} to ${String(most)}`;
  throw badOption(flag, `"${text}" is none`, expected);
}

export function badOption(option: string, fact: string, expected: string): FailoverError {
  const details = { option, expected };
  return new FailoverError('FAILOVER_BAD_OPTION', `Cannot use ${option}: ${fact}`, { details });
}

/** @throws FAILOVER_BAD_OPTION also for more than a timer can wait: it would fire at once */
export function limitedDuration(text: string, flag: string): number {
  const durationMs = parseDuration(text, flag);
  if (durationMs <= MAX_MS) return durationMs;
  const limit = formatDuration(MAX_MS);
  const message = `Cannot use ${flag}: "${text}" is longer than ${limit}`;
  throw new FailoverError('FAILOVER_BAD_OPTION', message, {
    details: { option: flag, expected: `a duration of at most ${limit}` },
  });
}
