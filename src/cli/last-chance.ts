// Whether a node took over when it last could have, and why not: told by its transitions.
import type { Phase } from '../core/state.ts';
import type { ToldTransition } from './node-events.ts';
import { uncapitalized } from './say.ts';

export interface Chance {
  /** When it began, wall clock, ISO 8601. */
  readonly time: string;
  /** What it saw then. */
  readonly cause: string;
  readonly outcome: 'took-over' | 'did-not' | 'ended' | 'open';
  /** The outcome as a sentence, with what the node said last. */
  readonly text: string;
}

/** The latest stretch of transitions that could have made it primary; null: there was none. */
export function lastChanceIn(transitions: readonly ToldTransition[]): Chance | null {
  const start = transitions.findLastIndex(({ from, to }) => isTrying(to) && !isTrying(from));
  const first = transitions[start];
  if (first === undefined) return null;
  const rest = transitions.slice(start);
  const end = rest.find(({ to }) => !isTrying(to)) ?? null;
  const last = end ?? rest.at(-1) ?? first;
  const outcome = outcomeOf(end);
  return { time: first.time, cause: first.reason, outcome, text: textOf(outcome, last.reason) };
}

/** From the first doubt on, or from the first wait for a lease that may be free. */
const TRYING: Readonly<Record<Phase, boolean>> = {
  listening: false,
  watching: false,
  suspecting: true,
  fencing: true,
  waiting: true,
  asking: true,
  acquiring: true,
  clearing: true,
  starting: true,
  promoting: true,
  unwinding: true,
  serving: false,
  restarting: false,
  demoting: false,
  stopping: false,
  stopped: false,
};

function isTrying(phase: string): boolean {
  return new Map<string, boolean>(Object.entries(TRYING)).get(phase) ?? false;
}

function outcomeOf(end: ToldTransition | null): Chance['outcome'] {
  if (end === null) return 'open';
  if (end.to === 'serving') return 'took-over';
  return end.to === 'stopped' || end.to === 'stopping' ? 'ended' : 'did-not';
}

function textOf(outcome: Chance['outcome'], reason: string): string {
  const last = uncapitalized(reason);
  switch (outcome) {
    case 'took-over':
      return 'it took over';
    case 'did-not':
      return `it did not take over: ${last}`;
    case 'ended':
      return `it exited before it could: ${last}`;
    case 'open':
      return `it has not taken over yet: ${last}`;
  }
}
