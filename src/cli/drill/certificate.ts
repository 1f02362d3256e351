// The certificate of a drill as data: the stable JSON shape, and the verdict over all that was seen.
import type { Bound } from './bounds.ts';
import type { DrillFault } from './faults.ts';
import type { PlannedFault } from './plan.ts';
import type { SamplingReport, Watched } from './sampler.ts';
import type { SceneNode } from './scene.ts';
import { notesOn, problemsOf } from './verdict.ts';
import type { Leader, Outcome } from './verdict.ts';

/** What `drill --json` prints. Keys are added in later versions, never changed or removed. */
export interface Certificate {
  readonly v: 1;
  readonly group: string;
  readonly directory: string;
  /** `held`; `broken`: something did not hold; `incomplete`: what was tried held, and not all was tried. */
  readonly verdict: 'held' | 'broken' | 'incomplete';
  readonly interrupted: boolean;
  /** Why the drill ended before its end; null: it did not. */
  readonly endedBecause: string | null;
  /** Wall clock, ISO 8601. */
  readonly startedAt: string;
  readonly tookMs: number;
  /** The version of the `failover` that drilled. */
  readonly version: string;
  /** What the user allows, ms; null: only the bounds count. */
  readonly withinMs: number | null;
  readonly rounds: number;
  readonly epochs: {
    readonly before: number;
    readonly after: number;
    /** The epoch that served before, and after each fault that has to raise it. */
    readonly served: readonly number[];
    readonly strictlyIncreasing: boolean;
  };
  readonly primary: { readonly before: string; readonly after: string | null };
  readonly faults: readonly FaultEntry[];
  readonly sampling: SamplingReport;
  readonly nodes: readonly NodeEntry[];
}

export interface FaultEntry {
  readonly fault: DrillFault;
  /** Why it was not tried at all; null: it was. */
  readonly skipped: string | null;
  readonly verdict: 'held' | 'broken' | 'incomplete' | 'skipped';
  /** Without a workload, over all rounds; null: nothing was to be down, or nothing was measured. */
  readonly downtimeMs: Spread | null;
  /** From the fault to the new workload's start, which is what the bound is about. */
  readonly tookMs: Spread | null;
  /** The tightest of the rounds, as settings and roles were; null: there is none. */
  readonly bound: Bound | null;
  readonly rounds: readonly RoundEntry[];
  /** Why rounds were left out that were planned. */
  readonly leftOut: readonly string[];
}

interface Spread {
  readonly median: number;
  readonly max: number;
}

interface RoundEntry {
  readonly round: number;
  readonly from: Leader;
  readonly to: Leader | null;
  readonly downtimeMs: number | null;
  readonly tookMs: number | null;
  readonly boundMs: number | null;
  /** How closely it was watched for overlaps, from the fault to a moment after its outcome. */
  readonly watched: Watched;
  /** What did not hold. */
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

/** How a node was set: as it said itself before the drill, or when it was first seen. */
export interface NodeEntry {
  readonly id: string;
  readonly version: string;
  readonly standby: string;
  readonly predictedMs: number | null;
  readonly hangMs: number | null;
  readonly settings: SceneNode['setup'];
}

/** One round as it went. */
export interface PlayedRound {
  readonly outcome: Outcome;
  readonly watched: Watched;
  /** What else did not hold, such as a node that did not come back. */
  readonly problems: readonly string[];
}

/** What a drill has seen. */
export interface DrillRecord {
  readonly group: string;
  readonly directory: string;
  readonly version: string;
  readonly startedAt: string;
  readonly tookMs: number;
  readonly withinMs: number | null;
  readonly rounds: number;
  /** Whether the faults were chosen: then one that was left out leaves the drill incomplete. */
  readonly isChosen: boolean;
  readonly interrupted: boolean;
  readonly endedBecause: string | null;
  readonly plan: readonly PlannedFault[];
  readonly played: readonly PlayedRound[];
  readonly leftOut: readonly { readonly fault: DrillFault; readonly why: string }[];
  readonly primary: { readonly before: string; readonly after: string | null };
  readonly epochs: { readonly before: number; readonly after: number };
  readonly sampling: SamplingReport;
  readonly nodes: readonly SceneNode[];
}

export function certificateOf(record: DrillRecord): Certificate {
  const faults = record.plan.map((planned) => faultEntry(planned, record));
  const served = servedEpochs(record);
  const strictlyIncreasing = served.every((epoch, i) => i === 0 || epoch > (served[i - 1] ?? 0));
  const { group, directory, version, startedAt, tookMs, withinMs, rounds } = record;
  return {
    v: 1,
    group,
    directory,
    verdict: verdictOf(record, faults, strictlyIncreasing),
    interrupted: record.interrupted,
    endedBecause: record.endedBecause,
    startedAt,
    tookMs: Math.round(tookMs),
    version,
    withinMs,
    rounds,
    epochs: { ...record.epochs, served, strictlyIncreasing },
    primary: record.primary,
    faults,
    sampling: record.sampling,
    nodes: [...record.nodes]
      .sort(byId)
      .map(({ id, version: its, standby, crashMs, hangMs, setup }) => {
        return { id, version: its, standby, predictedMs: crashMs, hangMs, settings: setup };
      }),
  };
}

function byId(a: SceneNode, b: SceneNode): number {
  return a.id < b.id ? -1 : Number(a.id > b.id);
}

/** The middle one, or the mean of the two in the middle; to a tenth of a millisecond. */
export function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const half = (sorted.length - 1) / 2;
  const low = sorted[Math.floor(half)] ?? 0;
  const high = sorted[Math.ceil(half)] ?? 0;
  return { median: tenths((low + high) / 2), max: tenths(sorted.at(-1) ?? 0) };
}

function faultEntry({ fault, skipped }: PlannedFault, record: DrillRecord): FaultEntry {
  const own = record.played.filter(({ outcome }) => outcome.fault === fault);
  const rounds = own.map((played, i) => roundEntry(played, i + 1));
  const bounds = own.flatMap(({ outcome }) => outcome.bound ?? []);
  const isBroken = rounds.some(({ problems }) => problems.length > 0);
  const isShort = rounds.length < record.rounds;
  const verdict = isBroken ? 'broken' : isShort ? 'incomplete' : 'held';
  return {
    fault,
    skipped,
    verdict: skipped === null ? verdict : 'skipped',
    downtimeMs: spreadOf(rounds.flatMap(({ downtimeMs }) => downtimeMs ?? [])),
    tookMs: spreadOf(rounds.flatMap(({ tookMs }) => tookMs ?? [])),
    bound: bounds.reduce<Bound | null>((least, one) => {
      return least === null || one.ms < least.ms ? one : least;
    }, null),
    rounds,
    leftOut: record.leftOut.flatMap((one) => (one.fault === fault ? one.why : [])),
  };
}

function roundEntry({ outcome, watched, problems }: PlayedRound, round: number): RoundEntry {
  const { before, after, downtimeMs, tookMs, bound } = outcome;
  return {
    round,
    from: before,
    to: after,
    downtimeMs: downtimeMs === null ? null : tenths(downtimeMs),
    tookMs: tookMs === null ? null : tenths(tookMs),
    boundMs: bound?.ms ?? null,
    watched,
    problems: [...problemsOf(outcome), ...problems],
    notes: notesOn(outcome),
  };
}

function servedEpochs({ played, epochs }: DrillRecord): readonly number[] {
  const raised = played.filter(({ outcome }) => outcome.expected !== 'no-change');
  return [epochs.before, ...raised.flatMap(({ outcome }) => outcome.after?.epoch ?? [])];
}

function verdictOf(
  record: DrillRecord,
  faults: readonly FaultEntry[],
  strictlyIncreasing: boolean,
): Certificate['verdict'] {
  const isBroken = faults.some(({ verdict }) => verdict === 'broken');
  if (isBroken || !strictlyIncreasing || record.sampling.overlaps.length > 0) return 'broken';
  // A group that nobody leads at the end has not come through.
  if (record.primary.after === null && !record.interrupted) return 'broken';
  const isShort = faults.some(({ verdict }) => {
    return verdict === 'incomplete' || (verdict === 'skipped' && record.isChosen);
  });
  if (isShort || record.interrupted || record.endedBecause !== null) return 'incomplete';
  return 'held';
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
