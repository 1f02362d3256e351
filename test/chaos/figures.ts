// The figures of a run: what was planned and done, how long nothing was active, and the bounds beside it.
import type { CaseResult, PlayedFault } from './case.ts';
import type { CasePlan, FaultKind } from './plan.ts';
import { FENCE_MODES, STANDBY_MODES } from './profile.ts';

/** Of some durations, ms. */
export interface Spread {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

interface KindFigures extends Spread {
  readonly kind: FaultKind;
  readonly planned: number;
  /** Fewer where something was missing, there was nobody to do it to, or a case broke off. */
  readonly done: number;
}

/** Of all cases, or of those with one mode. */
export interface ModeFigures {
  readonly mode: string;
  readonly cases: number;
  /** From the loss of the active process to the next start, the time that a fault lasted included. */
  readonly unavailability: Spread & { readonly losses: number };
  /** From the end of a round's faults until a primary served. */
  readonly recovery: Spread & {
    /** The lowest and the highest that is stated for any of these cases. */
    readonly boundMs: readonly [number, number];
    readonly beyondBound: number;
  };
}

export interface Figures {
  readonly cases: number;
  readonly starts: number;
  readonly overlaps: number;
  /** Different ones, in all cases, and the highest of any. */
  readonly epochs: { readonly seen: number; readonly highest: number };
  readonly faults: { readonly planned: number; readonly done: number };
  readonly kinds: readonly KindFigures[];
  /** How long nothing was active in a round, from its first fault until a primary served again. */
  readonly rounds: Spread & { readonly count: number };
  /** First of all cases, then of each mode that was drawn. */
  readonly modes: readonly [ModeFigures, ...ModeFigures[]];
  /** The recovery that took the largest part of its own bound; null: none. */
  readonly nearest: {
    readonly case: number;
    readonly tookMs: number;
    readonly boundMs: number;
  } | null;
}

export function figuresOf(cases: readonly CaseResult[]): Figures {
  const sum = (of: (one: CaseResult) => number): number =>
    cases.reduce((total, one) => total + of(one), 0);
  const downs = cases.flatMap(({ faults }) => downsOf(faults));
  return {
    cases: cases.length,
    starts: sum(({ starts }) => starts),
    overlaps: sum(({ overlaps }) => overlaps),
    epochs: {
      seen: sum(({ epochs }) => epochs.seen),
      highest: Math.max(0, ...cases.map(({ epochs }) => epochs.highest)),
    },
    faults: {
      planned: sum(({ plan }) => plan.rounds.flat().length),
      done: sum(({ faults }) => faults.filter(({ skipped }) => !skipped).length),
    },
    kinds: kindsOf(cases),
    rounds: { count: downs.length, ...spreadOf(downs) },
    modes: [modeOf('all', cases), ...modesOf(cases)],
    nearest: nearestOf(cases),
  };
}

function kindsOf(cases: readonly CaseResult[]): readonly KindFigures[] {
  const planned = cases.flatMap(({ plan }) => plan.rounds.flat().map(({ kind }) => kind));
  const faults = cases.flatMap((one) => one.faults);
  return [...new Set(planned)].sort().map((kind) => {
    const done = faults.filter((fault) => fault.kind === kind && !fault.skipped);
    return {
      kind,
      planned: planned.filter((other) => other === kind).length,
      done: done.length,
      ...spreadOf(done.map(({ downMs }) => downMs)),
    };
  });
}

/** All faults of a round are charged with the same time: each round once. */
function downsOf(faults: readonly PlayedFault[]): readonly number[] {
  const rounds = new Map<number, number>();
  for (const { round, downMs, skipped } of faults) if (!skipped) rounds.set(round, downMs);
  return [...rounds.values()];
}

function modesOf(cases: readonly CaseResult[]): readonly ModeFigures[] {
  const of = (mode: string, has: (profile: CasePlan['profile']) => boolean): ModeFigures =>
    modeOf(
      mode,
      cases.filter(({ plan }) => has(plan.profile)),
    );
  return [
    ...STANDBY_MODES.map((mode) => of(`--standby ${mode}`, ({ standby }) => standby === mode)),
    ...FENCE_MODES.map((mode) => of(`--fence ${mode}`, ({ fence }) => fence === mode)),
  ].filter((figures) => figures.cases > 0);
}

function modeOf(mode: string, cases: readonly CaseResult[]): ModeFigures {
  const losses = cases.flatMap(({ lossesMs }) => lossesMs);
  const recoveries = cases.flatMap(({ recoveriesMs }) => recoveriesMs);
  const bounds = cases.map(({ boundMs }) => boundMs);
  const beyond = cases.flatMap(({ recoveriesMs, boundMs }) =>
    recoveriesMs.filter((ms) => ms > boundMs),
  );
  return {
    mode,
    cases: cases.length,
    unavailability: { losses: losses.length, ...spreadOf(losses) },
    recovery: {
      ...spreadOf(recoveries),
      boundMs: bounds.length === 0 ? [0, 0] : [Math.min(...bounds), Math.max(...bounds)],
      beyondBound: beyond.length,
    },
  };
}

function nearestOf(cases: readonly CaseResult[]): Figures['nearest'] {
  const all = cases.flatMap(({ plan, recoveriesMs, boundMs }) =>
    recoveriesMs.map((ms) => ({ case: plan.index, tookMs: Math.round(ms), boundMs })),
  );
  return all.toSorted((a, b) => b.tookMs / b.boundMs - a.tookMs / a.boundMs)[0] ?? null;
}

function spreadOf(durationsMs: readonly number[]): Spread {
  const sorted = durationsMs.toSorted((a, b) => a - b);
  const at = (part: number): number => Math.round(quantile(sorted, part));
  return { medianMs: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

/** The smallest value that at least this part of the sorted values does not exceed; 0 of none. */
function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
}
