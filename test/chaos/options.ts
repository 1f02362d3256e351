// What `npm run chaos` is asked for on its command line.
import { FAULT_KINDS, ROUNDS } from './plan.ts';
import type { FaultKind } from './plan.ts';
import { COLD_WORKLOADS } from './profile.ts';
import { flag, number, readOptions, words } from '../support/tool-options.ts';
import type { Flag, Tool } from '../support/tool-options.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** The first case, and the last one; null: as many as the time allows. */
  readonly fromCase: number;
  readonly toCase: number | null;
  readonly limitMs: number;
  readonly rounds: number;
  readonly kinds: readonly FaultKind[];
  /** Faults and workloads that are left out. */
  readonly without: readonly string[];
  /** How much longer than the stated bound a primary may take: what the machine itself is late. */
  readonly marginMs: number;
  readonly verbose: boolean;
  readonly json: boolean;
  readonly keep: boolean;
  /** The workload escapes all that holds it: for the proof that the witness sees two. */
  readonly escape: boolean;
  /** Instead of faults: how long the machine is starved, and by how many busy loops. */
  readonly starve: { readonly seconds: number; readonly loops: number } | null;
}

/** The options, a text to print instead, or what is wrong. */
export function readChaos(
  args: readonly string[],
): ChaosOptions | { readonly help: string } | { readonly wrong: string } {
  const reading = readOptions(TOOL, args);
  if (!('values' in reading)) return reading;
  const { values } = reading;
  const only = values.only?.split(',');
  const without = values.without?.split(',') ?? [];
  const kinds = FAULT_KINDS.filter(
    (kind) => (only?.includes(kind) ?? true) && !without.includes(kind),
  );
  if (kinds.length === 0) return { wrong: '--only and --without leave no fault' };
  const { case: single, cases, margin, seconds, loops, verbose, json, keep, escape } = values;
  const minutes = values.minutes ?? (single === null ? 1 : 10);
  return {
    seed: values.seed ?? Date.now() % 1_000_000,
    fromCase: single ?? 0,
    toCase: single ?? (cases === null ? null : cases - 1),
    limitMs: minutes * 60_000,
    rounds: values.rounds,
    marginMs: margin * 1000,
    ...{ kinds, without, verbose, json, keep, escape },
    starve: values.starve ? { seconds, loops } : null,
  };
}

const KNOWN: readonly string[] = [...FAULT_KINDS, ...COLD_WORKLOADS];

function named(says: string): Flag<string | null> {
  return words({
    ...{ placeholder: 'NAMES', says },
    takes: 'names of faults or workloads with commas',
    isOne: (text) => text.split(',').every((name) => KNOWN.includes(name)),
  });
}

const FLAGS = {
  minutes: number({
    placeholder: 'N',
    says: 'how long (default: 1); the case under way is brought to its end',
    fallback: null,
    isWhole: false,
  }),
  seed: number({
    placeholder: 'N',
    says: 'draws the same plan again (default: by the clock)',
    fallback: null,
  }),
  case: number({ placeholder: 'N', says: 'only this case of the seed', fallback: null }),
  cases: number({ placeholder: 'N', says: 'so many of them', fallback: null, least: 1 }),
  rounds: number({ placeholder: 'N', says: 'rounds of faults in each case', fallback: ROUNDS }),
  only: named('only these faults'),
  without: named('all faults, and all workloads, but these'),
  margin: number({
    placeholder: 'S',
    says: 'seconds that a primary may take beyond the stated bound',
    fallback: 10,
    isWhole: false,
  }),
  verbose: flag('a line for each fault'),
  json: flag('the result as JSON'),
  keep: flag('keep the directories of all cases'),
  starve: flag('busy loops instead of faults'),
  seconds: number({ placeholder: 'N', says: 'how long they run', fallback: 60, isWhole: false }),
  loops: number({ placeholder: 'N', says: 'how many they are', fallback: 128 }),
  escape: flag('a workload that nothing holds: the run must find two active, and fail'),
};

const TOOL: Tool<typeof FLAGS> = {
  name: 'chaos',
  about: 'Real faults on real nodes, drawn from a seed and judged by a witness of its own.',
  flags: FLAGS,
  notes: [`Faults: ${FAULT_KINDS.join(', ')}`, `Workloads: ${COLD_WORKLOADS.join(', ')}`],
  example: '--minutes 5 --seed 7',
};

/** As a person types them. */
export const CHAOS_FLAGS: readonly string[] = [...Object.keys(FLAGS), 'help'].map(
  (name) => `--${name}`,
);
