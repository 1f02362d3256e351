// The result of a run: what was done, what it cost, and the verdict; as a table or as JSON.
import { table } from '../../src/cli/render/table.ts';
import type { CaseResult, PlayedFault } from './case.ts';
import { figuresOf } from './figures.ts';
import type { Figures, Spread } from './figures.ts';
import { ROUNDS } from './plan.ts';
import type { CasePlan } from './plan.ts';
import type { StarveResult } from './starve.ts';

export interface RunResult {
  readonly seed: number;
  readonly cases: readonly CaseResult[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

export function violationsOf({ cases }: RunResult): readonly string[] {
  return cases.flatMap(({ plan, violations }) =>
    violations.map((violation) => `case ${plan.index}: ${violation}`),
  );
}

export function asJson(result: RunResult): string {
  const violations = violationsOf(result);
  return `${JSON.stringify(
    {
      seed: result.seed,
      verdict: violations.length === 0 ? 'held' : 'violated',
      violations,
      notes: result.notes,
      figures: figuresOf(result.cases),
      cases: result.cases,
    },
    null,
    2,
  )}\n`;
}

export function asText(result: RunResult): string {
  const figures = figuresOf(result.cases);
  return [
    ...table(faultRows(figures)),
    '',
    'The last three: how long nothing was active, from the first fault of a round on until a primary served',
    'again. Faults come together, so a kind is also charged with what came with it; exact to 10 ms.',
    '',
    ...table(modeRows(figures)),
    '',
    'The first three times: from the loss of the active process to the next start, while faults last. The',
    "last two: from the end of a round's faults until a primary served, beside what is stated.",
    '',
    ...table(promiseRows(figures)),
    '',
    ...result.notes.map((note) => `Note: ${note}.`),
    ...result.cases.flatMap((one) => storyOf(one)),
    violationsOf(result).length === 0
      ? `Held. Seed ${result.seed}.`
      : `VIOLATED. Seed ${result.seed}.`,
    '',
  ].join('\n');
}

function faultRows({ kinds, faults, rounds }: Figures): readonly (readonly string[])[] {
  const rowOf = (name: string, counts: Figures['faults'], spread: Spread): readonly string[] => [
    ...[name, String(counts.planned), String(counts.done)],
    ...spreadWords(spread),
  ];
  return [
    ['fault', 'planned', 'done', 'median', 'p99', 'max'],
    ...kinds.map((figures) => rowOf(figures.kind, figures, figures)),
    rowOf(`all, in ${rounds.count} rounds`, faults, rounds),
  ];
}

function modeRows({ modes }: Figures): readonly (readonly string[])[] {
  return [
    ['mode', 'cases', 'losses', 'median', 'p99', 'max', 'served again', 'stated', 'beyond it'],
    ...modes.map(({ mode, cases, unavailability, recovery }) => [
      ...[mode, String(cases), String(unavailability.losses)],
      ...spreadWords(unavailability),
      ...[`within ${recovery.maxMs} ms`, rangeWords(recovery.boundMs)],
      String(recovery.beyondBound),
    ]),
  ];
}

function promiseRows(figures: Figures): readonly (readonly string[])[] {
  const { cases, starts, overlaps, epochs, nearest } = figures;
  const [median, p99, max] = spreadWords(figures.modes[0].recovery);
  const near =
    nearest === null
      ? 'none'
      : `${nearest.tookMs} ms of ${nearest.boundMs} ms stated, in case ${nearest.case}`;
  return [
    ['overlaps', `${overlaps} in ${starts} starts of ${cases} cases`],
    ['epochs', `${epochs.seen} different ones, up to ${epochs.highest} in one case`],
    ['served again', `median ${median}, p99 ${p99}, max ${max} after a round's faults`],
    ['nearest to its bound', near],
  ];
}

function rangeWords([lowest, highest]: readonly [number, number]): string {
  return lowest === highest ? `${lowest} ms` : `${lowest} to ${highest} ms`;
}

function spreadWords({ medianMs, p99Ms, maxMs }: Spread): readonly [string, string, string] {
  return [`${medianMs} ms`, `${p99Ms} ms`, `${maxMs} ms`];
}

export function starveText({ rows, violations }: StarveResult): string {
  const verdict = violations.length === 0 ? 'Held.' : 'VIOLATED.';
  return [...table(rows), ...violations, verdict, ''].join('\n');
}

/** A line for each fault, for --verbose. */
export function faultLine(plan: CasePlan, { round, kind, what }: PlayedFault): string {
  return `case ${plan.index}, round ${round}: ${kind}: ${what}\n`;
}

export function caseLine({ index, profile }: CasePlan): string {
  const { nodes, standby, fence, orphan, workload, hookMs, clockJumps } = profile;
  const hooks = hookMs === null ? 'no hooks' : `hooks of ${hookMs} ms`;
  const clock = clockJumps ? ', a jumping clock' : '';
  return (
    `case ${index}: ${nodes} nodes, --standby ${standby}, --fence ${fence}, --orphan ${orphan}, ` +
    `workload ${workload}, ${hooks}${clock}\n`
  );
}

function storyOf({ plan, violations, faults, directory }: CaseResult): string[] {
  if (violations.length === 0) return directory === null ? [] : [`Kept: ${directory}`];
  const rounds = plan.rounds.length === ROUNDS ? '' : ` --rounds ${plan.rounds.length}`;
  return [
    ...violations.map((violation) => `Violation in case ${plan.index}: ${violation}`),
    caseLine(plan).trimEnd(),
    'The last faults:',
    ...faults.slice(-6).map((fault) => `  ${faultLine(plan, fault).trimEnd()}`),
    `Logs, records and the plan: ${directory ?? 'removed'}`,
    `This case again: npm run chaos -- --seed ${plan.seed} --case ${plan.index}${rounds}`,
  ];
}
