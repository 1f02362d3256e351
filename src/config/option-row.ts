// What the table of options says about each of them.

/** How an option's text is read. */
type OptionKind =
  | 'boolean'
  | 'command'
  | 'duration'
  | 'duration-range'
  | 'enum'
  | 'health-check'
  | 'integer'
  | 'ready-when'
  | 'signal'
  | 'size'
  | 'string';

/** One row of the table. */
export interface OptionRow {
  /** In camel case; the flag and the variable follow from it. */
  readonly key: string;
  readonly short?: `-${string}`;
  readonly kind: OptionKind;
  /** As a user would write it; `null` when there is none. */
  readonly default: string | null;
  /** What the default does, where it is no text that could be given. */
  readonly defaultText?: string;
  /** The smallest value, in milliseconds for a duration, in bytes for a size. */
  readonly min?: number;
  /** The largest value, likewise. */
  readonly max?: number;
  readonly choices?: readonly string[];
  /** A text that may be a port and nothing else: in a file it is a number then. */
  readonly mayBePort?: true;
  /** The value's name in the help; none for a boolean. */
  readonly placeholder?: string;
  readonly sentence: string;
  /** What it stands under in the help of `run`; null: with the first ones. */
  readonly heading: string | null;
  readonly takenBy: 'run' | 'proxy' | 'up' | 'run and proxy' | 'every command';
  /**
   * Who reads its environment variable. Not `run` for what it hands its workload as an output: a
   * node started by a hook would join the group of its parent by accident.
   */
  readonly variableReadBy:
    'run' | 'clients' | 'proxy' | 'run and clients' | 'run and proxy' | 'nobody';
}
