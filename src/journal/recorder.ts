// What a node keeps in memory of its latest decisions: a state, and every event since, up to what is written.
import type { Effect } from '../core/effect.ts';
import type { Event } from '../core/event.ts';
import type { NodeState, Phase, Role } from '../core/state.ts';
import type { Step } from '../core/transition.ts';

/** One event and what the core made of it. */
export interface Decision {
  /** Which event of this run it was, from 1 on: a number that is missing is a gap. */
  readonly n: number;
  readonly event: Event;
  readonly effects: readonly Effect['type'][];
  /** Null: the phase stayed the same. */
  readonly change: Change | null;
  /** What the core said when it refused to go on; null: it did not. */
  readonly refusal: string | null;
}

interface Change {
  readonly move: string;
  readonly from: Phase;
  readonly to: Phase;
  readonly role: Role;
  readonly epoch: number;
  readonly reason: string;
  /** Wall clock, ms since 1970. */
  readonly timeMs: number;
}

/** A state, and all that was decided from it on without a gap: enough to decide it again. */
export interface Stretch {
  /** How many events of this run came before. */
  readonly n: number;
  readonly base: NodeState;
  readonly decisions: readonly Decision[];
}

const NOTHING: Types = [];

/** How many events before a transition are kept at least, unless told otherwise; at most twice as many are. */
const CONTEXT = 24;

/** The same while a transition waits to be written: what exceeds it is a gap. */
const BURST = 240;

/**
 * Remembers by reference: states and events never change, so that nothing is copied or made into text before
 * it is written. Forgets half of what it has when it is full, so that a heartbeat costs one push.
 */
export class Recorder {
  readonly #context: number;
  #count = 0;
  #older: Half | null = null;
  #newer: Half | null = null;
  #hasNews = false;
  /** Of the last step: most have the same. */
  #types: Types = NOTHING;

  constructor(context: number = CONTEXT) {
    this.#context = context;
  }

  /** Whether something has happened since the last `take` that is worth writing. */
  get hasNews(): boolean {
    return this.#hasNews;
  }

  note({ before, event, state, effects, move, reason }: Step, nowMs: () => number): void {
    const change: Change | null =
      move === null
        ? null
        : {
            move,
            from: before.phase,
            to: state.phase,
            role: state.role,
            epoch: 'epoch' in state ? state.epoch : state.epochFloor,
            reason,
            timeMs: nowMs(),
          };
    this.#types = typesOf(effects, this.#types);
    this.#add(before, { event, effects: this.#types, change, refusal: null });
    this.#hasNews ||= change !== null || isNews(before, state);
  }

  /** An event that broke an invariant of the core: the last there is. */
  noteRefusal(before: NodeState, event: Event, refusal: string): void {
    this.#add(before, { event, effects: NOTHING, change: null, refusal });
    this.#hasNews = true;
  }

  /** Everything that is kept, which is forgotten then; null: there is nothing. */
  take(): Stretch | null {
    const first = this.#older ?? this.#newer;
    if (first === null) return null;
    const decisions = [...(this.#older?.decisions ?? []), ...(this.#newer?.decisions ?? [])];
    this.#older = null;
    this.#newer = null;
    this.#hasNews = false;
    return { n: this.#count - decisions.length, base: first.base, decisions };
  }

  #add(before: NodeState, decision: Omit<Decision, 'n'>): void {
    const limit = this.#hasNews ? BURST : this.#context;
    if (this.#newer !== null && this.#newer.decisions.length >= limit) {
      this.#older = this.#newer;
      this.#newer = null;
    }
    this.#newer ??= { base: before, decisions: [] };
    this.#count += 1;
    // By name: what is spread together takes far longer, and more room, at every heartbeat.
    const { event, effects, change, refusal } = decision;
    this.#newer.decisions.push({ n: this.#count, event, effects, change, refusal });
  }
}

interface Half {
  readonly base: NodeState;
  readonly decisions: Decision[];
}

/** Those that were told last, where they are the same: a thousand nodes keep them for some heartbeats. */
function typesOf(effects: readonly Effect[], last: Types): Types {
  const isSame = effects.length === last.length && effects.every(({ type }, i) => type === last[i]);
  return isSame ? last : effects.map(({ type }) => type);
}

type Types = readonly Effect['type'][];

/** Without a transition: a warning, or what a person or the application has decided. */
function isNews(before: NodeState, state: NodeState): boolean {
  return (
    before.paused !== state.paused ||
    before.enabled !== state.enabled ||
    (state.warning !== null && before.warning !== state.warning)
  );
}
