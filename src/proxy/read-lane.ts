// The way to one node that answers reads: what is under way to it, and its connections.
import type { Pool } from 'undici';
import type { Place, Visitor } from './gate.ts';
import type { PrimaryTerm } from './primary-source.ts';
import { Upstream } from './upstream.ts';
import type { UpstreamLimits } from './upstream.ts';

interface Visit extends Place {
  readonly visitor: Visitor;
  takesSlot: boolean;
}

/** Nobody waits here: where there is no room, another node is asked. Visitors are called in turn. */
export class ReadLane {
  /** Without an epoch: what it answers has nothing to do with who leads. */
  readonly #term: PrimaryTerm;
  readonly #slots: number;
  readonly #upstream: Upstream;
  readonly #visits = new Set<Visit>();
  #slotsTaken = 0;

  constructor(term: PrimaryTerm, slots: number, limits: UpstreamLimits) {
    this.#term = term;
    this.#slots = slots;
    this.#upstream = new Upstream(limits);
  }

  get node(): string | null {
    return this.#term.node;
  }

  get hasRoom(): boolean {
    return this.#slotsTaken < this.#slots;
  }

  get underWay(): number {
    return this.#visits.size;
  }

  /** Lets it through at once. @param waitedMs how long it was held before */
  enter(visitor: Visitor, waitedMs: number): void {
    const visit: Visit = { visitor, waitedMs, takesSlot: true };
    this.#visits.add(visit);
    this.#slotsTaken += 1;
    visitor.go(this.#term, visit);
  }

  /** It has no end of its own: it takes no slot any more. */
  stream(place: Place): void {
    this.#freeSlot(visitOf(place));
  }

  /** It is done, or goes elsewhere; a second time it does nothing. */
  leave(place: Place): void {
    const visit = visitOf(place);
    if (this.#visits.delete(visit)) this.#freeSlot(visit);
  }

  poolFor(term: PrimaryTerm): Pool {
    return this.#upstream.poolFor(term);
  }

  /** Ends what has no end of its own, and leaves alone the rest. */
  closeStreams(): void {
    for (const { visitor } of [...this.#visits]) visitor.close();
  }

  /** The node is gone: what is under way to it has no answer to expect. */
  end(reason: string): void {
    for (const { visitor } of [...this.#visits]) visitor.cut(reason);
    this.#upstream.destroy();
  }

  #freeSlot(visit: Visit): void {
    if (visit.takesSlot) this.#slotsTaken -= 1;
    visit.takesSlot = false;
  }
}

/** Every place is a visit: the lane alone makes them. */
function visitOf(place: Place): Visit {
  // The interface shows less of it to whoever has one.
  return place as Visit;
}
