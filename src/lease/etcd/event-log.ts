// What happened to a group, as its nodes have noted it in the store: each a key of its own, the oldest removed.
import { randomBytes } from 'node:crypto';
import type * as etcd from 'etcd3';
import { parseJson } from '../file/durable-file.ts';
import type { StoreEvent } from '../remote-store.ts';
import { readStoreEvent } from '../stored-records.ts';
import { eventText } from './event-text.ts';
import type { GroupKeys } from './keys.ts';
import { all, put, remove } from './requests.ts';
import type { Ask } from './requests.ts';

/** The latest of what was noted stay, and for a moment a few more. */
const EVENTS_KEPT = 256;

/** How many are removed at a time: fewer than a transaction may have. */
const REMOVED_AT_ONCE = 64;

// The numbers of the protocol: the names are loaded with the client only.
const ASCENDING = 1 as unknown as etcd.SortOrder.Ascend;
const DESCENDING = 2 as unknown as etcd.SortOrder.Descend;
const BY_CREATION = 2 as unknown as etcd.SortTarget.Create;

export class EventLog {
  readonly #ask: Ask;
  readonly #keys: GroupKeys;
  readonly #node: string;
  #isPruning = false;
  #isAgain = false;

  constructor(ask: Ask, keys: GroupKeys, node: string) {
    this.#ask = ask;
    this.#keys = keys;
    this.#node = node;
  }

  /** Part of a transaction: it is noted if and only if it happens. */
  note(action: StoreEvent['action'], epoch: number): etcd.IRequestOp {
    const key = this.#keys.event(randomBytes(8).toString('hex'));
    return put(key, eventText(this.#node, action, epoch));
  }

  /** Nobody waits for it: the next one removes what this one does not. */
  pruneSoon(): void {
    this.#isAgain = this.#isPruning;
    if (this.#isPruning) return;
    this.#isPruning = true;
    this.#prune()
      .catch(() => undefined)
      .finally(() => {
        this.#isPruning = false;
        if (this.#isAgain) this.pruneSoon();
      });
  }

  async read(limit: number): Promise<readonly StoreEvent[]> {
    const order = { sort_target: BY_CREATION, sort_order: DESCENDING };
    const request = { ...this.#keys.events, ...order, limit: Math.min(limit, EVENTS_KEPT) };
    const { kvs } = await this.#ask((connection) => connection.range(request));
    return kvs.flatMap(({ value }) => {
      const event = readStoreEvent(parseJson(value.toString()));
      return event === null ? [] : [event];
    });
  }

  async #prune(): Promise<void> {
    const order = { sort_target: BY_CREATION, sort_order: ASCENDING };
    const oldest = { ...this.#keys.events, ...order, limit: REMOVED_AT_ONCE, keys_only: true };
    const { kvs, count } = await this.#ask((connection) => connection.range(oldest));
    const surplus = kvs.slice(0, Math.max(0, Number(count) - EVENTS_KEPT));
    if (surplus.length === 0) return;
    const removals = surplus.map(({ key }) => remove(key));
    await this.#ask((connection) => connection.txn(all(...removals)));
  }
}
