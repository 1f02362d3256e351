// The events that are told over HTTP: numbered, the latest transitions remembered, so that who was away can resume.
import { randomBytes } from 'node:crypto';
import type { FeedEvent, NumberedEvent } from './groups-source.ts';

/** How many transitions are remembered: a takeover of three nodes makes about ten. */
const MEMORY = 1000;

type Listener = (numbered: NumberedEvent) => void;

/** Numbers are of one life of the process: those of another are not known here, and all that is remembered follows. */
export class EventFeed {
  readonly #life = randomBytes(4).toString('hex');
  readonly #listeners = new Set<Listener>();
  readonly #remembered: { readonly number: number; readonly numbered: NumberedEvent }[] = [];
  readonly #memory: number;
  #count = 0;

  constructor(memory: number = MEMORY) {
    this.#memory = memory;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  publish(event: FeedEvent): void {
    const numbered = this.#numbered(event);
    for (const listener of this.#listeners) listener(numbered);
  }

  /** What who has heard the event of that id has not heard; of an unknown id: all that is remembered. */
  after(id: string): readonly NumberedEvent[] {
    const [life, digits = ''] = id.split('-');
    const heard = life === this.#life && /^\d{1,15}$/.test(digits) ? Number(digits) : 0;
    return this.#remembered.filter(({ number }) => number > heard).map(({ numbered }) => numbered);
  }

  /** Until the function that it gives is called. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** The id up to which somebody knows all who is told the present state now. */
  get latestId(): string {
    return `${this.#life}-${String(this.#count)}`;
  }

  #numbered(event: FeedEvent): NumberedEvent {
    // What is told anew to everybody who comes need not be remembered.
    if (event.name !== 'transition') return { id: null, event };
    this.#count += 1;
    const numbered = { id: this.latestId, event };
    this.#remembered.push({ number: this.#count, numbered });
    if (this.#remembered.length > this.#memory) this.#remembered.shift();
    return numbered;
  }
}
