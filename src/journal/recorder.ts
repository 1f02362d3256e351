// What a node keeps in memory of its latest decisions: a state, and every event since, up to what is written.
import { copyAt } from '../core/copy.ts';
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
export interface Segment {
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
 * Remembers by reference: events never change, so that none is copied or made into text before it is written. Of a state,
 * which its node goes on to change, there is one copy for many events. Forgets half of what it has when it is full, so
 * that a heartbeat costs one push.
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
    this.#add(before, event, this.#types);
    if (change !== null) this.#tell({ change, refusal: null });
    this.#hasNews ||= change !== null || isNews(before, state);
  }

  /** An event that broke an invariant of the core: the last there is. */
  noteRefusal(before: NodeState, event: Event, refusal: string): void {
    this.#add(before, event, NOTHING);
    this.#tell({ change: null, refusal });
    this.#hasNews = true;
  }

  /** Everything that is kept, which is forgotten then; null: there is nothing. */
  take(): Segment | null {
    const first = this.#older ?? this.#newer;
    if (first === null) return null;
    const halves = [this.#older, this.#newer].filter((half) => half !== null);
    this.#older = null;
    this.#newer = null;
    this.#hasNews = false;
    const length = halves.reduce((sum, { events }) => sum + events.length, 0);
    const n = this.#count - length;
    const decisions = halves.flatMap((half, i) =>
      decisionsOf(half, i === 0 ? n : n + length - half.events.length),
    );
    return { n, base: first.base, decisions };
  }

  #add(before: NodeState, event: Event, effects: Types): void {
    const limit = this.#hasNews ? BURST : this.#context;
    if (this.#newer !== null && this.#newer.events.length >= limit) {
      this.#older = this.#newer;
      this.#newer = null;
    }
    this.#newer ??= { base: copyAt(before, before.at), events: [], effects: [], told: [] };
    this.#count += 1;
    this.#newer.events.push(event);
    this.#newer.effects.push(effects);
  }

  /** What is more than a heartbeat, of the event that was added last. */
  #tell(what: Pick<Decision, 'change' | 'refusal'>): void {
    if (this.#newer !== null) this.#newer.told[this.#newer.events.length - 1] = what;
  }
}

/** Lists of the same length: an object for each decision would outlive hundreds of heartbeats of other groups. */
interface Half {
  readonly base: NodeState;
  readonly events: Event[];
  readonly effects: Types[];
  /** Of few of them. */
  readonly told: Pick<Decision, 'change' | 'refusal'>[];
}

/** `n`: how many events came before. */
function decisionsOf({ events, effects, told }: Half, n: number): Decision[] {
  return events.map((event, i) => ({
    ...{ n: n + i + 1, event, effects: effects[i] ?? NOTHING },
    ...(told[i] ?? UNTOLD),
  }));
}

const UNTOLD = { change: null, refusal: null } as const;

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
