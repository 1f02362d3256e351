// Writes on a follower go to the leader, once, and never in a circle.
import { describe, expect, it } from 'vitest';
import { leaderForwarding } from '../../src/library/leader-forwarding.ts';
import type { LeaderForwardingOptions } from '../../src/library/leader-forwarding.ts';
import type { LeaderProvider } from '../../src/library/leader-provider.ts';
import { until } from '../support/until.ts';
import { send, serve } from './support/http-servers.ts';
import type { HttpServer } from './support/http-servers.ts';
import { peersOf } from './support/peers.ts';

describe('a follower that redirects', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    'answers a %s with 307 to the leader',
    async (method) => {
      const { url } = await follower('http://leader:1/base');
      const answer = await send(`${url}/a/b?c=d`, { method, body: 'x' });
      expect(answer.status).toBe(307);
      expect(answer.headers.location).toBe('http://leader:1/base/a/b?c=d');
    },
  );

  it.each(['GET', 'HEAD', 'OPTIONS'])('takes a %s itself', async (method) => {
    const { url } = await follower('http://leader:1');
    expect((await send(url, { method })).status).toBe(200);
  });

  it.each([
    ['//evil.example/x', 'http://leader:1//evil.example/x'],
    ['http://evil.example/x?y', 'http://leader:1/x?y'],
    ['/\\evil.example', 'http://leader:1/\\evil.example'],
  ])('leads to the leader also with the path %s', async (path, location) => {
    const { url } = await follower('http://leader:1');
    const answer = await send(url, { method: 'POST', path });
    expect([answer.status, answer.headers.location]).toEqual([307, location]);
  });

  it('refuses a write to what is no path', async () => {
    const { url } = await follower('http://leader:1');
    expect((await send(url, { method: 'POST', path: '*' })).status).toBe(400);
  });
});

describe('any node', () => {
  it('answers a write with 503 while no leader is known, and says when to come again', async () => {
    const { url } = await follower(null);
    const answer = await send(url, { method: 'POST' });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    expect((await send(url)).status).toBe(200);
  });

  it('takes a write itself while it leads', async () => {
    const server = await serve(leaderForwarding(provider('http://x', true), echo('leader')));
    expect((await send(server.url, { method: 'POST', body: 'x' })).body).toBe('leader POST / x');
  });

  it('forwards no heartbeat, also of a provider that takes none', async () => {
    const { url } = await follower('http://leader:1');
    const answer = await send(`${url}/_ha/heartbeat`, { method: 'POST', body: 'x' });
    expect(answer.body).toBe('follower POST /_ha/heartbeat x');
  });

  it('asks for what the program calls a write', async () => {
    const { url } = await follower('http://leader:1', {
      isWrite: ({ url: path }) => path === '/w',
    });
    expect((await send(`${url}/w`)).status).toBe(307);
    expect((await send(`${url}/r`, { method: 'POST' })).status).toBe(200);
  });
});

describe('a follower that proxies', () => {
  it('hands the request and its answer on', async () => {
    const leader = await serve((request, response) => {
      expect(request.headers['x-forwarded-for']).toBe('127.0.0.1');
      expect(request.headers['x-forwarded-host']).toBe(new URL(url).host);
      expect(request.headers['x-own']).toBeUndefined();
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response.statusCode = 201;
      echo('leader')(request, response);
    });
    const { url } = await follower(leader.url, { mode: 'proxy' });
    const headers = { connection: 'x-own', 'x-own': '1' };
    const answer = await send(`${url}/a?b`, { method: 'PUT', body: 'words', headers });
    expect([answer.status, answer.body]).toEqual([201, 'leader PUT /a?b words']);
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
  });

  it('keeps a body without a length in its bounds, also where a method has none as a rule', async () => {
    const paths: (string | undefined)[] = [];
    const leader = await serve((request, response) => {
      paths.push(request.url);
      echo('leader')(request, response);
    });
    const { url } = await follower(leader.url, { mode: 'proxy' });
    const body = 'POST /smuggled HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n';
    const headers = { 'transfer-encoding': 'chunked' };
    const answer = await send(`${url}/a`, { method: 'DELETE', body, headers });
    expect(answer.body).toBe(`leader DELETE /a ${body}`);
    expect(paths).toEqual(['/a']);
  });

  it('answers with 502 when the leader can not be reached, and with 504 when it is silent', async () => {
    const gone = await serve();
    await gone.close();
    const { url } = await follower(gone.url, { mode: 'proxy' });
    expect((await send(url, { method: 'POST' })).status).toBe(502);
    const silent = await serve(() => undefined);
    const waiting = await follower(silent.url, { mode: 'proxy', proxyTimeoutMs: 50 });
    expect((await send(waiting.url, { method: 'POST' })).status).toBe(504);
  });

  it('notices a write that comes back to it, and one that goes round among others', async () => {
    const one = await serve();
    const two = await follower(one.url, { mode: 'proxy' });
    one.listener = leaderForwarding(provider(two.url), echo('one'), { mode: 'proxy' });
    const circle = await send(one.url, { method: 'POST' });
    expect(circle.status).toBe(508);
    const itself = await serve();
    itself.listener = leaderForwarding(provider(itself.url), echo('it'), { mode: 'proxy' });
    expect((await send(itself.url, { method: 'POST' })).status).toBe(508);
    const headers = { 'x-failover-hops': 'a,b,c' };
    expect((await send(two.url, { method: 'POST', headers })).status).toBe(508);
  });

  it('sends a write on once more where the leader has just changed', async () => {
    const leader = await serve(leaderForwarding(provider('http://x', true), echo('leader')));
    const former = await follower(leader.url, { mode: 'proxy' });
    const { url } = await follower(former.url, { mode: 'proxy' });
    expect((await send(url, { method: 'POST', body: 'x' })).body).toBe('leader POST / x');
  });
});

describe('in front of an election', () => {
  it('takes heartbeats, and writes arrive at whoever leads', async () => {
    const peers = await peersOf(['zzz', 'aaa'], { intervalMs: 100 });
    for (const { election, server } of peers) {
      const next = echo(election.nodeId);
      server.listener = leaderForwarding(election, next, { mode: 'proxy' });
      void election.start();
    }
    const [zzz, aaa] = peers;
    if (zzz === undefined || aaa === undefined) throw new Error('two');
    const answered = async (by: string): Promise<void> => {
      let answer = '';
      // Like a client that comes again: nobody leads for a moment.
      while (!answer.startsWith(by)) {
        await until(`${by} to lead`, () => zzz.election.status().leader === by);
        answer = (await send(zzz.server.url, { method: 'POST', body: 'x' })).body;
      }
      expect(answer).toBe(`${by} POST / x`);
    };
    await answered('aaa');
    await aaa.election.close();
    await answered('zzz');
  });
});

function follower(
  target: string | null,
  options: LeaderForwardingOptions = {},
): Promise<HttpServer> {
  return serve(leaderForwarding(provider(target), echo('follower'), options));
}

function provider(target: string | null, leads = false): LeaderProvider {
  return { isLeader: () => leads, redirectTarget: () => target };
}

/** Answers with who it is and what it was asked. */
function echo(name: string): HttpServer['listener'] {
  return (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      response.end([name, request.method, request.url, body].join(' '));
    });
  };
}
