// Looks at groups that many ask for at a time: each is made once, and is as good for everybody for a moment.
import { monotonicNow } from '../runtime/clock.ts';
import type { GroupSnapshot } from './client.ts';

/** For how long a look is as good as another, ms. */
const FRESH_MS = 250;

/** Groups whose looks are kept; of more the oldest is forgotten. */
const MOST_KEPT = 100;

interface Look {
  /** Null: it is under way. */
  endedAt: number | null;
  readonly snapshot: Promise<GroupSnapshot>;
}

export class SharedLooks {
  readonly #look: (group: string) => Promise<GroupSnapshot>;
  readonly #now: () => number;
  readonly #looks = new Map<string, Look>();

  constructor(look: (group: string) => Promise<GroupSnapshot>, now: () => number = monotonicNow) {
    this.#look = look;
    this.#now = now;
  }

  /** One that is under way, or over for a moment only, is taken in place of another. @throws what a look throws */
  at(group: string): Promise<GroupSnapshot> {
    const last = this.#looks.get(group);
    const isFresh = last !== undefined && this.#now() - (last.endedAt ?? Infinity) < FRESH_MS;
    return isFresh ? last.snapshot : this.anew(group);
  }

  /** One that is under way, or a new one. */
  anew(group: string): Promise<GroupSnapshot> {
    const last = this.#looks.get(group);
    if (last?.endedAt === null) return last.snapshot;
    const snapshot = this.#look(group);
    const look: Look = { endedAt: null, snapshot };
    const end = (): void => {
      look.endedAt = this.#now();
    };
    snapshot.then(end, end);
    this.#looks.delete(group);
    this.#looks.set(group, look);
    const [oldest] = this.#looks.keys();
    if (this.#looks.size > MOST_KEPT && oldest !== undefined) this.#looks.delete(oldest);
    return snapshot;
  }
}
