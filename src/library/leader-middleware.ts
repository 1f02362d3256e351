// Sends writes on a follower to the leader: (request, response, next), for node:http, Express, Fastify and their like.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { BODY_WAS_READ, answerHeaders, failureText, forwardRequest } from './forward-request.ts';
import { HOPS_HEADER } from './hops.ts';
import { deciderOf, leaderTermsOf } from './leader-decision.ts';
import type { LeaderMiddlewareOptions } from './leader-decision.ts';
import type { LeaderProvider } from './leader-provider.ts';

/** Either calls `next`, or answers the request itself. */
export type LeaderMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: () => void,
) => void;

/**
 * What is no write, and all that comes while this node leads, goes to `next`. A write on a follower goes to the
 * leader, and is answered with 503 while none is known. Heartbeats are answered by the provider, and never
 * forwarded; a request that comes back here is answered with 508. Put it before what authenticates users or
 * reads bodies.
 *
 * @throws FAILOVER_BAD_OPTION
 */
export function leaderMiddleware(
  provider: LeaderProvider,
  options: LeaderMiddlewareOptions<IncomingMessage> = {},
): LeaderMiddleware {
  const { mode, proxyTimeoutMs, isWrite } = leaderTermsOf(options);
  const decide = deciderOf(provider, mode);
  return (request, response, next) => {
    if (provider.handleHeartbeat?.(request, response) === true) return;
    const { host = null } = request.headers;
    const hops = request.headers[HOPS_HEADER];
    const decision = decide({
      url: urlOf(request),
      isWrite: () => isWrite(request),
      host,
      hops: hops === undefined ? null : String(hops),
    });
    if (decision.kind === 'pass') next();
    else if (decision.kind === 'refuse') refuse(response, decision.status, decision.fact);
    else if (decision.kind === 'redirect') redirect(response, decision.location);
    else void proxy({ request, response }, { ...decision, timeoutMs: proxyTimeoutMs });
  };
}

/** A router that serves a part of the paths takes it away from `url`, and keeps the whole beside it. */
function urlOf(request: IncomingMessage): string {
  const { originalUrl, url = '' }: IncomingMessage & { readonly originalUrl?: unknown } = request;
  return typeof originalUrl === 'string' ? originalUrl : url;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function proxy(
  { request, response }: Exchange,
  order: { readonly url: string; readonly hops: string; readonly timeoutMs: number },
): Promise<void> {
  const { headers, method = 'GET', socket } = request;
  const hasBody =
    headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (hasBody && request.readableDidRead) {
    refuse(response, 500, BODY_WAS_READ);
    return;
  }
  const gone = new AbortController();
  // A client that goes away takes its request with it, and so does one that something else has answered.
  response.on('close', () => {
    gone.abort();
  });
  const answer = await forwardRequest({
    ...order,
    ...{ method, headers, body: hasBody ? request : null, signal: gone.signal },
    from: {
      host: headers.host ?? null,
      address: socket.remoteAddress ?? null,
      protocol: 'encrypted' in socket && socket.encrypted === true ? 'https' : 'http',
    },
  });
  if (typeof answer === 'number') {
    refuse(response, answer, failureText(answer));
    return;
  }
  if (isAnswered(response)) {
    answer.destroy();
    return;
  }
  response.writeHead(answer.statusCode ?? 502, answerHeaders(answer));
  pipeline(answer, response, () => {
    gone.abort();
  });
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(307, { location, 'content-length': 0, 'cache-control': 'no-store' });
  response.end();
}

function refuse(response: ServerResponse, status: number, fact: string): void {
  if (isAnswered(response)) return;
  const body = `${fact}\n`;
  response.writeHead(status, {
    'content-type': 'text/plain',
    'content-length': Buffer.byteLength(body),
    ...(status === 503 ? { 'retry-after': '1' } : {}),
  });
  response.end(body);
}

/** By something else, such as a time limit of the program, or for nobody any more. */
function isAnswered({ headersSent, destroyed }: ServerResponse): boolean {
  return headersSent || destroyed;
}
