// One connection to one member of etcd: what is asked in it, each once, and a watch that tells of changes.
import type * as etcd from 'etcd3';
import type { StoreConnection } from '../store-link.ts';
import { EtcdFailure, isUnknownLease } from './etcd-errors.ts';

/** What a connection tells of: all keys from one up to another. */
export interface Watching {
  readonly key: Buffer;
  readonly rangeEnd: Buffer;
  readonly onEvents: (events: readonly etcd.IEvent[]) => void;
}

/** A lease of etcd, in the whole seconds in which it counts. */
export interface LeaseAge {
  readonly grantedSeconds: number;
  readonly leftSeconds: number;
}

/** What a member says of a lease of etcd that was kept, and of all that is stored. */
export interface KeptAlive {
  /** How long it lasts from here on; 0: it has ended. */
  readonly ttlMs: number;
  readonly cluster: string;
  /** How often anything had been changed in the store by then. */
  readonly revision: number;
}

/** Another lease of etcd that is kept in the call for one. */
export interface Along {
  readonly id: string;
  /** How long it lasts from here on, ms; 0: it has ended; null: no answer has come. */
  readonly onAnswer: (ttlMs: number | null) => void;
}

export class EtcdConnection implements StoreConnection {
  readonly #client: etcd.Etcd3;
  readonly #user: { readonly name: string; readonly password: string } | null;
  readonly #watching: Watching;
  readonly #calls = new Set<Call>();
  readonly #listeners: ((error: unknown) => void)[] = [];
  readonly #options: CallOptions;
  #token: string | null = null;
  #isDestroyed = false;

  constructor(
    client: etcd.Etcd3,
    user: { readonly name: string; readonly password: string } | null,
    watching: Watching,
  ) {
    this.#client = client;
    this.#user = user;
    this.#watching = watching;
    const accompany = (options: object, next: (options: object) => Call): Call =>
      this.#accompanied(next(options));
    // Whoever takes a call asks for no more than that; the declaration names a class.
    this.#options = { interceptors: [accompany as Interceptor] };
  }

  async connect(onChange: () => void): Promise<void> {
    if (this.#user !== null) {
      const { token } = await this.#once(this.#client.auth.authenticate(this.#user, this.#options));
      this.#token = token;
    }
    const stream = await this.#once(this.#client.watchClient.watch(this.#options));
    await new Promise<void>((resolve, reject) => {
      const fail = (error: unknown): void => {
        const failure = new EtcdFailure(error);
        reject(failure);
        this.#ended(failure);
      };
      stream.on('error', fail);
      stream.on('end', () => {
        fail('the watch has ended');
      });
      stream.on('data', ({ created, canceled, cancel_reason: reason, events }) => {
        if (canceled) {
          fail(reason);
          return;
        }
        if (created) resolve();
        if (events.length === 0) return;
        this.#watching.onEvents(events);
        onChange();
      });
      const { key, rangeEnd } = this.#watching;
      stream.write({ create_request: { key, range_end: rangeEnd } });
    });
  }

  range(request: etcd.IRangeRequest): Promise<etcd.IRangeResponse> {
    return this.#once(this.#client.kv.range(request, this.#options));
  }

  txn(request: etcd.ITxnRequest): Promise<etcd.ITxnResponse> {
    return this.#once(this.#client.kv.txn(request, this.#options));
  }

  /** How long it lasts, ms: the server may give another time than it is asked for. */
  async grant(id: string, ttlMs: number): Promise<number> {
    const seconds = Math.ceil(ttlMs / 1000);
    const grant = this.#client.leaseClient.leaseGrant({ ID: id, TTL: seconds }, this.#options);
    return Number((await this.#once(grant)).TTL) * 1000;
  }

  /** Keeps a lease of etcd, and in the same call perhaps another, whose answer is not waited for. */
  async keepAlive(id: string, along: Along | null = null): Promise<KeptAlive> {
    const stream = await this.#once(this.#client.leaseClient.leaseKeepAlive(this.#options));
    let awaited = along === null ? 1 : 2;
    // A stream for each: in one for all, an answer that is late would be taken for that of the next.
    return new Promise((resolve, reject) => {
      stream.on('data', ({ ID: of, TTL: seconds, header }) => {
        const ttlMs = Math.max(0, Number(seconds)) * 1000;
        if (of === along?.id) along.onAnswer(ttlMs);
        else resolve({ ttlMs, cluster: header.cluster_id, revision: Number(header.revision) });
        awaited -= 1;
        if (awaited === 0) stream.end();
      });
      const fail = (failure: EtcdFailure): void => {
        reject(failure);
        if (awaited > 0) along?.onAnswer(null);
      };
      stream.on('error', (error) => {
        fail(this.#failed(error));
      });
      stream.on('end', () => {
        fail(new EtcdFailure('the server has ended the stream'));
      });
      stream.write({ ID: id });
      if (along !== null) stream.write({ ID: along.id });
    });
  }

  /** What the member says of itself. */
  status(): Promise<etcd.IStatusResponse> {
    return this.#once(this.#client.maintenance.status(this.#options));
  }

  /** The age of a lease of etcd; null: there is no such lease. */
  async ageOf(id: string): Promise<LeaseAge | null> {
    const answer = await this.#once(
      this.#client.leaseClient.leaseTimeToLive({ ID: id }, this.#options),
    );
    const [grantedSeconds, leftSeconds] = [Number(answer.grantedTTL), Number(answer.TTL)];
    return leftSeconds < 0 ? null : { grantedSeconds, leftSeconds };
  }

  /** Ends a lease with all that hangs on it, also one that has ended. */
  async revoke(id: string): Promise<void> {
    try {
      await this.#once(this.#client.leaseClient.leaseRevoke({ ID: id }, this.#options));
    } catch (error) {
      if (!isUnknownLease(error)) throw error;
    }
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    // A socket is closed when nothing is under way in it any more.
    for (const call of this.#calls) call.cancelWithStatus(CANCELLED, 'the connection was closed');
    this.#calls.clear();
    this.#client.close();
  }

  onEnd(listener: (error: unknown) => void): void {
    this.#listeners.push(listener);
  }

  async #once<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #failed(error: unknown): EtcdFailure {
    const failure = new EtcdFailure(error);
    if (failure.endsConnection) this.#ended(failure);
    return failure;
  }

  #ended(failure: EtcdFailure): void {
    for (const listener of this.#listeners) listener(failure);
  }

  /** With the token, and with the wish to be told where a member has lost its leader; known until it has ended. */
  #accompanied(call: Call): Call {
    const start = call.start.bind(call);
    this.#calls.add(call);
    call.start = (metadata, listener) => {
      metadata.set('hasleader', 'true');
      if (this.#token !== null) metadata.set('token', this.#token);
      const onReceiveStatus: NonNullable<Listener['onReceiveStatus']> = (status) => {
        this.#calls.delete(call);
        listener?.onReceiveStatus?.(status);
      };
      start(metadata, { ...listener, onReceiveStatus });
    };
    return call;
  }
}

/** A number of gRPC: the names are loaded with the client only. */
const CANCELLED = 1 as unknown as Parameters<Call['cancelWithStatus']>[0];

/** The client exports no names for these. */
type CallOptions = NonNullable<Parameters<etcd.KVClient['txn']>[1]>;
type Interceptor = NonNullable<CallOptions['interceptors']>[number];
type Call = ReturnType<Parameters<Interceptor>[1]>;
type Listener = NonNullable<Parameters<Call['start']>[1]>;
