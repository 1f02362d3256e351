// What many ask for at a time, and is costly to find out: each is found out once, and is as good for everybody for a moment.
import { monotonicNow } from '../runtime/clock.ts';

/** For how long one is as good as another, ms: or for as long as it took, so that half of the time is free of them. */
const FRESH_MS = 250;

/** Of more the oldest is forgotten. */
const MOST_KEPT = 100;

interface Found<Value> {
  readonly startedAt: number;
  /** Null: it is under way. */
  endedAt: number | null;
  readonly value: Promise<Value>;
}

export class Shared<Value, Key extends string = string> {
  readonly #find: (key: Key) => Promise<Value>;
  readonly #found = new Map<Key, Found<Value>>();

  constructor(find: (key: Key) => Promise<Value>) {
    this.#find = find;
  }

  /** One that is under way, or over for a moment only, is taken in place of another. @throws what finding it throws */
  at(key: Key): Promise<Value> {
    const last = this.#found.get(key);
    return last !== undefined && isFresh(last) ? last.value : this.anew(key);
  }

  /** One that is under way, or a new one. */
  anew(key: Key): Promise<Value> {
    const last = this.#found.get(key);
    if (last?.endedAt === null) return last.value;
    const value = this.#find(key);
    const found: Found<Value> = { startedAt: monotonicNow(), endedAt: null, value };
    const end = (): void => {
      found.endedAt = monotonicNow();
    };
    value.then(end, end);
    this.#found.delete(key);
    this.#found.set(key, found);
    const [oldest] = this.#found.keys();
    if (this.#found.size > MOST_KEPT && oldest !== undefined) this.#found.delete(oldest);
    return value;
  }
}

function isFresh({ startedAt, endedAt }: Found<unknown>): boolean {
  if (endedAt === null) return true;
  return monotonicNow() - endedAt < Math.max(FRESH_MS, endedAt - startedAt);
}
