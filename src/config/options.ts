// The one list of options: it feeds flags, environment, validation, help and manual.
import type { OptionRow } from './option-row.ts';
import { OPTION_ROWS, PROXY_ROWS, UP_ROWS } from './option-table.ts';

/** One option: a row of the table with the names that follow from its key. */
export interface OptionSpec extends OptionRow {
  /** `--heartbeat-interval`; a flag parser hands its value over under `key`. */
  readonly flag: string;
  /** `FAILOVER_HEARTBEAT_INTERVAL`, whether or not anybody reads it. */
  readonly variable: string;
}

/** Every option of `failover run`, and the two that each command takes, in the manual's order. */
export const OPTIONS: readonly OptionSpec[] = OPTION_ROWS.map(specified);

/** Every option of `failover proxy` that is its own. */
export const PROXY_OPTIONS: readonly OptionSpec[] = PROXY_ROWS.map(specified);

/** Every option of `failover up` that is its own. */
export const UP_OPTIONS: readonly OptionSpec[] = UP_ROWS.map(specified);

/**
 * What the workload and hooks are told through their environment, and nobody reads as a setting:
 * a node started from a hook is not the node of its parent.
 */
export const OUTPUT_VARIABLES: readonly string[] = [
  'FAILOVER_ROLE',
  'FAILOVER_NODE',
  'FAILOVER_EPOCH',
  'FAILOVER_LOCK_FD',
  'FAILOVER_PREVIOUS',
  'FAILOVER_REASON',
  'FAILOVER_ROLE_FILE',
  'FAILOVER_HOOK',
];

/** The row with a key. A key that no row has is a mistake in the program, not of the user. */
export function optionOf(key: string): OptionSpec {
  const option = BY_KEY.get(key);
  if (option === undefined) throw new Error(`no option has the key ${key}`);
  return option;
}

const BY_KEY: ReadonlyMap<string, OptionSpec> = new Map(
  // Of two with the same key the one of `run` counts.
  [...UP_OPTIONS, ...PROXY_OPTIONS, ...OPTIONS].map((option) => [option.key, option]),
);

function specified(row: OptionRow): OptionSpec {
  const name = row.key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const variable = `FAILOVER_${name.replaceAll('-', '_').toUpperCase()}`;
  return { ...row, flag: `--${name}`, variable };
}
