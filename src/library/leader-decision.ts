// What becomes of a request at a node that may not be the leader: it knows no server, and does nothing.
import { randomBytes } from 'node:crypto';
import { checkedTime } from '../config/checked-number.ts';
import { FailoverError } from '../errors.ts';
import { HEARTBEAT_PATH } from '../peers/peer-message.ts';
import { hopsWith } from './hops.ts';
import type { LeaderProvider } from './leader-provider.ts';

export interface LeaderMiddlewareOptions<Incoming> {
  /** `redirect`: answer 307, and the client asks the leader itself. `proxy`: ask it, and hand its answer on. */
  readonly mode?: 'redirect' | 'proxy';
  /** How long a proxied request waits for the leader, ms; by default 30 s. */
  readonly proxyTimeoutMs?: number;
  /** Which requests only the leader may take; by default POST, PUT, PATCH and DELETE. */
  readonly isWrite?: (request: Incoming) => boolean;
}

/** The same, checked, with all that was left out. @throws FAILOVER_BAD_OPTION */
export function leaderTermsOf<Incoming extends { readonly method?: string | undefined }>(
  options: LeaderMiddlewareOptions<Incoming>,
): Required<LeaderMiddlewareOptions<Incoming>> {
  const { mode = 'redirect', proxyTimeoutMs = PROXY_TIMEOUT_MS, isWrite = isWriting } = options;
  requireMode(mode);
  return { mode, proxyTimeoutMs: checkedTime('proxyTimeoutMs', proxyTimeoutMs), isWrite };
}

const PROXY_TIMEOUT_MS = 30_000;

function requireMode(mode: string): void {
  if (mode === 'redirect' || mode === 'proxy') return;
  const message = `Cannot use mode: ${JSON.stringify(mode)} is none`;
  throw new FailoverError('FAILOVER_BAD_OPTION', message, {
    details: { option: 'mode', expected: '`redirect` or `proxy`' },
  });
}

export interface AskedRequest {
  /** Its path with the query, or the whole URL. */
  readonly url: string;
  readonly isWrite: () => boolean;
  readonly host: string | null;
  /** What the header of hops says. */
  readonly hops: string | null;
}

export type LeaderDecision =
  | { readonly kind: 'pass' }
  | { readonly kind: 'refuse'; readonly status: 400 | 503 | 508; readonly fact: string }
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'proxy'; readonly url: string; readonly hops: string };

/** Makes what decides for one node: it knows its own requests again. */
export function deciderOf(
  provider: LeaderProvider,
  mode: 'redirect' | 'proxy',
): (request: AskedRequest) => LeaderDecision {
  const self = randomBytes(8).toString('hex');
  return ({ url, isWrite, host, hops: given }) => {
    const path = pathOf(url);
    if (path?.split('?')[0] === HEARTBEAT_PATH || !isWrite() || provider.isLeader()) return PASS;
    if (path === null) {
      return refusal(400, 'Cannot forward this request: its target is not a path');
    }
    const target = provider.redirectTarget();
    // It would come straight back here, where nobody leads: perhaps not yet, or no more.
    const isHere = mode === 'redirect' && target !== null && new URL(target).host === host;
    if (target === null || isHere) {
      return refusal(503, 'Cannot accept writes now: no leader is known');
    }
    const hops = hopsWith(self, given);
    if (hops === null) {
      return refusal(508, 'Cannot forward this request: it has already passed through here');
    }
    // Put together as text: the path can't name another host.
    if (mode === 'redirect') return { kind: 'redirect', location: target + path };
    return { kind: 'proxy', url: target + path, hops };
  };
}

function isWriting({ method }: { readonly method?: string | undefined }): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH' || method === 'DELETE';
}

const PASS: LeaderDecision = { kind: 'pass' };

/** The path with its query, also of a request to a proxy, which names the host as well; null: there is none. */
export function pathOf(url: string): string | null {
  if (url.startsWith('/')) return url;
  if (!URL.canParse(url)) return null;
  const { pathname, search } = new URL(url);
  return pathname.startsWith('/') ? pathname + search : null;
}

function refusal(status: 400 | 503 | 508, fact: string): LeaderDecision {
  return { kind: 'refuse', status, fact };
}
