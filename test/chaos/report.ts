// The result of a run: what was done, what it cost, and the verdict; as a table or as JSON.
import { table } from '../../src/cli/render/table.ts';
import type { CaseResult, PlayedFault } from './case.ts';
import { ROUNDS } from './plan.ts';
import type { CasePlan } from './plan.ts';
import type { StarveResult } from './starve.ts';

export interface RunResult {
  readonly seed: number;
  readonly cases: readonly CaseResult[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

interface KindFigures {
  readonly kind: string;
  readonly played: number;
  readonly skipped: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export function violationsOf({ cases }: RunResult): readonly string[] {
  return cases.flatMap(({ plan, violations }) =>
    violations.map((violation) => `case ${plan.index}: ${violation}`),
  );
}

/** By kind: what was played, and how long nothing was active from the fault on until the next calm. */
function figuresOf(faults: readonly PlayedFault[]): KindFigures[] {
  const kinds = [...new Set(faults.map(({ kind }) => kind))].sort();
  return kinds.map((kind) => {
    const all = faults.filter((fault) => fault.kind === kind);
    const played = all.filter(({ skipped }) => !skipped);
    const downs = played.map(({ downMs }) => downMs).sort((a, b) => a - b);
    const skipped = all.length - played.length;
    const at = (part: number): number => Math.round(quantile(downs, part));
    return {
      kind,
      played: played.length,
      skipped,
      medianMs: at(0.5),
      p99Ms: at(0.99),
      maxMs: at(1),
    };
  });
}

export function asJson(result: RunResult): string {
  const faults = result.cases.flatMap((one) => one.faults);
  return `${JSON.stringify(
    {
      seed: result.seed,
      verdict: violationsOf(result).length === 0 ? 'held' : 'violated',
      violations: violationsOf(result),
      notes: result.notes,
      ...totalsOf(result),
      kinds: figuresOf(faults),
      cases: result.cases,
    },
    null,
    2,
  )}\n`;
}

export function asText(result: RunResult): string {
  const faults = result.cases.flatMap((one) => one.faults);
  const rows = figuresOf(faults).map((figures) => [
    figures.kind,
    String(figures.played),
    String(figures.skipped),
    ...[figures.medianMs, figures.p99Ms, figures.maxMs].map((ms) => `${ms} ms`),
  ]);
  const totals = totalsOf(result);
  const header = ['fault', 'played', 'skipped', 'median', 'p99', 'max'];
  return [
    ...table([header, ...rows]),
    '',
    'The last three: how long nothing was active, from the fault on until a primary served again. Faults',
    'come together, so a kind is also charged with what came with it; a gap is exact to 10 ms.',
    '',
    `Cases ${totals.cases}, starts of the workload ${totals.starts}, overlaps ${totals.overlaps}.`,
    `After the end of a round's faults a primary served within ${totals.longestRecoveryMs} ms; stated for ` +
      `these settings: ${totals.boundMs.join(' to ')} ms; beyond it: ${totals.beyondBound}.`,
    ...result.notes.map((note) => `Note: ${note}.`),
    ...result.cases.flatMap((one) => storyOf(one)),
    violationsOf(result).length === 0
      ? `Held. Seed ${result.seed}.`
      : `VIOLATED. The same plan again: npm run chaos -- --seed ${result.seed}`,
    '',
  ].join('\n');
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

function totalsOf({ cases }: RunResult): {
  readonly cases: number;
  readonly starts: number;
  readonly overlaps: number;
  readonly longestRecoveryMs: number;
  readonly boundMs: readonly number[];
  readonly beyondBound: number;
} {
  const sum = (of: (one: CaseResult) => number): number =>
    cases.reduce((total, one) => total + of(one), 0);
  const bounds = cases.map(({ boundMs }) => boundMs);
  const lowest = Math.min(...bounds);
  const highest = Math.max(...bounds);
  return {
    cases: cases.length,
    starts: sum(({ starts }) => starts),
    overlaps: sum(({ overlaps }) => overlaps),
    longestRecoveryMs: Math.round(Math.max(0, ...cases.flatMap((one) => one.recoveriesMs))),
    boundMs: lowest === highest ? [lowest] : [lowest, highest],
    beyondBound: sum(
      ({ recoveriesMs, boundMs }) => recoveriesMs.filter((ms) => ms > boundMs).length,
    ),
  };
}

/** The smallest value that at least this part of the sorted values does not exceed; 0 of none. */
function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
}
