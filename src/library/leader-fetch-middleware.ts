// Sends writes on a follower to the leader: (request, next) with the Request and Response of fetch, as Hono has them.
import { Readable } from 'node:stream';
import { BODY_WAS_READ, answerHeaders, failureText, forwardRequest } from './forward-request.ts';
import { HOPS_HEADER } from './hops.ts';
import { deciderOf, leaderTermsOf } from './leader-decision.ts';
import type { LeaderMiddlewareOptions } from './leader-decision.ts';
import type { LeaderProvider } from './leader-provider.ts';

/** Gives the answer of `next`, or one of its own. */
export type LeaderFetchMiddleware = (
  request: Request,
  next: () => Response | Promise<Response>,
) => Promise<Response>;

/**
 * As `leaderMiddleware`, with two things that a `Request` does not let it do: heartbeats go to `next`, and the
 * leader is not told the address of the client.
 *
 * @throws FAILOVER_BAD_OPTION
 */
export function leaderFetchMiddleware(
  provider: LeaderProvider,
  options: LeaderMiddlewareOptions<Request> = {},
): LeaderFetchMiddleware {
  const { mode, proxyTimeoutMs, isWrite } = leaderTermsOf(options);
  const decide = deciderOf(provider, mode);
  return async (request, next) => {
    const decision = decide({
      url: request.url,
      isWrite: () => isWrite(request),
      host: new URL(request.url).host,
      hops: request.headers.get(HOPS_HEADER),
    });
    if (decision.kind === 'pass') return next();
    if (decision.kind === 'refuse') return refusal(decision.status, decision.fact);
    if (decision.kind === 'redirect') {
      const { location } = decision;
      return new Response(null, {
        status: 307,
        headers: { location, 'cache-control': 'no-store' },
      });
    }
    return proxied(request, { ...decision, timeoutMs: proxyTimeoutMs });
  };
}

async function proxied(
  request: Request,
  order: { readonly url: string; readonly hops: string; readonly timeoutMs: number },
): Promise<Response> {
  const { method, body, signal } = request;
  if (request.bodyUsed || body?.locked === true) return refusal(500, BODY_WAS_READ);
  const { host, protocol } = new URL(request.url);
  const answer = await forwardRequest({
    ...order,
    ...{ method, headers: Object.fromEntries(request.headers), signal },
    body: body === null ? null : Readable.fromWeb(body),
    from: { host, address: null, protocol: protocol === 'https:' ? 'https' : 'http' },
  });
  if (typeof answer === 'number') return refusal(answer, failureText(answer));
  const { statusCode: status = 502 } = answer;
  const headers = new Headers();
  for (const [name, value] of Object.entries(answerHeaders(answer))) {
    for (const one of [value ?? []].flat()) headers.append(name, one);
  }
  const hasNone = method === 'HEAD' || status === 204 || status === 205 || status === 304;
  if (hasNone) answer.resume();
  return new Response(hasNone ? null : Readable.toWeb(answer), { status, headers });
}

function refusal(status: number, fact: string): Response {
  const headers = { 'content-type': 'text/plain', ...(status === 503 ? RETRY : {}) };
  return new Response(`${fact}\n`, { status, headers });
}

const RETRY = { 'retry-after': '1' };
