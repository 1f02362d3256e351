// The events that are told over HTTP: numbered, the latest transitions remembered, so that who was away can resume.
import { randomBytes } from 'node:crypto';
import type { FeedEvent, NumberedEvent } from './groups-source.ts';

/** How many transitions are remembered of a group, as a takeover of three nodes makes about ten, and of all groups. */
const MEMORY = { ofGroup: 256, inAll: 10_000 };

type Listener = (numbered: NumberedEvent) => void;

interface Remembered {
  readonly number: number;
  readonly numbered: NumberedEvent;
}

/** Numbers are of one life of the process: those of another are not known here, and all that is remembered follows. */
export class EventFeed {
  readonly #life = randomBytes(4).toString('hex');
  readonly #listeners = new Set<Listener>();
  /** By group, so that one whose nodes come and go all the time does not make those of others forgotten. */
  readonly #remembered = new Map<string, Remembered[]>();
  readonly #memory: typeof MEMORY;
  /** Events that are remembered. */
  #size = 0;
  #count = 0;

  constructor(memory: typeof MEMORY = MEMORY) {
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
    const missed = [...this.#remembered.values()].flat().filter(({ number }) => number > heard);
    return missed.sort((a, b) => a.number - b.number).map(({ numbered }) => numbered);
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
    this.#remember(event.group, { number: this.#count, numbered });
    return numbered;
  }

  #remember(group: string, one: Remembered): void {
    const own = this.#remembered.get(group) ?? [];
    this.#remembered.set(group, own);
    own.push(one);
    this.#size += 1;
    if (own.length > this.#memory.ofGroup) this.#forget(group, own);
    if (this.#size > this.#memory.inAll) this.#forget(...this.#fullest());
  }

  #forget(group: string, own: Remembered[]): void {
    own.shift();
    this.#size -= 1;
    if (own.length === 0) this.#remembered.delete(group);
  }

  #fullest(): [group: string, own: Remembered[]] {
    return [...this.#remembered].reduce((most, one) =>
      one[1].length > most[1].length ? one : most,
    );
  }
}
