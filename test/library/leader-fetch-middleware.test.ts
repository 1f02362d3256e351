// The same for programs whose handlers get a Request and give a Response.
import { describe, expect, it } from 'vitest';
import type { LeaderMiddlewareOptions } from '../../src/library/leader-decision.ts';
import { leaderFetchMiddleware } from '../../src/library/leader-fetch-middleware.ts';
import type { LeaderProvider } from '../../src/library/leader-provider.ts';
import { until } from '../support/until.ts';
import { echo, serve } from './support/http-servers.ts';

const FOLLOWER = 'https://follower.example:8443';

describe('a handler behind it', () => {
  it('gets what is no write, heartbeats, and all while it leads', async () => {
    expect(await (await ask({ method: 'GET' }, 'http://leader:1')).text()).toBe('own');
    const heartbeat = await ask({ path: '/_ha/heartbeat' }, 'http://leader:1');
    expect(await heartbeat.text()).toBe('own');
    const leads = leaderFetchMiddleware({ isLeader: () => true, redirectTarget: () => null });
    const answer = await leads(new Request(FOLLOWER, { method: 'POST' }), own);
    expect(await answer.text()).toBe('own');
  });
});

describe('a write on a follower', () => {
  it('is answered with 307 to the leader, or with 503 while there is none', async () => {
    const answer = await ask({ path: '/a?b' }, 'http://leader:1/base');
    expect([answer.status, answer.headers.get('location')]).toEqual([
      307,
      'http://leader:1/base/a?b',
    ]);
    const none = await ask({}, null);
    expect([none.status, none.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await ask({}, FOLLOWER)).status).toBe(503);
  });

  it('is handed on, and its answer back', async () => {
    const leader = await serve((request, response) => {
      expect(request.headers['x-forwarded-host']).toBe('follower.example:8443');
      expect(request.headers['x-forwarded-proto']).toBe('https');
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response.statusCode = 201;
      echo('leader')(request, response);
    });
    const body = new Blob(['many ', 'words']).stream();
    const answer = await ask({ path: '/a?b', method: 'DELETE', body }, leader.url, PROXY);
    expect([answer.status, await answer.text()]).toEqual([201, 'leader DELETE /a?b many words']);
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  it('is handed on also where the answer has no body', async () => {
    const leader = await serve((_, response) => {
      response.writeHead(204).end();
    });
    const answer = await ask({ body: 'x' }, leader.url, PROXY);
    expect([answer.status, answer.body]).toEqual([204, null]);
  });

  it('that comes back is answered with 508', async () => {
    const middleware = leaderFetchMiddleware(provider('http://leader:1'), PROXY);
    const headers = { 'x-failover-hops': 'a,b,c' };
    const answer = await middleware(new Request(FOLLOWER, { method: 'POST', headers }), own);
    expect(answer.status).toBe(508);
  });

  it('is answered with 502, 504 or 500 when it can not be handed on', async () => {
    const gone = await serve();
    await gone.close();
    expect((await ask({ body: 'x' }, gone.url, PROXY)).status).toBe(502);
    const silent = await serve(() => undefined);
    const waiting = { ...PROXY, proxyTimeoutMs: 50 };
    expect((await ask({ body: 'x' }, silent.url, waiting)).status).toBe(504);
    const read = new Request(FOLLOWER, { method: 'POST', body: 'x' });
    await read.text();
    const middleware = leaderFetchMiddleware(provider(silent.url), PROXY);
    expect((await middleware(read, own)).status).toBe(500);
  });

  it('ends with its client', async () => {
    let hasEnded = false;
    const client = new AbortController();
    const leader = await serve((request) => {
      request.socket.on('close', () => {
        hasEnded = true;
      });
      client.abort();
    });
    const answer = await ask({ signal: client.signal }, leader.url, PROXY);
    expect(answer.status).toBe(502);
    await until('the leader to be left alone', () => hasEnded);
  });
});

const PROXY = { mode: 'proxy' } as const;

function ask(
  { path = '/', method = 'POST', ...init }: RequestInit & { readonly path?: string },
  target: string | null,
  options?: LeaderMiddlewareOptions<Request>,
): Promise<Response> {
  const request = new Request(FOLLOWER + path, { method, duplex: 'half', ...init });
  return leaderFetchMiddleware(provider(target), options)(request, own);
}

function own(): Response {
  return new Response('own');
}

function provider(target: string | null): LeaderProvider {
  return { isLeader: () => false, redirectTarget: () => target };
}
