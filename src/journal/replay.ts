// Decides again what a journal recorded, and finds where this version of the core decides differently.
import { isDeepStrictEqual } from 'node:util';
import type { Event } from '../core/event.ts';
import type { Settings } from '../core/settings.ts';
import { initialState } from '../core/state.ts';
import type { NodeState } from '../core/state.ts';
import { transition } from '../core/transition.ts';
import type { Transition } from '../core/transition.ts';
import { messageOf } from '../error-message.ts';
import { decodeExact, encodeExact } from './exact-json.ts';
import type { Journal, JournalEntry } from './read-journal.ts';

export type Decide = (state: NodeState, event: Event, settings: Settings) => Transition;

/** A decision as it is told. */
export interface Told {
  readonly move: string | null;
  readonly to: string | null;
  readonly reason: string;
  readonly effects: readonly string[];
  /** What the core said when it refused to go on; null: it did not. */
  readonly refusal: string | null;
}

export interface Divergence {
  readonly line: number;
  /** Which event of the run it was. */
  readonly n: number;
  /** How many transitions of the file came before it, with it if it was recorded as one. */
  readonly transition: number;
  readonly event: Event;
  /** Wall clock, if it was recorded as a transition. */
  readonly time: string | null;
  readonly recorded: Told;
  readonly now: Told;
  /** What of the state is not as it was recorded, where every decision up to it was the same. */
  readonly stateFields: readonly string[];
}

export interface ReplayResult {
  readonly divergences: readonly Divergence[];
  /** Events that were decided again. */
  readonly events: number;
  /** Transitions among them. */
  readonly transitions: number;
  /** How often events are missing, so that it had to go on from the next recorded state. */
  readonly gaps: number;
  /** Events that could not be decided again: they follow a gap, or a decision that differs. */
  readonly passedOver: number;
  /** What the core knew after the last event that was decided again; null: there was none. */
  readonly last: NodeState | null;
}

/** Goes through a journal from one recorded state to the next. */
export function replayJournal(journal: Journal, decide: Decide = transition): ReplayResult {
  const replayer = new Replayer(journal.run.settings, decide);
  for (const entry of journal.entries) replayer.follow(entry);
  return replayer.result();
}

class Replayer {
  readonly #settings: Settings;
  readonly #decide: Decide;
  readonly #divergences: Divergence[] = [];
  /** Null: not known until the next one is recorded. */
  #state: NodeState | null = null;
  #last: NodeState | null = null;
  /** The last decision, as long as all since the last recorded state were the same; else null. */
  #lastSame: { readonly entry: EventEntry; readonly event: Event; readonly told: Told } | null =
    null;
  #hasDiverged = false;
  #n = 0;
  #events = 0;
  #transitions = 0;
  #seenTransitions = 0;
  #gaps = 0;
  #passedOver = 0;

  constructor(settings: Settings, decide: Decide) {
    this.#settings = settings;
    this.#decide = decide;
  }

  follow(entry: JournalEntry): void {
    if (entry.kind === 'state') this.#begin(entry);
    else this.#step(entry);
  }

  result(): ReplayResult {
    return {
      divergences: this.#divergences,
      events: this.#events,
      transitions: this.#transitions,
      gaps: this.#gaps,
      passedOver: this.#passedOver,
      last: this.#last,
    };
  }

  /** A recorded state: what was decided up to it must have led to it. */
  #begin({ n, state }: StateEntry): void {
    const same = this.#lastSame;
    if (this.#n !== n && this.#n !== 0) this.#gaps += 1;
    if (this.#n === n && this.#state !== null && same !== null) {
      const stateFields = differingFields(state, this.#state);
      if (stateFields.length > 0) this.#diverge({ ...same, stateFields });
    }
    this.#lastSame = null;
    this.#hasDiverged = false;
    this.#n = n;
    this.#state = isComplete(state) ? state : null;
  }

  #step(entry: EventEntry): void {
    if (entry.recorded.move !== undefined) this.#seenTransitions += 1;
    const { event } = entry;
    const isNext = entry.n === this.#n + 1 && event !== null;
    if (!isNext && this.#state !== null) {
      this.#gaps += 1;
      this.#state = null;
    }
    this.#n = entry.n;
    if (this.#state === null || event === null) {
      this.#passedOver += 1;
      return;
    }
    this.#events += 1;
    if (entry.recorded.move !== undefined) this.#transitions += 1;
    const [told, next] = decided(this.#decide, this.#state, event, this.#settings);
    const recorded = recordedIn(entry);
    if (!isDeepStrictEqual(told, recorded)) {
      this.#hasDiverged = true;
      this.#diverge({ entry, event, told, stateFields: [] });
    }
    this.#lastSame = this.#hasDiverged ? null : { entry, event, told };
    // What follows answers what was decided then: after another decision it is another story.
    this.#state = isSameAct(told, recorded) ? next : null;
    this.#last = next ?? this.#last;
  }

  #diverge(found: {
    readonly entry: EventEntry;
    readonly event: Event;
    readonly told: Told;
    readonly stateFields: readonly string[];
  }): void {
    if (this.#divergences.length >= DIVERGENCE_LIMIT) return;
    const { entry, event, told, stateFields } = found;
    this.#divergences.push({
      line: entry.line,
      n: entry.n,
      transition: this.#seenTransitions,
      event,
      time: entry.recorded.time ?? null,
      recorded: recordedIn(entry),
      now: told,
      stateFields,
    });
  }
}

type EventEntry = Extract<JournalEntry, { kind: 'event' }>;
type StateEntry = Extract<JournalEntry, { kind: 'state' }>;

/** More of them tell nothing new. */
const DIVERGENCE_LIMIT = 100;

function decided(
  decide: Decide,
  state: NodeState,
  event: Event,
  settings: Settings,
): readonly [Told, NodeState | null] {
  try {
    const { state: next, effects, move, reason } = decide(state, event, settings);
    const to = move === null ? null : next.phase;
    return [{ move, to, reason, effects: effects.map(({ type }) => type), refusal: null }, next];
  } catch (error) {
    // An invariant of the core, or a state of another version that it can't read.
    const refusal = messageOf(error);
    return [{ move: null, to: null, reason: '', effects: [], refusal }, null];
  }
}

function recordedIn({ recorded }: EventEntry): Told {
  const { move = null, to = null, reason = '', effects = [], refusal = null } = recorded;
  return { move, to, reason, effects, refusal };
}

/** The same but for its words. */
function isSameAct(a: Told, b: Told): boolean {
  return a.move === b.move && a.to === b.to && isDeepStrictEqual(a.effects, b.effects);
}

/** Whether this version finds all that it reads in every state; what a phase adds is its own business. */
function isComplete(state: NodeState): boolean {
  const secondary = initialState(0, 1);
  const keys = state.role === 'secondary' ? Object.keys(secondary) : COMMON_KEYS;
  return keys.every((key) => key === 'until' || key in state);
}

const COMMON_KEYS = ['at', 'startedAt', 'since', 'pulseAt', 'epochFloor', 'paused', 'requests'];

/** As both are written: what is not in the text makes no difference. */
function differingFields(recorded: NodeState, now: NodeState): readonly string[] {
  const [was, is] = [fieldsOf(recorded), fieldsOf(now)];
  return [...new Set([...was.keys(), ...is.keys()])].filter(
    (key) => !isDeepStrictEqual(was.get(key), is.get(key)),
  );
}

function fieldsOf(state: NodeState): ReadonlyMap<string, unknown> {
  // What was encoded from an object is one.
  return new Map(Object.entries(decodeExact(encodeExact(state)) as object));
}
