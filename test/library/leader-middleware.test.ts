// Writes on a follower go to the leader, once, and never in a circle.
import { Agent, request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { leaderMiddleware } from '../../src/library/leader-middleware.ts';
import type { LeaderMiddlewareOptions } from '../../src/library/leader-decision.ts';
import type { LeaderProvider } from '../../src/library/leader-provider.ts';
import { until } from '../support/until.ts';
import { echo, send, serve } from './support/http-servers.ts';
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

  it('leads to the whole path where a router has cut it', async () => {
    const listener = before(provider('http://leader:1'), echo('follower'));
    const server = await serve((request, response) => {
      Object.assign(request, { originalUrl: request.url, url: '/rest' });
      listener(request, response);
    });
    const answer = await send(`${server.url}/mounted/rest?x`, { method: 'POST' });
    expect(answer.headers.location).toBe('http://leader:1/mounted/rest?x');
  });

  it('sends nobody back to itself', async () => {
    const server = await serve();
    server.listener = before(provider(server.url), echo('follower'));
    const answer = await send(server.url, { method: 'POST' });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
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
    const server = await serve(before(provider('http://x', true), echo('leader')));
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
      expect(request.headers['x-forwarded-proto']).toBe('http');
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

  it('keeps what a proxy in front has said of the client', async () => {
    const leader = await serve((request, response) => {
      const { headers } = request;
      const names = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'];
      response.end(names.map((name) => String(headers[name])).join(' | '));
    });
    const { url } = await follower(leader.url, { mode: 'proxy' });
    const headers = {
      'x-forwarded-for': '10.0.0.9',
      'x-forwarded-host': 'shop.example',
      'x-forwarded-proto': 'https',
    };
    const { body } = await send(url, { method: 'POST', headers });
    expect(body).toBe('10.0.0.9, 127.0.0.1 | shop.example | https');
  });

  it('lets who is still sending end in order when the leader can not be reached', async () => {
    const gone = await serve();
    await gone.close();
    const { url } = await follower(gone.url, { mode: 'proxy' });
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => {
      agent.destroy();
    });
    const sent = request(url, { method: 'POST', agent });
    const errors: Error[] = [];
    sent.on('error', (error) => errors.push(error)).end(Buffer.alloc(8_000_000));
    const status = await new Promise((resolve) => {
      sent.on('response', (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
    });
    await until('all to be sent', () => sent.closed);
    expect([status, errors, sent.writableFinished]).toEqual([502, [], true]);
  });

  it('hands on no answer that the leader did not finish', async () => {
    const leader = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half', () => response.destroy());
    });
    const { url } = await follower(leader.url, { mode: 'proxy' });
    const answer = await fetch(url, { method: 'POST' });
    await expect(answer.text()).rejects.toThrow();
  });

  it('does not go on with a request whose client has gone', async () => {
    let ended = false;
    let came: () => void = () => undefined;
    const hasCome = new Promise<void>((resolve) => (came = resolve));
    const leader = await serve((request) => {
      request.socket.on('close', () => (ended = true));
      came();
    });
    const { url } = await follower(leader.url, { mode: 'proxy' });
    const sent = clientOf(url);
    await hasCome;
    sent.destroy();
    await until('the leader to be left alone', () => ended);
  });

  it('refuses what it can not hand on, as its body was read before', async () => {
    const leader = await serve(echo('leader'));
    const listener = before(provider(leader.url), echo('follower'), { mode: 'proxy' });
    const server = await serve((request, response) => {
      request
        .on('data', () => undefined)
        .on('end', () => {
          listener(request, response);
        });
    });
    const answer = await send(server.url, { method: 'POST', body: 'x' });
    expect([answer.status, answer.body]).toEqual([
      500,
      expect.stringContaining('was already read'),
    ]);
    expect((await send(server.url, { method: 'DELETE' })).body).toBe('leader DELETE / ');
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

  it('answers with 502 when the leader gives a status that is none', async () => {
    const leader = await serve(({ socket }) => {
      socket.end('HTTP/1.1 099 odd\r\ncontent-length: 0\r\n\r\n');
    });
    const { url } = await follower(leader.url, { mode: 'proxy' });
    expect((await send(url, { method: 'POST' })).status).toBe(502);
  });

  it.each([
    ['wholly', '', 'late'],
    ['in part', 'begun ', 'begun late'],
  ])('leaves alone what the program has answered %s meanwhile', async (_, begun, body) => {
    let isLeft = false;
    let answer = (): void => undefined;
    const leader = await serve((request, response) => {
      request.socket.on('close', () => {
        isLeft = true;
      });
      answer = (): void => void response.writeHead(200).write('the beginning');
      late();
    });
    let late = (): void => undefined;
    const listener = before(provider(leader.url), echo('follower'), { mode: 'proxy' });
    const { url } = await serve((request, response) => {
      // Like a time limit that a program has for all its answers.
      late = (): void => {
        response.statusCode = 408;
        if (begun === '') response.end('late');
        else response.write(begun);
        answer();
        void until('the leader to be left alone', () => isLeft).then(() => response.end('late'));
      };
      listener(request, response);
    });
    expect(await send(url, { method: 'POST' })).toMatchObject({ status: 408, body });
    await until('the leader to be left alone', () => isLeft);
  });

  it('notices a write that comes back to it, and one that goes round among others', async () => {
    const one = await serve();
    const two = await follower(one.url, { mode: 'proxy' });
    one.listener = before(provider(two.url), echo('one'), { mode: 'proxy' });
    const circle = await send(one.url, { method: 'POST' });
    expect(circle.status).toBe(508);
    const itself = await serve();
    itself.listener = before(provider(itself.url), echo('it'), { mode: 'proxy' });
    expect((await send(itself.url, { method: 'POST' })).status).toBe(508);
    const headers = { 'x-failover-hops': 'a,b,c' };
    expect((await send(two.url, { method: 'POST', headers })).status).toBe(508);
  });

  it('sends a write on once more where the leader has just changed', async () => {
    const leader = await serve(before(provider('http://x', true), echo('leader')));
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
      server.listener = before(election, next, { mode: 'proxy' });
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
  options: LeaderMiddlewareOptions<IncomingMessage> = {},
): Promise<HttpServer> {
  return serve(before(provider(target), echo('follower'), options));
}

/** As one puts it before a request listener of one's own. */
function before(
  leader: LeaderProvider,
  listener: HttpServer['listener'],
  options?: LeaderMiddlewareOptions<IncomingMessage>,
): HttpServer['listener'] {
  const middleware = leaderMiddleware(leader, options);
  return (request, response) => {
    middleware(request, response, () => {
      listener(request, response);
    });
  };
}

function provider(target: string | null, leads = false): LeaderProvider {
  return { isLeader: () => leads, redirectTarget: () => target };
}

function clientOf(url: string): ClientRequest {
  const sent = request(url, { method: 'POST', agent: false });
  sent.on('error', () => undefined).end('x');
  return sent;
}
