// Sends writes on a follower to the leader: for the request listener of node:http, in front of a program's own.
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { HEARTBEAT_PATH } from '../peers/peer-message.ts';
import type { LeaderProvider } from './leader-provider.ts';
import { proxyRequest } from './proxy-request.ts';

export interface LeaderForwardingOptions {
  /** `redirect`: answer 307, and the client asks the leader itself. `proxy`: ask it, and hand its answer on. */
  readonly mode?: 'redirect' | 'proxy';
  /** How long a proxied request waits for the leader, ms; by default 30 s. */
  readonly proxyTimeoutMs?: number;
  /** Which requests only the leader may take; by default POST, PUT, PATCH and DELETE. */
  readonly isWrite?: (request: IncomingMessage) => boolean;
}

/** Through whom a proxied request has come. */
const HOPS_HEADER = 'x-failover-hops';

/**
 * A request listener: what is no write, and all that comes while this node leads, goes to `next`. A write on a
 * follower goes to the leader, and is answered with 503 while none is known. Heartbeats are never forwarded; one
 * that comes back here is answered with 508.
 */
export function leaderForwarding(
  provider: LeaderProvider,
  next: RequestListener,
  options: LeaderForwardingOptions = {},
): RequestListener {
  const { mode = 'redirect', proxyTimeoutMs = 30_000, isWrite = isWriting } = options;
  const self = randomBytes(8).toString('hex');
  return (request, response) => {
    if (provider.handleHeartbeat?.(request, response) === true) return;
    if (pathOf(request)?.split('?')[0] === HEARTBEAT_PATH || !isWrite(request)) {
      next(request, response);
      return;
    }
    if (provider.isLeader()) {
      next(request, response);
      return;
    }
    const path = pathOf(request);
    if (path === null) {
      refuse(response, 400, 'Cannot forward this request: its target is no path');
      return;
    }
    const target = provider.redirectTarget();
    if (target === null) {
      refuse(response, 503, 'Cannot take a write now: no leader is known');
      return;
    }
    const hops = hopsOf(request);
    if (hops.includes(self) || hops.length >= HOP_LIMIT) {
      refuse(response, 508, 'Cannot forward this request: it has come through here already');
      return;
    }
    if (mode === 'redirect') redirect(response, target + path);
    else {
      const headers = { [HOPS_HEADER]: [...hops, self].join(',') };
      proxyRequest(
        { request, response },
        { url: target + path, headers, timeoutMs: proxyTimeoutMs },
      );
    }
  };
}

/** More than the nodes that may disagree for a moment. */
const HOP_LIMIT = 3;

function isWriting({ method }: IncomingMessage): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH' || method === 'DELETE';
}

/** The path with its query, also of a request to a proxy, which names the host as well; null: there is none. */
function pathOf({ url = '' }: IncomingMessage): string | null {
  if (url.startsWith('/')) return url;
  if (!URL.canParse(url)) return null;
  const { pathname, search } = new URL(url);
  return pathname.startsWith('/') ? pathname + search : null;
}

function hopsOf(request: IncomingMessage): readonly string[] {
  const given = request.headers[HOPS_HEADER];
  return typeof given === 'string' && given !== '' ? given.split(',', HOP_LIMIT + 1) : [];
}

/** The address of the leader and the path are put together as text: the path can't name another host. */
function redirect(response: ServerResponse, location: string): void {
  response.writeHead(307, { location, 'content-length': 0, 'cache-control': 'no-store' });
  response.end();
}

function refuse(response: ServerResponse, status: 400 | 503 | 508, fact: string): void {
  const body = `${fact}\n`;
  response.writeHead(status, {
    'content-type': 'text/plain',
    'content-length': Buffer.byteLength(body),
    ...(status === 503 ? { 'retry-after': '1' } : {}),
  });
  response.end(body);
}
