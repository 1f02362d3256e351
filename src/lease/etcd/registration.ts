// That a node is there, for all to see: keys that hang on a lease of etcd of its own, and end with it.
import type * as etcd from 'etcd3';
import { parseJson } from '../file/durable-file.ts';
import { isTaken, isUnreachable, joinAlone } from '../join-alone.ts';
import type { Alone, JoinReply, SoleNode } from '../join-alone.ts';
import type { StoredSight, StoredNode } from '../remote-store.ts';
import { REGISTRATION_TTL_MS, SIGN_PAUSE_MS } from '../sign-of-life.ts';
import { readStoredNode } from '../stored-records.ts';
import type { Along, KeptAlive } from './etcd-connection.ts';
import type { EventLog } from './event-log.ts';
import type { GroupKeys } from './keys.ts';
import { all, leave, newLeaseId, put } from './requests.ts';
import type { Ask } from './requests.ts';
import { joinUnderId } from './sole-id.ts';

/** How many nodes are listed, and how many of them are asked about at a time. */
const NODES_LISTED = 1024;
const ASKED_AT_ONCE = 32;

export class Registration {
  readonly #ask: Ask;
  readonly #keys: GroupKeys;
  readonly #events: EventLog;
  readonly #now: () => number;
  readonly #group: string;
  readonly #requestTimeoutMs: number;
  readonly #lookFirst: () => Promise<unknown>;
  readonly #sole: SoleNode | null;
  #record: StoredNode;
  #id = newLeaseId();
  /** How often the store had changed by then; null: not registered yet. */
  #start: number | null = null;
  #joining: Promise<void> | null = null;
  /** Another is on record with its id, and may live: nothing is claimed until that is clear. */
  #isContested = false;
  /** Who begins is told by that what has become of it. */
  #hasBegun = false;
  #signAt = 0;
  #hasLeft = false;

  constructor(parts: {
    readonly ask: Ask;
    readonly keys: GroupKeys;
    readonly events: EventLog;
    readonly record: StoredNode;
    readonly now: () => number;
    readonly group: string;
    readonly requestTimeoutMs: number;
    /** Before anything is written: what another version has left is not touched. */
    readonly lookFirst: () => Promise<unknown>;
    readonly sole: SoleNode | null;
  }) {
    this.#ask = parts.ask;
    this.#keys = parts.keys;
    this.#events = parts.events;
    this.#record = parts.record;
    this.#now = parts.now;
    this.#group = parts.group;
    this.#requestTimeoutMs = parts.requestTimeoutMs;
    this.#lookFirst = parts.lookFirst;
    this.#sole = parts.sole;
  }

  get record(): StoredNode {
    return this.#record;
  }

  /** The revision of the store at this node's start: what came before it; Infinity while it is not registered. */
  get start(): number {
    return this.#start ?? Infinity;
  }

  get isContested(): boolean {
    return this.#isContested;
  }

  /**
   * Registers the node, unless the store does not answer: then that is tried again with every look. From here on
   * whoever looks after the node is told that another has its id.
   *
   * @throws FAILOVER_STORE_REFUSED, FAILOVER_NODE_TAKEN
   */
  async begin(epoch: number): Promise<void> {
    try {
      await this.joined(epoch);
    } catch (error) {
      if (!isUnreachable(error)) throw error;
    }
    this.#hasBegun = true;
  }

  /** Resolves when it is registered. @throws FAILOVER_NODE_TAKEN */
  joined(epoch: number): Promise<void> {
    return this.#start === null ? this.#join(epoch) : Promise.resolve();
  }

  moved(record: StoredNode, epoch: number): void {
    this.#record = record;
    this.#joinSoon(epoch);
  }

  /** There is a new connection: the store may be another than it was. */
  doubt(): void {
    this.#signAt = 0;
  }

  /**
   * For a look that was begun at that time, ms; a sign that has become due since then is left to the next look, which
   * it can take the place of. Nobody waits for it: what fails is tried again.
   */
  signSoon(epoch: number, at: number): void {
    if (this.#hasBegun && this.#start === null) this.#joinSoon(epoch);
    const sign = this.signAlong(epoch, at);
    if (sign === null) return;
    this.#ask((connection) => connection.keepAlive(sign.id)).then(
      ({ ttlMs }) => {
        sign.onAnswer(ttlMs);
      },
      () => {
        sign.onAnswer(null);
      },
    );
  }

  /** The sign that is due at that time, ms, for the call of something else; null: none is. */
  signAlong(epoch: number, at: number): Along | null {
    if (this.#hasLeft || this.#start === null || at < this.#signAt) return null;
    this.#signAt = at + SIGN_PAUSE_MS.etcd;
    const id = this.#id;
    return {
      id,
      onAnswer: (ttlMs) => {
        if (ttlMs === null) this.doubt();
        else if (ttlMs === 0 && id === this.#id) this.#joinSoon(epoch);
      },
    };
  }

  /**
   * The sign that is due at that time, ms, and what it shows of the store; null: none is, or it shows nothing.
   *
   * @throws FAILOVER_STORE_UNREACHABLE
   */
  async signInstead(epoch: number, at: number): Promise<KeptAlive | null> {
    // Where it failed last it is nobody's look.
    const sign = this.#signAt === 0 ? null : this.signAlong(epoch, at);
    if (sign === null) return null;
    try {
      const kept = await this.#ask((connection) => connection.keepAlive(sign.id));
      sign.onAnswer(kept.ttlMs);
      return kept.ttlMs === 0 ? null : kept;
    } catch (error) {
      sign.onAnswer(null);
      if (isUnreachable(error)) throw error;
      return null;
    }
  }

  async leave(epoch: number): Promise<void> {
    this.#hasLeft = true;
    if (this.#start === null) return;
    const gone = leave(this.#keys, this.#record, this.#events.note('left', epoch));
    await this.#ask((connection) => connection.txn(gone));
    await this.#ask((connection) => connection.revoke(this.#id));
  }

  async list(): Promise<readonly StoredSight[]> {
    const { kvs } = await this.#ask((connection) =>
      connection.range({ ...this.#keys.nodes, limit: NODES_LISTED }),
    );
    const seen: StoredSight[] = [];
    for (let from = 0; from < kvs.length; from += ASKED_AT_ONCE) {
      const some = kvs.slice(from, from + ASKED_AT_ONCE).map(async ({ value, lease }) => {
        const node = readStoredNode(parseJson(value.toString()));
        const age = await this.#ask((connection) => connection.ageOf(lease));
        if (node === null || age === null) return [];
        return [{ ...node, seenAgoMs: (age.grantedSeconds - age.leftSeconds) * 1000 }];
      });
      seen.push(...(await Promise.all(some)).flat());
    }
    return seen;
  }

  #joinSoon(epoch: number): void {
    if (this.#hasLeft) return;
    this.#join(epoch).catch(() => {
      this.doubt();
    });
  }

  /** Registers, one attempt at a time: each would be another start. */
  #join(epoch: number): Promise<void> {
    this.#joining ??= this.#register(epoch)
      .catch((error: unknown) => {
        const mustEnd = this.#hasBegun && !this.#hasLeft && isTaken(error);
        if (mustEnd) this.#sole?.onTaken(error);
        throw error;
      })
      .finally(() => {
        this.#joining = null;
      });
    return this.#joining;
  }

  async #register(epoch: number): Promise<void> {
    const sole = this.#sole;
    if (sole === null) {
      await this.#registerOnce(epoch, null);
      return;
    }
    await joinAlone({
      join: async (alone) => {
        const reply = await this.#registerOnce(epoch, alone);
        this.#isContested = reply.type === 'taken';
        return reply;
      },
      ...{ sole, signPauseMs: SIGN_PAUSE_MS.etcd, hasBegun: this.#hasBegun },
      requestTimeoutMs: this.#requestTimeoutMs,
      ...{ node: this.#record.node, group: this.#group, now: this.#now },
    });
  }

  async #registerOnce(epoch: number, alone: Alone | null): Promise<JoinReply<null>> {
    const isFirst = this.#start === null;
    if (isFirst) await this.#lookFirst();
    const id = newLeaseId();
    await this.#ask((connection) => connection.grant(id, REGISTRATION_TTL_MS));
    const { node, run } = this.#record;
    const record = put(this.#keys.node(run), JSON.stringify(this.#record), id);
    const changes = [record, ...(isFirst ? [this.#events.note('joined', epoch)] : [])];
    const reply = await this.#change(
      changes,
      alone === null
        ? null
        : {
            ...{ node, run, lease: id, instead: alone.instead },
            holder: alone.instead ?? (isFirst ? null : run),
          },
    );
    if (reply.type === 'taken') {
      this.#ask((connection) => connection.revoke(id)).catch(() => undefined);
      return reply;
    }
    const { joined: header } = reply;
    const former = this.#id;
    this.#id = id;
    this.#signAt = this.#now() + SIGN_PAUSE_MS.etcd;
    const revision = Number(header.revision);
    // A store that counts from anew has forgotten what it had counted.
    if (this.#start === null || revision < this.#start) this.#start = revision;
    if (isFirst) this.#events.pruneSoon();
    else await this.#ask((connection) => connection.revoke(former));
    return { type: 'joined', joined: null };
  }

  async #change(
    changes: readonly etcd.IRequestOp[],
    who: Parameters<typeof joinUnderId>[1] | null,
  ): Promise<JoinReply<etcd.IResponseHeader>> {
    const [ask, keys] = [this.#ask, this.#keys];
    if (who !== null) return joinUnderId({ ask, keys }, who, changes);
    const { header } = await ask((connection) => connection.txn(all(...changes)));
    return { type: 'joined', joined: header };
  }
}
