// Hands one request on to another server, and its answer back.
import { request as httpRequest } from 'node:http';
import type {
  ClientRequest,
  IncomingHttpHeaders,
  IncomingMessage,
  ServerResponse,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream';

export interface ProxyOrder {
  readonly url: string;
  /** Beside those of the request. */
  readonly headers: Readonly<Record<string, string>>;
  /** How long the other may be silent, ms. */
  readonly timeoutMs: number;
}

/** Answers 502 when the other can't be reached, and 504 when it does not answer in time; nothing is tried twice. */
export function proxyRequest(
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  order: ProxyOrder,
): void {
  const url = new URL(order.url);
  const sent = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
    method: request.method,
    headers: { ...forwarded(request), ...order.headers },
    // A connection that was kept may be closing, and a write must not be sent twice.
    agent: false,
  });
  let hasTimedOut = false;
  sent.setTimeout(order.timeoutMs, () => {
    hasTimedOut = true;
    sent.destroy();
  });
  sent.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, withoutHops(answer.headers));
    pipeline(answer, response, () => {
      sent.destroy();
    });
  });
  sent.on('error', () => {
    fail(response, hasTimedOut ? 504 : 502);
  });
  endTogether(response, sent);
  pipeline(request, sent, () => {
    // Its errors are those of `sent`.
  });
}

/** Whom it is from is told to the leader; `host` is that of the leader. */
function forwarded(request: IncomingMessage): IncomingHttpHeaders {
  const { host, ...headers } = withoutHops(request.headers);
  const from = [request.headers['x-forwarded-for'], request.socket.remoteAddress];
  // Where a method has no body as a rule, one without a length would be sent as if it were the next request.
  const isChunked = request.headers['transfer-encoding'] !== undefined;
  return {
    ...headers,
    ...(isChunked ? { 'transfer-encoding': 'chunked' } : {}),
    'x-forwarded-for': from.filter((part) => part !== undefined).join(', '),
    ...(host === undefined ? {} : { 'x-forwarded-host': host }),
  };
}

/** Headers that are about one connection, and those that its `connection` header names. */
function withoutHops(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !HOP_HEADERS.has(name) && !named.includes(name)),
  );
}

const HOP_HEADERS: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade', 'expect'],
]);

/** A client that goes away takes its request with it. */
function endTogether(response: ServerResponse, sent: ClientRequest): void {
  response.on('close', () => {
    if (!response.writableEnded) sent.destroy();
  });
}

function fail(response: ServerResponse, status: 502 | 504): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const what = status === 502 ? 'it can not be reached' : 'it does not answer in time';
  const body = `Cannot hand this request on to the leader: ${what}\n`;
  response.writeHead(status, {
    'content-type': 'text/plain',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
