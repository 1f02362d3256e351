// Hands one request on to the leader, once, and gives its answer.
import { request as httpRequest } from 'node:http';
import type {
  ClientRequest,
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { HOPS_HEADER } from './hops.ts';
import { limitSilence } from './limit-silence.ts';

export interface ForwardOrder {
  readonly url: string;
  readonly method: string;
  /** As they came. */
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable | null;
  /** What is told to the leader of where it came from, as far as it is known. */
  readonly from: {
    readonly host: string | null;
    readonly address: string | null;
    readonly protocol: 'http' | 'https';
  };
  readonly hops: string;
  /** How long the leader may be silent while it alone is waited for, ms. */
  readonly timeoutMs: number;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/**
 * Resolves with the leader's answer, whose body is still to be read; with 502 when it can't be reached or gives
 * no status from 200 to 599, and with 504 when it does not answer in time. Nothing is tried twice. Never rejects.
 */
export function forwardRequest(order: ForwardOrder): Promise<IncomingMessage | 502 | 504> {
  const { body, signal } = order;
  const sent = requestOf(order);
  if (sent === null) {
    body?.resume();
    return Promise.resolve(502);
  }
  return new Promise((resolve) => {
    let failure: 502 | 504 = 502;
    const end = (): void => {
      sent.destroy();
    };
    signal.addEventListener('abort', end);
    sent.on('response', (answer) => {
      const { statusCode = 0 } = answer;
      if (statusCode >= 200 && statusCode <= 599) resolve(answer);
      else sent.destroy();
    });
    sent.on('error', () => {
      resolve(failure);
    });
    sent.on('close', () => {
      signal.removeEventListener('abort', end);
      // The rest of a body that nobody takes is read all the same: a client that still sends sees no answer.
      body?.unpipe(sent).resume();
      resolve(failure);
    });
    body?.on('error', end);
    if (signal.aborted) sent.destroy();
    else if (body === null) sent.end();
    else body.pipe(sent);
    limitSilence({ sent, body }, order.timeoutMs, () => {
      failure = 504;
      sent.destroy();
    });
  });
}

/** Null: what came can be no request to another, such as a header that this parser took and is none. */
function requestOf(order: ForwardOrder): ClientRequest | null {
  try {
    const url = new URL(order.url);
    return (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method: order.method,
      headers: forwarded(order),
      // A connection that was kept may be closing, and a write must not be sent twice.
      agent: false,
    });
  } catch {
    return null;
  }
}

/** The headers of an answer, without those that are about the connection it came over. */
export function answerHeaders({ headers }: IncomingMessage): IncomingHttpHeaders {
  return withoutHops(headers);
}

/** With 500: the program has put something before the middleware that takes what is to be handed on. */
export const BODY_WAS_READ: string =
  'Cannot forward this request to the leader: its body was already read; ' +
  'put the middleware before anything that reads bodies';

export function failureText(status: 502 | 504): string {
  const what = status === 502 ? 'it cannot be reached' : 'it does not answer in time';
  return `Cannot forward this request to the leader: ${what}`;
}

/** What a proxy in front has said of the client stays; `host` is that of the leader. */
function forwarded({ headers: given, body, from, hops }: ForwardOrder): OutgoingHttpHeaders {
  const { host, ...headers } = withoutHops(given);
  const addresses = [given['x-forwarded-for'], from.address];
  const forwardedFor = addresses.filter((part) => part !== undefined && part !== null).join(', ');
  const forwardedHost = given['x-forwarded-host'] ?? from.host ?? host;
  // Where a method has no body as a rule, one without a length would be sent as if it were the next request. A client
  // may have called its length a matter of its connection.
  const isChunked = body !== null && headers['content-length'] === undefined;
  return {
    ...headers,
    ...(isChunked ? { 'transfer-encoding': 'chunked' } : {}),
    ...(forwardedFor === '' ? {} : { 'x-forwarded-for': forwardedFor }),
    ...(forwardedHost === undefined ? {} : { 'x-forwarded-host': forwardedHost }),
    'x-forwarded-proto': given['x-forwarded-proto'] ?? from.protocol,
    [HOPS_HEADER]: hops,
  };
}

/** Headers that are about one connection, and those that its `connection` header names. */
function withoutHops(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !HOP_HEADERS.has(name) && !named.includes(name)),
  );
}

/** Those that are about one connection, in lower case. */
export const HOP_HEADERS: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade', 'expect'],
]);
