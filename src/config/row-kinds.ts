// What rows of the table of options have in common.
import type { OptionRow } from './option-row.ts';

/** The longest a duration may be: a timer is exact below 24 days, also with 1.5 times jitter. */
export const MAX_MS: number = 7 * 24 * 60 * 60 * 1000;

/** An option of `run` that its variable sets too. */
export const RUN: Pick<OptionRow, 'takenBy' | 'variableReadBy'> = {
  takenBy: 'run',
  variableReadBy: 'run',
};

/** One of both `run` and `proxy`, likewise. */
export const RUN_AND_PROXY: Pick<OptionRow, 'takenBy' | 'variableReadBy'> = {
  takenBy: 'run and proxy',
  variableReadBy: 'run and proxy',
};

type Duration = typeof RUN & Required<Pick<OptionRow, 'kind' | 'placeholder' | 'min' | 'max'>>;

export const DURATION: Duration = {
  ...RUN,
  kind: 'duration',
  placeholder: 'TIME',
  min: 10,
  max: MAX_MS,
};

/** A time that may be none. */
export const GRACE: Duration = { ...DURATION, min: 0 };
