// The answer to `instance.events` as a client believes it: from another process, perhaps another version.
import type { Explanation } from '../core/explanation.ts';
import type { Evidence } from '../core/evidence.ts';
import type { Pending } from '../core/pending.ts';
import type { Takeover } from '../core/state.ts';
import { readTakeover } from '../transport/checks.ts';

/** A change of phase as it is told later. */
export interface ToldTransition {
  /** Wall clock, ISO 8601. */
  readonly time: string;
  readonly from: string;
  readonly to: string;
  readonly epoch: number;
  readonly reason: string;
}

/** With what a node says of its own transitions beside. */
export interface OwnTransition extends ToldTransition {
  /** Null: a version that does not say it. */
  readonly role: string | null;
  /** Of a promotion that is complete; null: it is another change. */
  readonly takeover: Takeover | null;
}

export interface NodeEventsAnswer {
  readonly transitions: readonly OwnTransition[];
  /** Null: a version that gives none. */
  readonly explanation: Explanation | null;
  readonly journal: string | null;
}

/** What is not as it should be is left out. Never throws. */
export function readNodeEvents(value: unknown): NodeEventsAnswer {
  const fields = fieldsOf(value);
  const explanation = fieldsOf(fields['explanation']);
  const { path } = fieldsOf(fields['journal']);
  return {
    transitions: listIn(fields['events']).flatMap(readTransition),
    explanation:
      'evidence' in explanation && 'pending' in explanation
        ? {
            evidence: listIn(explanation['evidence']).filter(isEvidence),
            pending: listIn(explanation['pending']).filter(isPending),
          }
        : null,
    journal: typeof path === 'string' ? path : null,
  };
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  // An object without a known shape is a map of unknown values.
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function readTransition(value: unknown): readonly OwnTransition[] {
  const { time, from, to, reason, epoch, role, takeover } = fieldsOf(value);
  if (typeof time !== 'string' || typeof from !== 'string' || typeof to !== 'string') return [];
  if (typeof reason !== 'string' || typeof epoch !== 'number') return [];
  if (Number.isNaN(Date.parse(time))) return [];
  const more = { role: typeof role === 'string' ? role : null };
  return [{ time, from, to, reason, epoch, ...more, takeover: readTakeover(takeover) ?? null }];
}

function isEvidence(value: unknown): value is Evidence {
  const { name, text } = fieldsOf(value);
  return typeof name === 'string' && typeof text === 'string';
}

function isPending(value: unknown): value is Pending {
  const { inMs, isLimit } = fieldsOf(value);
  const isTime = inMs === null || typeof inMs === 'number';
  return isEvidence(value) && isTime && typeof isLimit === 'boolean';
}
