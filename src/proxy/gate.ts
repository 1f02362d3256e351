// The gate before the primary: lets visitors through while it serves, and holds them while there is none.
import type { Clock } from '../runtime/ports.ts';
import { Hold } from './hold.ts';
import type { Held, HoldLimits } from './hold.ts';
import {
  freshPace,
  isFull,
  paceAfterAnswer,
  paceAfterReach,
  paceAfterRefusal,
  paceAt,
} from './pace.ts';
import type { Pace } from './pace.ts';
import type { PrimaryListener, PrimaryTerm } from './primary-source.ts';
import { NO_ROUTE, routed } from './route.ts';
import type { Route, RouteEffect, RouteEvent, RoutePhase } from './route.ts';
import { UnderWay } from './under-way.ts';
import type { Going } from './under-way.ts';

/**
 * - `no-primary`: nobody led
 * - `unreachable`: somebody did, and could not be connected to
 * - `hold-timeout`: those before it had the primary to themselves
 * - `stopping`: the gate is closed for good
 */
export type HoldFailure = 'no-primary' | 'unreachable' | 'hold-timeout' | 'stopping';

/** One request or connection, as the gate sees it. None of these throws. */
export interface Visitor {
  /** Go to the primary now; called once for each time it is let through, the first time perhaps within `enter`. */
  go(term: PrimaryTerm, place: Place): void;
  /** It has waited in vain, and is out. */
  refuse(why: HoldFailure): void;
  /** The primary it goes to is about to step down: what has no end of its own is to end. */
  close(): void;
  /** The primary it went to is gone: it is to `leave`, or to go `again`, now or soon. */
  cut(reason: string): void;
}

/** The place of one visitor; only the gate changes it. */
export interface Place {
  /** How long it has waited, ms. */
  readonly waitedMs: number;
}

export interface GateOptions {
  readonly hold: HoldLimits;
  /** How many may be under way to the primary; what streams without an end is not counted. */
  readonly slots: number;
  readonly clock: Clock;
  /** Told after each change of where it goes. */
  readonly onChange?: (change: RouteChange) => void;
}

export interface RouteChange {
  readonly phase: RoutePhase;
  readonly term: PrimaryTerm | null;
  /** Why it is not open; null: it is. */
  readonly reason: string | null;
  /** How many were held just before. */
  readonly held: number;
}

export interface GateCounts {
  /** How many have waited, because there was no primary or no slot. */
  readonly held: number;
  /** The longest that one has waited, let through or in vain, ms. */
  readonly longestHeldMs: number;
}

interface Ticket extends Held, Going {
  readonly visitor: Visitor;
  takesSlot: boolean;
  wasHeld: boolean;
}

/** The time that a visitor is held ends once, also over several primaries. Visitors are called in turn. */
export class Gate implements PrimaryListener {
  readonly #options: GateOptions;
  readonly #hold: Hold<Ticket>;
  readonly #underWay = new UnderWay<Ticket>();
  #slotsTaken = 0;
  /** The one that tries to reach a primary which could not be reached; null: nobody does. */
  #scout: Ticket | null = null;
  #route: Route = NO_ROUTE;
  #pace: Pace;
  #drained: (() => void) | null = null;
  #wake: { readonly atMs: number; readonly cancel: () => void } | null = null;
  #isPumping = false;
  #isStopped = false;
  #held = 0;
  #longestHeldMs = 0;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#hold = new Hold(options.hold);
    this.#pace = freshPace(options.clock.now(), options.slots);
  }

  get phase(): RoutePhase {
    return this.#route.phase;
  }

  get counts(): GateCounts {
    return { held: this.#held, longestHeldMs: this.#longestHeldMs };
  }

  /** How many are held, how many go on, and the bytes of bodies that are kept. */
  get load(): { readonly held: number; readonly underWay: number; readonly bytes: number } {
    return { held: this.#hold.size, underWay: this.#underWay.size, bytes: this.#hold.bytes };
  }

  /** Whether one that enters now goes at once. */
  get isFree(): boolean {
    return this.#hold.size === 0 && this.#termToGoTo(this.#options.clock.now()) !== null;
  }

  /** Whether nobody is let through any more, whatever comes. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Its place, now or later let through; null: no more can be held. */
  enter(visitor: Visitor): Place | null {
    const ticket: Ticket = {
      visitor,
      takesSlot: false,
      wasHeld: false,
      sinceMs: null,
      waitedMs: 0,
      index: null,
      turn: 0,
    };
    if (this.#passes(ticket)) return ticket;
    if (!this.#hold.add(ticket, this.#options.clock.now())) return null;
    this.#pump();
    this.#countIfHeld(ticket);
    return ticket;
  }

  /** The primary was connected to, whatever it will answer. */
  reached(): void {
    if (isFull(this.#pace, this.#options.slots)) return;
    this.#setPace(paceAfterReach(this.#pace, this.#options.clock.now(), this.#options.slots));
  }

  answered(): void {
    if (isFull(this.#pace, this.#options.slots)) return;
    this.#setPace(paceAfterAnswer(this.#pace, this.#options.clock.now(), this.#options.slots));
  }

  /** It has no end of its own (a WebSocket, events): it takes no slot any more. */
  stream(place: Place): void {
    this.#freeSlot(ticketOf(place));
    this.#pump();
  }

  /**
   * It waits to go once more, before all who came later.
   *
   * @param unreached the primary could not be connected to: the next try is not at once
   */
  again(place: Place, { unreached }: { readonly unreached: boolean }): void {
    const ticket = ticketOf(place);
    if (!this.#underWay.delete(ticket)) return;
    this.#freeSlot(ticket);
    if (this.#isStopped) {
      ticket.visitor.refuse('stopping');
      return;
    }
    const nowMs = this.#options.clock.now();
    this.#hold.putBack(ticket, nowMs);
    if (unreached) this.#pace = paceAfterRefusal(this.#pace, nowMs);
    this.#tellIfDrained();
    this.#pump();
    this.#countIfHeld(ticket);
  }

  /** It is done, or its client is gone; a second time it does nothing. */
  leave(place: Place): void {
    const ticket = ticketOf(place);
    if (ticket.sinceMs !== null) this.#hold.remove(ticket, this.#options.clock.now());
    else if (this.#underWay.delete(ticket)) {
      this.#freeSlot(ticket);
      this.#tellIfDrained();
      this.#pump();
    }
  }

  /** False: so many bytes of bodies can't be kept as well. */
  reserve(bytes: number): boolean {
    return this.#hold.reserve(bytes);
  }

  free(bytes: number): void {
    this.#hold.free(bytes);
  }

  ready(term: PrimaryTerm): void {
    this.#apply({ kind: 'ready', term }, null);
  }

  doubted(reason: string): void {
    this.#apply({ kind: 'doubted' }, reason);
  }

  closing(drained: () => void): void {
    this.#drained = drained;
    this.#apply({ kind: 'closing' }, 'it is about to step down');
  }

  lost(reason: string, epoch: number | null = null): void {
    this.#apply({ kind: 'lost', epoch }, reason);
  }

  /** Ends what has no end of its own, and leaves alone the rest. */
  closeStreams(): void {
    for (const { visitor } of this.#underWay.inTurn()) visitor.close();
  }

  /** Refuses what is held and cuts what is under way: for good. */
  stop(): void {
    this.#isStopped = true;
    this.#drained = null;
    this.#route = NO_ROUTE;
    const nowMs = this.#options.clock.now();
    this.#cut('the proxy ends');
    for (let next = this.#hold.next(nowMs); next !== null; next = this.#hold.next(nowMs)) {
      next.visitor.refuse('stopping');
    }
    this.#wake?.cancel();
    this.#wake = null;
  }

  #apply(event: RouteEvent, reason: string | null): void {
    const before = this.#route;
    const held = this.#hold.size;
    const { route, effects } = routed(before, event);
    this.#route = route;
    // Those that are cut may ask to go again at once, and are let through when all of it is done.
    this.#isPumping = true;
    for (const effect of effects) this.#perform(effect, reason);
    this.#isPumping = false;
    if (route !== before) this.#options.onChange?.({ ...route, reason, held });
    this.#pump();
  }

  #perform(effect: RouteEffect, reason: string | null): void {
    switch (effect) {
      case 'cut':
        this.#drained = null;
        this.#cut(reason ?? 'another leads');
        return;
      case 'open':
      case 'resume':
        this.#drained = null;
        this.#scout = null;
        this.#pace = freshPace(this.#options.clock.now(), this.#options.slots);
        return;
      case 'drain':
        this.closeStreams();
        this.#tellIfDrained();
    }
  }

  #cut(reason: string): void {
    for (const { visitor } of this.#underWay.inTurn()) visitor.cut(reason);
  }

  #tellIfDrained(): void {
    if (this.#underWay.size > 0) return;
    const drained = this.#drained;
    this.#drained = null;
    drained?.();
  }

  #setPace(pace: Pace): void {
    if (pace === this.#pace) return;
    this.#pace = pace;
    this.#scout = null;
    this.#pump();
  }

  #freeSlot(ticket: Ticket): void {
    if (ticket.takesSlot) this.#slotsTaken -= 1;
    ticket.takesSlot = false;
    if (this.#scout === ticket) this.#scout = null;
  }

  /** Lets through as many as may go; what they do at once may well lead here again. */
  #pump(): void {
    if (this.#isPumping || this.#hold.size === 0) return;
    this.#isPumping = true;
    let nowMs = this.#options.clock.now();
    // Until nobody waits or may go.
    while (this.#letOneThrough(nowMs)) nowMs = this.#options.clock.now();
    this.#isPumping = false;
    // By the same time: one that has become due since then would be waited for in vain.
    this.#schedule(nowMs);
  }

  /** Goes at once where nobody waits before it, as nearly all do; false: it is to wait. */
  #passes(ticket: Ticket): boolean {
    if (this.#isPumping || this.#hold.size > 0) return false;
    const term = this.#termToGoTo(this.#options.clock.now());
    if (term === null) return false;
    this.#isPumping = true;
    this.#letThrough(ticket, term);
    this.#isPumping = false;
    this.#pump();
    return true;
  }

  #letOneThrough(nowMs: number): boolean {
    const term = this.#termToGoTo(nowMs);
    if (term === null) return false;
    const ticket = this.#hold.next(nowMs);
    if (ticket === null) return false;
    this.#letThrough(ticket, term);
    return true;
  }

  /** Null: nobody may go now. */
  #termToGoTo(nowMs: number): PrimaryTerm | null {
    const { term, phase } = this.#route;
    if (phase !== 'open' || term === null) return null;
    this.#pace = paceAt(this.#pace, nowMs, this.#options.slots);
    return nowMs < this.#pace.notBeforeMs || this.#isTooMuch() ? null : term;
  }

  /** Those that were under way before it could not be reached may stay so for ever: they keep nobody from trying. */
  #isTooMuch(): boolean {
    if (this.#pace.refusals > 0) return this.#scout !== null;
    return this.#slotsTaken >= this.#pace.slots;
  }

  #letThrough(ticket: Ticket, term: PrimaryTerm): void {
    this.#underWay.add(ticket);
    ticket.takesSlot = true;
    this.#slotsTaken += 1;
    if (this.#pace.refusals > 0) this.#scout = ticket;
    this.#longestHeldMs = Math.max(this.#longestHeldMs, ticket.waitedMs);
    ticket.visitor.go(term, ticket);
  }

  #countIfHeld(ticket: Ticket): void {
    if (ticket.wasHeld || ticket.sinceMs === null) return;
    ticket.wasHeld = true;
    this.#held += 1;
  }

  #reasonOfWait(): HoldFailure {
    if (this.#route.phase !== 'open') return 'no-primary';
    return this.#pace.refusals > 0 ? 'unreachable' : 'hold-timeout';
  }

  /** Wakes when the first has waited too long, or more may go without a further event. */
  #schedule(nowMs: number): void {
    const dueMs = this.#hold.dueMs;
    if (dueMs === null) return;
    const { notBeforeMs, growsMs } = this.#pace;
    const goMs = notBeforeMs > nowMs ? notBeforeMs : (growsMs ?? Infinity);
    const atMs = this.#route.phase === 'open' ? Math.min(dueMs, goMs) : dueMs;
    if (this.#wake !== null && this.#wake.atMs <= atMs) return;
    this.#wake?.cancel();
    const cancel = this.#options.clock.wakeAt(atMs, () => {
      this.#wake = null;
      const expired = this.#hold.takeExpired(this.#options.clock.now());
      const why = this.#reasonOfWait();
      for (const { visitor, waitedMs } of expired) {
        this.#longestHeldMs = Math.max(this.#longestHeldMs, waitedMs);
        visitor.refuse(why);
      }
      this.#pump();
    });
    this.#wake = { atMs, cancel };
  }
}

/** Every place is a ticket: the gate alone makes them. */
function ticketOf(place: Place): Ticket {
  // The interface shows less of it to whoever has one.
  return place as Ticket;
}
