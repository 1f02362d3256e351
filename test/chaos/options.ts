// What `npm run chaos` is asked for on its command line.
import { parseArgs } from 'node:util';
import { FAULT_KINDS, ROUNDS } from './plan.ts';
import type { FaultKind } from './plan.ts';
import { COLD_WORKLOADS } from './profile.ts';

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
export function readOptions(
  args: readonly string[],
): ChaosOptions | { readonly help: string } | { readonly wrong: string } {
  try {
    const { values } = parseArgs({ args: [...args], options: FLAGS, allowPositionals: false });
    if (values.help === true) return { help: HELP };
    const only = values.only?.split(',');
    const without = values.without?.split(',') ?? [];
    const kinds = FAULT_KINDS.filter(
      (kind) => (only?.includes(kind) ?? true) && !without.includes(kind),
    );
    const named = [...(only ?? []), ...without];
    const known: readonly string[] = [...FAULT_KINDS, ...COLD_WORKLOADS];
    const unknown = named.filter((name) => !known.includes(name));
    if (unknown.length > 0) return { wrong: `There is no fault or workload ${unknown.join(', ')}` };
    if (kinds.length === 0) return { wrong: '--only and --without leave no fault' };
    const cases = values.cases === undefined ? null : number('cases', values.cases);
    if (cases !== null && cases < 1) return { wrong: '--cases takes 1 or more' };
    const single = values.case === undefined ? null : number('case', values.case);
    const minutes = number('minutes', values.minutes ?? (single === null ? '1' : '10'));
    return {
      seed: values.seed === undefined ? Date.now() % 1_000_000 : number('seed', values.seed),
      fromCase: single ?? 0,
      toCase: single ?? (cases === null ? null : cases - 1),
      limitMs: minutes * 60_000,
      kinds,
      without,
      rounds: values.rounds === undefined ? ROUNDS : number('rounds', values.rounds),
      marginMs: number('margin', values.margin ?? '10') * 1000,
      verbose: values.verbose === true,
      json: values.json === true,
      keep: values.keep === true,
      escape: values.escape === true,
      starve:
        values.starve === true
          ? {
              seconds: number('seconds', values.seconds ?? '60'),
              loops: number('loops', values.loops ?? '128'),
            }
          : null,
    };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}

const FLAGS = {
  minutes: { type: 'string' },
  seed: { type: 'string' },
  case: { type: 'string' },
  cases: { type: 'string' },
  rounds: { type: 'string' },
  only: { type: 'string' },
  without: { type: 'string' },
  margin: { type: 'string' },
  verbose: { type: 'boolean' },
  json: { type: 'boolean' },
  keep: { type: 'boolean' },
  escape: { type: 'boolean' },
  starve: { type: 'boolean' },
  seconds: { type: 'string' },
  loops: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** As a person types them. */
export const CHAOS_FLAGS: readonly string[] = Object.keys(FLAGS).map((name) => `--${name}`);

function number(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0 && text.trim() !== '') return value;
  throw new Error(`--${name} takes a number, not '${text}'`);
}

const HELP = `Usage: npm run chaos -- [options]

Real faults on real nodes, drawn from a seed and judged by a witness of its own.

  --minutes N   how long (default: 1); the case under way is brought to its end
  --seed N      draws the same plan again (default: by the clock)
  --case N      only this case of the seed; --cases N: so many of them
  --rounds N    rounds of faults in each case (default: ${ROUNDS})
  --only KINDS  only these faults, with commas between
  --without …   all faults, and all workloads, but these
  --margin S    seconds that a primary may take beyond the stated bound (default: 10)
  --verbose     a line for each fault
  --json        the result as JSON
  --keep        keep the directories of all cases
  --starve      busy loops instead of faults: --seconds N (60), --loops N (128)
  --escape      a workload that nothing holds: the run must find two active, and fail

Faults: ${FAULT_KINDS.join(', ')}

Workloads: ${COLD_WORKLOADS.join(', ')}

Example:
  $ npm run chaos -- --minutes 5 --seed 7
`;
