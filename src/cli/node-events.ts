// The answer to `instance.events` as a client believes it: from another process, perhaps another version.
import type { Takeover } from '../core/state.ts';
import { readTakeover } from '../transport/checks.ts';
import type { Explanation } from '../core/explanation.ts';
import type { Evidence } from '../core/evidence.ts';
import type { Pending } from '../core/pending.ts';

/** A change of phase as it is told later. */
export interface ToldTransition {
  /** Wall clock, ISO 8601. */
  readonly time: string;
  readonly from: string;
  readonly to: string;
  readonly epoch: number;
  readonly reason: string;
}

/** One that may tell of a takeover. */
export interface ToldMove extends ToldTransition {
  /** With the last step of a promotion: what it was; null: not that, or not told. */
  readonly takeover: Takeover | null;
}

export interface NodeEventsAnswer {
  readonly transitions: readonly ToldMove[];
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
    transitions: listIn(fields['events']).filter(isTransition).map(transitionOf),
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

/** What else it carries is not passed on: it could be anything. */
function transitionOf({ time, from, to, epoch, reason, takeover }: ToldMove): ToldMove {
  return { time, from, to, epoch, reason, takeover: readTakeover(takeover) ?? null };
}

function isTransition(value: unknown): value is ToldMove {
  const fields = fieldsOf(value);
  const texts = ['time', 'from', 'to', 'reason'].every((key) => typeof fields[key] === 'string');
  return (
    texts &&
    typeof fields['epoch'] === 'number' &&
    !Number.isNaN(Date.parse(String(fields['time'])))
  );
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
