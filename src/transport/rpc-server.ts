// Answers the requests that reach this process's one ROUTER socket, each by the group that it names.
import type { Router } from 'zeromq';
import type { ProbeReport } from '../runtime/ports.ts';
import type { StandbyInfo } from '../core/state.ts';
import { FailoverError } from '../errors.ts';
import { BODY_LIMIT_BYTES, readStandby } from './checks.ts';
import type { RequestRejection, Tally } from './counters.ts';
import { encodeError, encodeResult, parseRequest, rpcErrorOf } from './rpc-message.ts';
import type { RpcError, RpcMethod, RpcParams, RpcRequest } from './rpc-message.ts';
import { COMMON_OPTIONS, readMessages, sendOrDrop } from './sockets.ts';

/** Requests of one group that may be under way at once; one more is refused. */
export const CONCURRENT_REQUEST_LIMIT = 64;

/** What a group does with the requests that name it. */
export interface GroupRequests {
  /** A probe, with the standby that sent it; `null`: a client's. */
  ping(standby: StandbyInfo | null): ProbeReport;
  /** Any other method. A `FailoverError` that it throws reaches the client as such. */
  request(method: Exclude<RpcMethod, 'instance.ping'>, params: RpcParams): Promise<unknown>;
}

interface Served {
  readonly requests: GroupRequests;
  underWay: number;
}

/** Who gets the answer: the frames before a request's body. */
type ReplyTo = readonly Buffer[];

export class RpcServer {
  readonly #socket: Router;
  readonly #tally: Tally;
  readonly #groups = new Map<string, Served>();
  /** Settles when the socket is closed. */
  readonly ended: Promise<void>;

  constructor(socket: Router, tally: Tally) {
    this.#socket = socket;
    this.#tally = tally;
    this.ended = readMessages(socket, (frames) => {
      this.#handle(frames);
    });
  }

  serve(group: string, requests: GroupRequests): void {
    this.#groups.set(group, { requests, underWay: 0 });
  }

  forget(group: string): void {
    this.#groups.delete(group);
  }

  #handle(frames: readonly Buffer[]): void {
    this.#tally.requested();
    const replyTo = frames.slice(0, -1);
    const body = frames.at(-1);
    // DEALER sends the body alone; REQ an empty frame before it.
    if (body === undefined || replyTo.length < 1 || replyTo.length > 2) {
      this.#tally.requestRejected('malformed');
      return;
    }
    if (body.length > BODY_LIMIT_BYTES) {
      const message = `Invalid request: ${body.length} bytes, the limit is ${BODY_LIMIT_BYTES}`;
      this.#refuse(replyTo, { cause: 'oversized', id: null, error: { code: -32600, message } });
      return;
    }
    const parsed = parseRequest(body);
    if (parsed.type === 'refused') this.#refuse(replyTo, parsed);
    else this.#dispatch(replyTo, parsed.request);
  }

  #dispatch(replyTo: ReplyTo, { id, method, params }: RpcRequest): void {
    const group = this.#groups.get(params.group);
    if (group === undefined) {
      const error = new FailoverError(
        'FAILOVER_NO_NODE',
        `Cannot answer: this process has no node of group ${params.group}`,
        { details: { group: params.group } },
      );
      this.#refuse(replyTo, { cause: 'unknown-group', id, error: rpcErrorOf(error) });
    } else if (method === 'instance.ping') {
      this.#ping(replyTo, { id, group, standby: params['standby'] });
    } else if (group.underWay >= CONCURRENT_REQUEST_LIMIT) {
      const error = new FailoverError(
        'FAILOVER_REFUSED',
        `Cannot take the request: ${group.underWay} of group ${params.group} are under way`,
        { hint: 'Try again once they are answered.' },
      );
      this.#refuse(replyTo, { cause: 'too-many', id, error: rpcErrorOf(error) });
    } else {
      void this.#request(replyTo, { id, group, method, params });
    }
  }

  #ping(replyTo: ReplyTo, ping: { id: string; group: Served; standby: unknown }): void {
    const standby =
      ping.standby === undefined || ping.standby === null ? null : readStandby(ping.standby);
    if (standby === undefined) {
      const message = 'Invalid params of instance.ping: `standby` is none';
      this.#refuse(replyTo, { cause: 'bad-params', id: ping.id, error: { code: -32602, message } });
      return;
    }
    this.#reply(replyTo, encodeResult(ping.id, ping.group.requests.ping(standby)));
  }

  async #request(
    replyTo: ReplyTo,
    request: {
      id: string;
      group: Served;
      method: Exclude<RpcMethod, 'instance.ping'>;
      params: RpcParams;
    },
  ): Promise<void> {
    const { id, group, method, params } = request;
    group.underWay += 1;
    let answer: string;
    try {
      answer = checkedAnswer(encodeResult(id, await group.requests.request(method, params)));
    } catch (error) {
      answer = encodeError(id, rpcErrorOf(error));
    }
    group.underWay -= 1;
    this.#reply(replyTo, answer);
  }

  #refuse(
    replyTo: ReplyTo,
    refusal: { cause: RequestRejection; id: string | null; error: RpcError },
  ): void {
    this.#tally.requestRejected(refusal.cause);
    this.#reply(replyTo, encodeError(refusal.id, refusal.error));
  }

  #reply(replyTo: ReplyTo, answer: string): void {
    sendOrDrop(this.#socket, [...replyTo, answer], this.#tally.dropped);
  }
}

/** A longer answer would cost the connection that it is meant for. */
function checkedAnswer(answer: string): string {
  const length = Buffer.byteLength(answer);
  if (length <= COMMON_OPTIONS.maxMessageSize) return answer;
  throw new FailoverError(
    'FAILOVER_REFUSED',
    `Cannot answer: ${length} bytes, the limit is ${COMMON_OPTIONS.maxMessageSize}`,
    { hint: 'Ask for less at once.' },
  );
}
