// The journal as text: one JSON object a line, each with the version of the form and its kind.
//
//   run      who writes, and all settings of its core; the first line of every file
//   state    what the core knew: from here on it can be decided again
//   event    one event, and what the core made of it; `same` names an earlier line of this segment whose
//            event it repeats at another time
//   dropped  how many lines could not be written, and why
import type { EventBody } from '../core/event.ts';
import type { Settings } from '../core/settings.ts';
import type { NodeState } from '../core/state.ts';
import { encodeExact } from './exact-json.ts';
import type { Decision, Segment } from './recorder.ts';
import { withoutArguments } from './redact.ts';

export const JOURNAL_VERSION = 1;

/** A longer line is left out, and counted: a gap to whoever reads. */
const LINE_LIMIT_BYTES = 64 * 1024;

export interface RunLine {
  readonly v: typeof JOURNAL_VERSION;
  readonly kind: 'run';
  readonly group: string;
  readonly node: string;
  readonly run: string;
  readonly version: string;
  readonly host: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly settings: Settings;
}

export interface StateLine {
  readonly v: typeof JOURNAL_VERSION;
  readonly kind: 'state';
  /** How many events of this run came before. */
  readonly n: number;
  /** Monotonic, ms: that of the state. */
  readonly at: number;
  /** Wall clock when it was written, ISO 8601. */
  readonly writtenAt: string;
  readonly state: NodeState;
}

export interface EventLine {
  readonly v: typeof JOURNAL_VERSION;
  readonly kind: 'event';
  readonly n: number;
  /** Monotonic, ms. */
  readonly at: number;
  readonly event?: EventBody;
  readonly same?: number;
  readonly effects?: readonly string[];
  readonly move?: string;
  readonly from?: string;
  readonly to?: string;
  readonly role?: string;
  readonly epoch?: number;
  readonly reason?: string;
  /** Wall clock, ISO 8601; of transitions only. */
  readonly time?: string;
  readonly refusal?: string;
}

interface DroppedLine {
  readonly v: typeof JOURNAL_VERSION;
  readonly kind: 'dropped';
  readonly lines: number;
  readonly why: string;
}

type JournalLine = RunLine | StateLine | EventLine | DroppedLine;

export function runLine(about: Omit<RunLine, 'v' | 'kind'>): string {
  return textOf({ ...head('run'), ...about });
}

export function droppedLine(lines: number, why: string): string {
  return textOf({ ...head('dropped'), lines, why });
}

/** The lines of one segment; those that are too long are null. */
export function segmentLines(segment: Segment, writtenAt: Date): readonly (string | null)[] {
  const { n, base, decisions } = segment;
  const state = { n, at: base.at, writtenAt: writtenAt.toISOString(), state: base };
  const seen = new Map<string, number>();
  const lines = [textOf({ ...head('state'), ...state })];
  for (const decision of decisions) lines.push(eventLine(decision, seen));
  return lines.map((line) => (Buffer.byteLength(line) > LINE_LIMIT_BYTES ? null : line));
}

function eventLine(decision: Decision, seen: Map<string, number>): string {
  const { n, effects, change, refusal } = decision;
  const { at, ...body } = decision.event;
  const text = encodeExact(body);
  const same = seen.get(text);
  if (same === undefined) seen.set(text, n);
  return textOf({
    ...head('event'),
    n,
    at,
    ...(same === undefined ? { event: body } : { same }),
    ...(effects.length === 0 ? {} : { effects }),
    ...(change === null ? {} : changeFields(change)),
    ...(refusal === null ? {} : { refusal }),
  });
}

function changeFields(change: NonNullable<Decision['change']>): Partial<EventLine> {
  const { timeMs, ...fields } = change;
  return { ...fields, time: new Date(timeMs).toISOString() };
}

function head<Kind extends JournalLine['kind']>(
  kind: Kind,
): { readonly v: typeof JOURNAL_VERSION; readonly kind: Kind } {
  return { v: JOURNAL_VERSION, kind };
}

function textOf(line: JournalLine): string {
  return `${encodeExact(line, withoutArguments)}\n`;
}
