// What is wrong with the outcome of a fault: pure judgement, from what was seen.
import { humanMs } from '../../core/duration-text.ts';
import type { Bound } from './bounds.ts';
import type { DrillFault, Expectation } from './faults.ts';

export interface Leader {
  readonly node: string;
  readonly run: string;
  readonly epoch: number;
}

/** One fault, and what came of it. */
export interface Outcome {
  readonly fault: DrillFault;
  readonly expected: Expectation;
  readonly before: Leader;
  /** Who served at the end; null: nobody, for as long as was waited. */
  readonly after: Leader | null;
  /** From the fault to the new workload's start, ms; null: no node said when, or nothing was to start. */
  readonly tookMs: number | null;
  /** Without a workload, ms: as `tookMs`, but of a switchover only from the old one's end. */
  readonly downtimeMs: number | null;
  readonly waitedMs: number;
  readonly bound: Bound | null;
  /** The longest downtime that the user allows, ms; null: only the bound counts. */
  readonly withinMs: number | null;
  /** Whether the process that was killed or hung is gone; null: none was to end. */
  readonly isGone: boolean | null;
  /** What a node answered instead of doing what was asked; null: it did. */
  readonly refusal: string | null;
  readonly overlaps: readonly string[];
}

/** Each a sentence without its end; empty: everything held. */
export function problemsOf(outcome: Outcome): readonly string[] {
  const { expected, overlaps } = outcome;
  return [...overlaps, ...(expected === 'no-change' ? unchanged(outcome) : changed(outcome))];
}

/**
 * Whether no more trouble should be made: more than time was wrong, and the next fault could be the one
 * that leaves the group without a primary.
 */
export function forbidsMore(outcome: Outcome): boolean {
  return problemsOf({ ...outcome, tookMs: 0, downtimeMs: 0 }).length > 0;
}

/** What went another way than expected, and is no promise broken. */
export function notesOn({ before, after, expected }: Outcome): readonly string[] {
  if (after === null || expected === 'no-change') return [];
  const notes: string[] = [];
  if (expected === 'same-node' && after.run !== before.run) {
    notes.push(`the workload was not restarted on ${before.node}: ${after.node} took over`);
  }
  const extra = after.epoch - before.epoch - 1;
  if (extra > 0) {
    const starts = extra === 1 ? '1 start' : `${String(extra)} starts`;
    notes.push(
      `${starts} on the way did not last: epoch ${String(after.epoch)} is the first that did`,
    );
  }
  return notes;
}

function unchanged({ before, after }: Outcome): readonly string[] {
  if (after === null) return ['no node was serving at the end'];
  if (after.run !== before.run) return [`${after.node} took over from ${before.node}`];
  if (after.epoch === before.epoch) return [];
  return [
    `the workload was restarted: epoch ${String(before.epoch)} became ${String(after.epoch)}`,
  ];
}

function changed(outcome: Outcome): readonly string[] {
  const { before, after, expected, waitedMs, isGone, refusal } = outcome;
  // It says why, and what else is wrong follows from it.
  if (refusal !== null && (after === null || after.run === before.run)) return [refusal];
  if (after === null) return [`no node was serving within ${humanMs(waitedMs)}`];
  // What else could be said follows from it.
  if (after.epoch <= before.epoch) {
    return [`the epoch did not rise: ${String(before.epoch)}, then ${String(after.epoch)}`];
  }
  const problems: string[] = [];
  if (expected === 'other-node' && after.run === before.run) {
    problems.push(`nobody took over: ${before.node} is serving again`);
  }
  if (isGone === false) problems.push(`the process of ${before.node} was left running`);
  return [...problems, ...lateness(outcome)];
}

function lateness({ tookMs, downtimeMs, bound, withinMs }: Outcome): readonly string[] {
  if (tookMs === null || downtimeMs === null) return ['no node reported when its workload started'];
  const problems: string[] = [];
  if (bound !== null && tookMs > bound.ms) {
    problems.push(`took ${humanMs(tookMs)}, longer than the bound of ${humanMs(bound.ms)}`);
  }
  if (withinMs !== null && downtimeMs > withinMs) {
    problems.push(`down for ${humanMs(downtimeMs)}, longer than the ${humanMs(withinMs)} allowed`);
  }
  return problems;
}
