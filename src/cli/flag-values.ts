// Values of flags that only one command has: read from text, refused with what is expected.
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
