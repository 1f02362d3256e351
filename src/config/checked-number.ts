// Numbers that a program gives.
import { MAX_MS } from './row-kinds.ts';
import { FailoverError } from '../errors.ts';

export interface NumberRange {
  readonly min: number;
  readonly max: number;
  /** Whether it has no fraction. */
  readonly whole?: boolean;
}

/** @throws FAILOVER_BAD_OPTION when it is not in the range, or no number at all */
export function checkedNumber(name: string, value: number, range: NumberRange): number {
  const { min, max, whole = false } = range;
  const isInRange = Number.isFinite(value) && value >= min && value <= max;
  if (isInRange && (!whole || Number.isInteger(value))) return value;
  const expected = `a ${whole ? 'whole ' : ''}number from ${String(min)} to ${String(max)}`;
  throw new FailoverError(
    'FAILOVER_BAD_OPTION',
    `Cannot use ${name}: ${String(value)} is not ${expected}`,
    { details: { option: name, expected } },
  );
}

/** @throws FAILOVER_BAD_OPTION when it is less than that, or longer than a timer is exact */
export function checkedTime(name: string, ms: number, leastMs = 1): number {
  return checkedNumber(name, ms, { min: leastMs, max: MAX_MS });
}

/** @throws FAILOVER_BAD_OPTION */
export function checkedConcurrency(concurrency: number): number {
  return checkedNumber('concurrency', concurrency, { min: 1, max: 1_000, whole: true });
}
