// What a node has seen of the others: who came, led, gave up and left, as there is no server that notes it.
import type { Peer } from '../../core/peer-table.ts';
import type { StoreEvent } from '../remote-store.ts';

/** What was seen of one life of a node. */
interface Sight {
  readonly node: string;
  readonly term: number | null;
  readonly epoch: number;
}

export class PeerSightings {
  #runs = new Map<string, Sight>();
  /** The oldest first. */
  #events: StoreEvent[] = [];
  #lastLeader: string | null = null;

  get lastLeader(): string | null {
    return this.#lastLeader;
  }

  /** @param peers all that are known and have not left */
  look(peers: readonly Peer[], at: number): void {
    const next = new Map<string, Sight>();
    for (const { node, run, term, epoch, seenAt } of peers) {
      if (at - seenAt > FORGOTTEN_AFTER_MS) continue;
      const before = this.#runs.get(run);
      next.set(run, { node, term, epoch });
      if (before === undefined) this.note({ node, action: 'joined', epoch: 0 });
      if (term === (before?.term ?? null)) continue;
      if (term === null) this.note({ node, action: 'released', epoch: before?.term ?? epoch });
      else
        this.note({
          node,
          action: (before?.term ?? null) === null ? 'granted' : 'advanced',
          epoch: term,
        });
    }
    for (const [run, { node, epoch }] of this.#runs) {
      if (!next.has(run)) this.note({ node, action: 'left', epoch });
    }
    this.#runs = next;
  }

  note(event: Omit<StoreEvent, 'atMs'>): void {
    if (event.action === 'granted') this.#lastLeader = event.node;
    this.#events.push({ ...event, atMs: Date.now() });
    if (this.#events.length > EVENT_LIMIT) this.#events = this.#events.slice(-EVENT_LIMIT);
  }

  /** The latest first. */
  latest(limit: number): readonly StoreEvent[] {
    return this.#events.slice(-limit).reverse();
  }
}

const EVENT_LIMIT = 256;

/** As long as it is shown. */
const FORGOTTEN_AFTER_MS = 30_000;
