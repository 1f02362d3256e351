// What one node says of itself: when it answers, in its own words; else in those of its journal.
import type { Evidence } from '../core/evidence.ts';
import { explanationOf } from '../core/explanation.ts';
import type { Explanation } from '../core/explanation.ts';
import type { Pending } from '../core/pending.ts';
import type { Settings } from '../core/settings.ts';
import type { NodeState } from '../core/state.ts';
import { FailoverError } from '../errors.ts';
import { journalOfRun } from '../journal/find-journal.ts';
import type { FoundJournal } from '../journal/find-journal.ts';
import type { EventLine } from '../journal/lines.ts';
import { replayJournal } from '../journal/replay.ts';
import type { NodeStatus } from '../runtime/node-status.ts';
import { ask } from './client.ts';
import type { GroupSnapshot, SeenNode } from './client.ts';
import { lastChanceIn } from './last-chance.ts';
import type { Chance } from './last-chance.ts';
import { readNodeEvents } from './node-events.ts';
import type { ToldTransition } from './node-events.ts';

/** Of `explain --json`. Keys are added in later versions, never changed or removed. */
export interface Account {
  readonly id: string;
  readonly presence: SeenNode['presence'];
  /** Whose words these are. */
  readonly source: 'node' | 'journal' | 'record';
  /** Why it is not its own; null: it is. */
  readonly silence: string | null;
  /** Null: unknown. */
  readonly role: string | null;
  readonly phase: string | null;
  readonly epoch: number | null;
  /** Why it is in this phase. */
  readonly reason: string | null;
  /** Since when, and as of when all this is so; wall clock, ISO 8601; null: unknown. */
  readonly since: string | null;
  readonly asOf: string | null;
  readonly warning: string | null;
  readonly unwillingBecause: string | null;
  readonly lastChance: Chance | null;
  readonly evidence: readonly Evidence[];
  /** Nothing where the node can't be asked: it may be doing anything by now. */
  readonly waitsFor: readonly Pending[];
  /** Oldest first. */
  readonly transitions: readonly ToldTransition[];
  readonly journal: string | null;
}

/** How long a node may take to tell, ms. */
const EVENTS_LIMIT_MS = 1_000;

/** Asks a node; reads its journal where it does not answer. */
export async function accountOf(seen: SeenNode, snapshot: GroupSnapshot): Promise<Account> {
  const { record, status, presence, silence } = seen;
  if (status !== null) {
    try {
      const params = { group: snapshot.group, timeoutMs: EVENTS_LIMIT_MS };
      const answer = await ask(record, { ...params, method: 'instance.events' });
      return ownAccount(status, answer, snapshot.takenAtMs);
    } catch (error) {
      if (!(error instanceof FailoverError)) throw error;
    }
  }
  const found = snapshot.paths === null ? null : journalOfRun(snapshot.paths.journal, record.run);
  const why = presence === 'gone' ? null : (silence ?? 'it does not answer');
  return found === null
    ? { ...UNKNOWN, id: record.node, presence, source: 'record', silence: why ?? GONE }
    : journalAccount(found, { presence, silence: why });
}

const GONE = 'it has ended';

/** What a node that can't be asked has left behind; `silence`: why it can't, null for one that has ended. */
export function journalAccount(
  { path, journal }: FoundJournal,
  { presence, silence }: Pick<SeenNode, 'presence' | 'silence'>,
): Account {
  const last = lastStateIn(journal);
  const transitions = transitionsIn(journal);
  const latest = transitions.at(-1);
  const explanation = last === null ? null : explanationIn(last, journal.run.settings);
  return {
    ...UNKNOWN,
    id: journal.run.node,
    presence,
    source: 'journal',
    silence:
      silence ?? (latest?.to === 'stopped' ? `it has exited gracefully` : `it ended unexpectedly`),
    role: last?.role ?? lastMoveIn(journal)?.role ?? null,
    phase: latest?.to ?? last?.phase ?? null,
    epoch: latest?.epoch ?? null,
    reason: latest?.reason ?? null,
    since: latest?.time ?? null,
    asOf: lastTimeIn(journal),
    warning: last?.warning ?? null,
    lastChance: lastChanceIn(transitions),
    evidence: explanation?.evidence ?? [],
    transitions,
    journal: path,
  };
}

const UNKNOWN = {
  role: null,
  phase: null,
  epoch: null,
  reason: null,
  since: null,
  asOf: null,
  warning: null,
  unwillingBecause: null,
  lastChance: null,
  evidence: [],
  waitsFor: [],
  transitions: [],
  journal: null,
} as const;

function ownAccount(status: NodeStatus, answer: unknown, takenAtMs: number): Account {
  const { transitions, explanation, journal } = readNodeEvents(answer);
  return {
    id: status.id,
    presence: 'answers',
    source: 'node',
    silence: null,
    role: status.role,
    phase: status.phase,
    epoch: status.epoch,
    reason: status.reason,
    since: transitions.at(-1)?.time ?? new Date(takenAtMs - status.roleForMs).toISOString(),
    asOf: new Date(takenAtMs).toISOString(),
    warning: status.warning,
    unwillingBecause: status.unwillingBecause,
    lastChance: lastChanceIn(transitions),
    evidence: explanation?.evidence ?? [],
    waitsFor: explanation?.pending ?? [],
    transitions: transitions.map(({ time, from, to, epoch, reason }) => ({
      ...{ time, from, to, epoch, reason },
    })),
    journal,
  };
}

/**
 * What it knew at its last line; null: not all that led there can be decided again as it was then, and what
 * it knew before that is not what it ended with.
 */
function lastStateIn(journal: FoundJournal['journal']): NodeState | null {
  const { last } = replayJournal(journal);
  const latest = lastMoveIn(journal);
  const isOfThen = last !== null && last.at >= (eventsIn(journal).at(-1)?.at ?? Infinity);
  return isOfThen && (latest === undefined || latest.to === last.phase) ? last : null;
}

function lastMoveIn(journal: FoundJournal['journal']): EventLine | undefined {
  return eventsIn(journal).findLast(({ to }) => to !== undefined);
}

function eventsIn({ entries }: FoundJournal['journal']): readonly EventLine[] {
  return entries.flatMap((entry) => (entry.kind === 'event' ? [entry.recorded] : []));
}

/** Null: a damaged journal, from which something can be decided and not be told. */
function explanationIn(state: NodeState, settings: Settings): Explanation | null {
  try {
    return explanationOf(state, settings);
  } catch {
    return null;
  }
}

/** The changes of phase that a journal tells of, oldest first. */
export function transitionsIn(journal: FoundJournal['journal']): readonly ToldTransition[] {
  return eventsIn(journal).flatMap(({ time, from, to, epoch, reason }) => {
    const isWhole =
      time !== undefined && from !== undefined && to !== undefined && reason !== undefined;
    return isWhole && epoch !== undefined ? [{ time, from, to, epoch, reason }] : [];
  });
}

/** The wall clock is written at transitions only; what came after one is told by the other clock. */
function lastTimeIn(journal: FoundJournal['journal']): string | null {
  const events = eventsIn(journal);
  const dated = events.findLast(({ time }) => time !== undefined);
  const last = events.at(-1);
  if (dated?.time === undefined || last === undefined) return null;
  const time = new Date(Date.parse(dated.time) + last.at - dated.at);
  // A damaged line may say anything.
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}
