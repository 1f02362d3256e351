// Answers the requests that reach this process's one ROUTER socket, each by the group that it names.
import type { Router } from 'zeromq';
import type { ProbeReport } from '../runtime/ports.ts';
import type { StandbyInfo } from '../core/state.ts';
import { FailoverError } from '../errors.ts';
import { BODY_LIMIT_BYTES, isCount, isName, readStandby } from './checks.ts';
import type { RequestRejection, Tally } from './counters.ts';
import {
  ANSWER_LABEL,
  REQUEST_LABEL,
  encodeError,
  encodeResult,
  parseRequest,
  rpcErrorOf,
} from './rpc-message.ts';
import type { RpcError, RpcMethod, RpcParams, RpcRequest } from './rpc-message.ts';
import { SEAL_BYTES } from './seal.ts';
import type { Seal } from './seal.ts';
import type { Reach } from './broadcast.ts';
import { COMMON_OPTIONS, readMessages, sendOrDrop } from './sockets.ts';
import { distrustText } from './troubles.ts';

/** Requests of one group that may be under way at once; one more is refused. */
export const CONCURRENT_REQUEST_LIMIT = 64;

/** What a group does with the requests that name it. */
export interface GroupRequests {
  /** What a signed request has to be meant for. */
  readonly run: string;
  /** Who may ask it. */
  readonly reach: Reach;
  /** A probe, with the standby that sent it; `null`: a client's. */
  ping(standby: StandbyInfo | null): ProbeReport;
  /** Any other method. A `FailoverError` that it throws reaches the client as such. */
  request(method: Exclude<RpcMethod, 'instance.ping'>, params: RpcParams): Promise<unknown>;
}

interface Served {
  readonly requests: GroupRequests;
  /** The number of the last signed request of each run that has sent one. */
  readonly lastSeq: Map<string, number>;
  underWay: number;
}

/** Who gets the answer: the frames before a request's body; signed if what was asked is. */
interface ReplyTo {
  readonly socket: Router;
  readonly frames: readonly Buffer[];
  readonly isSigned: boolean;
  /** Whether only this user can have asked. */
  readonly isPrivate: boolean;
}

/** Runs whose last number is remembered: each node that asks is one, also each that has ended. */
const REMEMBERED_RUNS = 4096;

export class RpcServer {
  readonly #tally: Tally;
  readonly #seal: Seal;
  readonly #groups = new Map<string, Served>();

  constructor(tally: Tally, seal: Seal) {
    this.#tally = tally;
    this.#seal = seal;
  }

  /**
   * Settles when the socket is closed.
   *
   * @param isPrivate whether only this user can connect: then requests need no signature, for the command
   *   line has no secret
   */
  listen(socket: Router, isPrivate: boolean): Promise<void> {
    return readMessages(socket, (frames) => {
      this.#handle(socket, frames, isPrivate);
    });
  }

  serve(group: string, requests: GroupRequests): void {
    this.#groups.set(group, { requests, lastSeq: new Map(), underWay: 0 });
  }

  forget(group: string): void {
    this.#groups.delete(group);
  }

  #handle(socket: Router, frames: readonly Buffer[], isPrivate: boolean): void {
    this.#tally.requested();
    const route = frames.slice(0, -1);
    const sealed = frames.at(-1);
    // DEALER sends the body alone; REQ an empty frame before it.
    if (sealed === undefined || route.length < 1 || route.length > 2) {
      this.#tally.requestRejected('malformed');
      return;
    }
    const opened = this.#seal.open(REQUEST_LABEL, sealed);
    const mayBeUnsigned = isPrivate && 'distrusted' in opened && opened.distrusted === 'unsigned';
    if ('distrusted' in opened && !mayBeUnsigned) {
      this.#tally.distrusted(opened.distrusted, distrustText(opened.distrusted));
      return;
    }
    const isSigned = 'body' in opened && opened.isSigned;
    const body = 'body' in opened ? opened.body : sealed;
    const replyTo: ReplyTo = { socket, frames: route, isSigned, isPrivate };
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
    const named = this.#groups.get(params.group);
    // Whoever may not ask a group is not told either that there is one.
    const group = replyTo.isPrivate || named?.requests.reach === 'machines' ? named : undefined;
    if (group === undefined) {
      const error = new FailoverError(
        'FAILOVER_NO_NODE',
        `Cannot answer: this process has no node of group ${params.group}`,
        { details: { group: params.group } },
      );
      this.#refuse(replyTo, { cause: 'unknown-group', id, error: rpcErrorOf(error) });
    } else if (replyTo.isSigned && isRepeated(group, params)) {
      // Whoever recorded it gets nothing that it has not heard.
      this.#tally.distrusted('repeated');
    } else if (method === 'instance.ping') {
      // One that was meant for an earlier run of this node tells of no standby of this one.
      const standby = isElsewhere(replyTo, group, params) ? null : params['standby'];
      this.#ping(replyTo, { id, group, standby });
    } else if (isElsewhere(replyTo, group, params)) {
      const message = 'Cannot carry out the request: it was meant for an earlier run of this node';
      this.#reply(
        replyTo,
        encodeError(id, rpcErrorOf(new FailoverError('FAILOVER_REFUSED', message))),
      );
    } else if (group.underWay >= CONCURRENT_REQUEST_LIMIT) {
      const error = new FailoverError(
        'FAILOVER_REFUSED',
        `Cannot accept the request: ${group.underWay} requests of group ${params.group} are in progress`,
        { hint: 'Retry once they have been answered.' },
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
    const { socket, frames, isSigned } = replyTo;
    const body = isSigned ? this.#seal.sign(ANSWER_LABEL, answer) : answer;
    sendOrDrop(socket, [...frames, body], this.#tally.dropped);
  }
}

/** Whether a signed request is one that was heard, or is older than one of its sender that was. */
function isRepeated({ lastSeq }: Served, { from, seq }: RpcParams): boolean {
  if (!isName(from) || !isCount(seq) || seq <= (lastSeq.get(from) ?? 0)) return true;
  lastSeq.delete(from);
  lastSeq.set(from, seq);
  const [oldest] = lastSeq.keys();
  if (oldest !== undefined && lastSeq.size > REMEMBERED_RUNS) lastSeq.delete(oldest);
  return false;
}

/** Whether a signed request was meant for another run: also one that was recorded before this one began. */
function isElsewhere({ isSigned }: ReplyTo, { requests }: Served, { to }: RpcParams): boolean {
  return isSigned && to !== requests.run;
}

/** A longer answer would cost the connection that it is meant for. */
function checkedAnswer(answer: string): string {
  const length = Buffer.byteLength(answer);
  if (length <= ANSWER_LIMIT_BYTES) return answer;
  throw new FailoverError(
    'FAILOVER_REFUSED',
    `Cannot answer: ${length} bytes, the limit is ${ANSWER_LIMIT_BYTES}`,
    { hint: 'Request less at once.' },
  );
}

const ANSWER_LIMIT_BYTES: number = COMMON_OPTIONS.maxMessageSize - SEAL_BYTES;
