// Asks one other process: JSON-RPC 2.0 over a DEALER socket, each request with an id and a time limit.
import { randomBytes } from 'node:crypto';
import { Dealer } from 'zeromq';
import { formatDuration } from '../config/duration.ts';
import { FailoverError } from '../errors.ts';
import { TIMER_LIMIT_MS } from '../runtime/clock.ts';
import { lackOfLinkDescriptors } from '../spare-descriptors.ts';
import { BODY_LIMIT_BYTES } from './checks.ts';
import type { AnswerRejection, Distrust } from './counters.ts';
import type { DialOptions } from './dialer.ts';
import { pathOfEndpoint } from './endpoints.ts';
import type { Ping } from './node-transport.ts';
import { ANSWER_LABEL, REQUEST_LABEL, encodeRequest, parseResponse } from './rpc-message.ts';
import type { ParsedResponse, RpcMethod, RpcParams } from './rpc-message.ts';
import {
  COMMON_OPTIONS,
  HIGH_WATER_MARK,
  NEVER_WAIT,
  RECONNECT_OPTIONS,
  keepConnected,
  readMessages,
  sendOrDrop,
} from './sockets.ts';
import type { ConnectionListener } from './sockets.ts';
import { Seal } from './seal.ts';

/** Requests to one process that may wait for an answer at once. */
export const PENDING_REQUEST_LIMIT = 2048;

export interface RpcCall {
  readonly method: RpcMethod;
  readonly params: RpcParams;
  /** From the call to the answer, the connection included; at most what one timer can wait counts. */
  readonly timeoutMs: number;
  /** Ends the wait early; what was asked may still happen. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * One request on a connection of its own, for the command line.
 * @returns the result, unchecked
 * @throws what the other node answered, FAILOVER_NODE_UNREACHABLE at once when nobody listens there or
 *   it goes away, FAILOVER_TIMED_OUT when it takes longer, the system's error when it has no descriptors
 */
export async function callOnce(endpoint: string, call: RpcCall): Promise<unknown> {
  const lack = lackOfLinkDescriptors(calling);
  if (lack !== null) throw lack;
  calling += 1;
  let client: RpcClient | null = null;
  try {
    client = new RpcClient(endpoint);
    return await client.call(call);
  } finally {
    calling -= 1;
    client?.close();
  }
}

/** That a call has taken all the time that it had: no other failure of a call is one of these. */
export class OutOfTime extends FailoverError {}

/** One ping that says nothing of this node. See {@link callOnce}. */
export function pingOnce(endpoint: string, { group, timeoutMs }: Ping): Promise<unknown> {
  return callOnce(endpoint, { method: 'instance.ping', params: { group }, timeoutMs });
}

/** How many calls are under way, each on a connection of its own. */
let calling = 0;

interface Pending {
  readonly body: string;
  sent: boolean;
  readonly settle: (outcome: { result: unknown } | { error: Error }) => void;
}

/** What a connection is made with, and who is told of it; all of it may be left out. */
export interface RpcClientOptions extends Partial<ConnectionListener> {
  /** Told of each answer that reaches nobody. */
  readonly onRejected?: (cause: AnswerRejection) => void;
  /** Told of each answer that is not believed. */
  readonly onDistrusted?: (cause: Distrust) => void;
  readonly seal?: Seal;
  /** Of a node that is reached over TCP; without them it is a socket of this machine. */
  readonly dial?: DialOptions;
}

/** A connection to the RPC socket of one process, made at once and again whenever it breaks. */
export class RpcClient {
  readonly #socket: Dealer;
  readonly #endpoint: string;
  readonly #pending = new Map<string, Pending>();
  readonly #onRejected: (cause: AnswerRejection) => void;
  readonly #onDistrusted: (cause: Distrust) => void;
  readonly #seal: Seal;
  /** Before the number of a request that is signed: so no answer to an earlier one is taken for its own. */
  readonly #idPrefix: string;
  #lastId = 0;
  #state: 'connecting' | 'connected' | 'lost' | 'closed' = 'connecting';

  /**
   * `onChange` is told of the connection before anything else reacts to it.
   *
   * @throws FAILOVER_NODE_UNREACHABLE when the address can't be one, or libzmq's error when no socket can
   *   be made
   */
  constructor(endpoint: string, options: RpcClientOptions = {}) {
    const { onChange, onRefused, onRejected, onDistrusted, dial } = options;
    if (dial === undefined && pathOfEndpoint(endpoint) === null) {
      throw new FailoverError('FAILOVER_NODE_UNREACHABLE', `Cannot connect to ${endpoint}`);
    }
    this.#endpoint = endpoint;
    this.#onRejected = onRejected ?? ignore;
    this.#onDistrusted = onDistrusted ?? ignore;
    this.#seal = options.seal ?? new Seal(null);
    this.#idPrefix = this.#seal.hasSecret ? `${randomBytes(12).toString('hex')}-` : '';
    this.#socket = new Dealer({
      ...dial,
      ...COMMON_OPTIONS,
      ...NEVER_WAIT,
      ...RECONNECT_OPTIONS,
      sendHighWaterMark: HIGH_WATER_MARK,
      receiveHighWaterMark: HIGH_WATER_MARK,
      // Nothing is kept for a peer that is not there: a request that waited through an outage would be
      // carried out long after its caller gave up.
      immediate: true,
    });
    try {
      keepConnected(this.#socket, endpoint, {
        onChange: (connected) => {
          if (this.#state === 'closed') return;
          onChange?.(connected);
          this.#connectionChanged(connected);
        },
        ...(onRefused === undefined ? {} : { onRefused }),
      });
    } catch (error) {
      // Left open it would keep the process from ending.
      this.#socket.close();
      throw error;
    }
    void readMessages(this.#socket, (frames) => {
      this.#receive(frames);
    });
  }

  /** See {@link callOnce}. A late answer is dropped. */
  call({ method, params, timeoutMs, signal }: RpcCall): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = `${this.#idPrefix}${String((this.#lastId += 1))}`;
      const body = encodeRequest({ id, method, params });
      const problem = this.#problemOf(body, signal);
      if (problem !== null) {
        reject(problem);
        return;
      }
      const timer = setTimeout(
        () => {
          this.#pending.get(id)?.settle({ error: this.#timedOut({ method, params, timeoutMs }) });
        },
        Math.min(timeoutMs, TIMER_LIMIT_MS),
      );
      const abort = (): void => {
        if (signal !== undefined) this.#pending.get(id)?.settle({ error: abortError(signal) });
      };
      const settle: Pending['settle'] = (outcome) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.#pending.delete(id);
        if ('result' in outcome) resolve(outcome.result);
        else reject(outcome.error);
      };
      signal?.addEventListener('abort', abort, { once: true });
      const pending: Pending = { body, sent: false, settle };
      this.#pending.set(id, pending);
      if (this.#state === 'connected') this.#send(pending);
    });
  }

  /** Closes the connection; calls under way fail with FAILOVER_NODE_UNREACHABLE. Idempotent. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#socket.close();
    this.#failAll('the connection was closed');
  }

  #connectionChanged(connected: boolean): void {
    // A reaction to the news may have closed this client.
    if (this.#state === 'closed') return;
    this.#state = connected ? 'connected' : 'lost';
    if (!connected) this.#failAll('nobody answers there');
    else for (const pending of [...this.#pending.values()]) this.#send(pending);
  }

  #send(pending: Pending): void {
    if (pending.sent) return;
    pending.sent = true;
    sendOrDrop(this.#socket, [this.#seal.sign(REQUEST_LABEL, pending.body)], () => {
      pending.settle({ error: this.#unreachable('it accepts no more requests') });
    });
  }

  #receive(frames: readonly Buffer[]): void {
    const [body] = frames;
    const isAlone = body !== undefined && frames.length === 1;
    const opened = this.#seal.open(ANSWER_LABEL, isAlone ? body : EMPTY);
    if ('distrusted' in opened) {
      this.#onDistrusted(opened.distrusted);
      return;
    }
    const response = isAlone ? parseResponse(opened.body) : REFUSED;
    const pending = response.type === 'refused' ? undefined : this.#pending.get(response.id);
    if (response.type === 'refused') this.#onRejected('malformed');
    else if (pending === undefined) this.#onRejected('unasked');
    else pending.settle(response);
  }

  #failAll(why: string): void {
    for (const pending of [...this.#pending.values()]) {
      pending.settle({ error: this.#unreachable(why) });
    }
  }

  #problemOf(body: string, signal: AbortSignal | undefined): Error | null {
    if (signal?.aborted === true) return abortError(signal);
    if (this.#state === 'lost' || this.#state === 'closed') {
      return this.#unreachable('the connection is lost');
    }
    if (this.#pending.size >= PENDING_REQUEST_LIMIT) {
      return this.#unreachable(`${this.#pending.size} requests are waiting for a response`);
    }
    const length = Buffer.byteLength(body);
    if (length <= BODY_LIMIT_BYTES) return null;
    return new FailoverError(
      'FAILOVER_WIRE_INVALID',
      `Cannot send the request: ${length} bytes, the limit is ${BODY_LIMIT_BYTES}`,
    );
  }

  #timedOut({ method, params, timeoutMs }: RpcCall): OutOfTime {
    const limit = formatDuration(timeoutMs);
    if (this.#state !== 'connected') {
      const why = `Cannot reach the node at ${this.#endpoint}: no connection in ${limit}`;
      return new OutOfTime('FAILOVER_NODE_UNREACHABLE', why);
    }
    const why = `No answer to ${method} from ${this.#endpoint} within ${limit}`;
    return new OutOfTime('FAILOVER_TIMED_OUT', why, { details: { group: params.group } });
  }

  #unreachable(why: string): FailoverError {
    return new FailoverError(
      'FAILOVER_NODE_UNREACHABLE',
      `Cannot reach the node at ${this.#endpoint}: ${why}`,
    );
  }
}

const EMPTY: Buffer = Buffer.alloc(0);

function ignore(): void {
  // Nobody has asked to be told.
}

const REFUSED: ParsedResponse = { type: 'refused' };

/** The caller's own reason to end the wait. */
function abortError({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error('The call was aborted', { cause: reason });
}
