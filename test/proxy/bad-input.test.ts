// What clients and primaries must not send: each has a status, a count, and leaves nothing behind.
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ProxyLimits } from '../../src/config/load-proxy.ts';
import { until } from '../support/until.ts';
import {
  ask,
  echo,
  listening,
  rawClient,
  silence,
  startPrimary,
  startProxy,
} from './support/proxied.ts';
import type { Proxied } from './support/proxied.ts';

const POST = 'POST / HTTP/1.1\r\nHost: x\r\n';

const BAD: readonly (readonly [what: string, bytes: string, status: number, code: string])[] = [
  [
    'both lengths',
    `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
    'bad-request',
  ],
  [
    'both lengths, the other way',
    `${POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
    400,
    'bad-request',
  ],
  ['two lengths', `${POST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`, 400, 'bad-request'],
  ['a length that is none', `${POST}Content-Length: +5\r\n\r\nhello`, 400, 'bad-request'],
  ['a list of lengths', `${POST}Content-Length: 5, 5\r\n\r\nhello`, 400, 'bad-request'],
  [
    'a coding that is not the last',
    `${POST}Transfer-Encoding: chunked, identity\r\n\r\n`,
    400,
    'bad-request',
  ],
  [
    'a coding before it',
    `${POST}Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n`,
    400,
    'bad-request',
  ],
  ['an unknown coding', `${POST}Transfer-Encoding: xchunked\r\n\r\n`, 400, 'bad-request'],
  [
    'a space before a colon',
    `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
    400,
    'bad-request',
  ],
  [
    'chunks of HTTP/1.0',
    'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
    'bad-request',
  ],
  ['a folded header', `${POST}X-A: b\r\n c\r\n\r\n`, 400, 'bad-request'],
  ['a bad chunk', `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n`, 400, 'bad-request'],
  [
    'a chunk that is longer than it says',
    `${POST}Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n`,
    400,
    'bad-request',
  ],
  [
    'a chunk of a line end alone',
    `${POST}Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n`,
    400,
    'bad-request',
  ],
  [
    'a chunk of a size past all numbers',
    `${POST}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\na`,
    400,
    'bad-request',
  ],
  ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400, 'bad-request'],
  ['a host that is none', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400, 'bad-request'],
  ['a line end alone', 'GET / HTTP/1.1\nHost: x\n\n', 400, 'bad-request'],
  ['a return alone', 'GET / HTTP/1.1\r\nHost: x\r\nX: a\rY: b\r\n\r\n', 400, 'bad-request'],
  ['a NUL', 'GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n', 400, 'bad-request'],
  ['no HTTP at all', '\x16\x03\x01 hello\r\n\r\n', 400, 'bad-request'],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'bad-request'],
  ['HTTP/0.9', 'GET /\r\n\r\n', 400, 'bad-request'],
  ['a number of HTTP/2', 'GET / HTTP/2.0\r\nHost: x\r\n\r\n', 400, 'bad-request'],
  [
    'chunks of HTTP/0.9',
    'POST /\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
    'bad-request',
  ],
  ['a target that is no path', 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'bad-request'],
  ['a fragment', 'GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'bad-request'],
  [
    'long headers',
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
    431,
    'header-too-large',
  ],
  ['a tunnel', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', 501, 'not-supported'],
];

async function proxyTo(
  handler: Parameters<typeof startPrimary>[2],
  limits: Partial<ProxyLimits> = {},
): Promise<Proxied & { readonly requests: string[] }> {
  const primary = await startPrimary('a', 1, handler);
  const proxied = await startProxy(limits);
  proxied.proxy.listener.ready(primary.term);
  return { ...proxied, requests: primary.requests };
}

describe('a client that sends', () => {
  it.each(BAD)('%s is refused', async (_, bytes, status, code) => {
    const { port, refused, proxy } = await proxyTo(silence);
    const client = rawClient(port, bytes);
    await until('an answer', () => client.text() !== '');
    expect(client.text()).toMatch(new RegExp(`^HTTP/1\\.1 ${String(status)} `));
    expect(client.text()).toContain(`x-failover-error: ${code}\r\n`);
    expect(refused).toEqual([code]);
    client.socket.destroy();
    await until('nothing to be left', () => proxy.report().underWay === 0);
    expect(proxy.report()).toMatchObject({ held: 0, bytes: 0 });
    expect(proxy.report().counts.refused.size).toBe(1);
  });

  it('headers without an end is refused after the time for them', async () => {
    const { port, refused } = await proxyTo(silence, { headerTimeoutMs: 50 });
    const { closed } = rawClient(port, 'GET / HTTP/1.1\r\nHost: x\r\n');
    expect(await closed).toMatch(/^HTTP\/1.1 408 /);
    expect(refused).toEqual(['request-timeout']);
  });

  it('a body without an end is refused after the time for it, and the primary never sees it', async () => {
    const limits = { requestTimeoutMs: 100, headerTimeoutMs: 100 };
    const { port, refused, requests, proxy } = await proxyTo(silence, limits);
    const { closed } = rawClient(port, `${POST}Content-Length: 5\r\n\r\nhel`);
    expect(await closed).toMatch(/^HTTP\/1.1 408 /);
    expect([refused, requests]).toEqual([['request-timeout'], []]);
    expect(proxy.report()).toMatchObject({ held: 0, underWay: 0, bytes: 0 });
  });

  it('too many connections loses those that are too many', async () => {
    const { port, proxy, refused } = await proxyTo(silence, { maxClients: 2 });
    const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    rawClient(port, GET);
    rawClient(port, GET);
    await until('two to be under way', () => proxy.report().underWay === 2);
    expect(await rawClient(port, GET).closed).toBe('');
    expect(proxy.report().counts.clientsRefused).toBe(1);
    expect(refused).toEqual(['too-many-clients']);
  });

  it('nothing and takes nothing gives its place to the next after the time for that', async () => {
    const { port, proxy } = await proxyTo(
      ({ url }, response) => {
        if (url === '/short') response.end('short');
        else response.end(Buffer.alloc(32 * 1024 * 1024));
      },
      { maxConnections: 1, idleTimeoutMs: 100 },
    );
    rawClient(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n').socket.pause();
    await until('it to be under way', () => proxy.report().underWay === 1);
    expect(await ask(port, { path: '/short' })).toMatchObject({ status: 200, body: 'short' });
    expect(proxy.report().counts.clientsGone).toBe(1);
  });

  it('a second request that is none is not answered in place of the first', async () => {
    const { port, refused } = await proxyTo(silence);
    const { closed } = rawClient(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\nGARBAGE\r\n\r\n');
    expect(await closed).toBe('');
    expect(refused).toEqual(['bad-request']);
  });

  it('a request within another gets one answer to one request', async () => {
    const { port, requests } = await proxyTo((incoming, response) => {
      incoming.resume().on('end', () => response.end('one'));
    });
    const inner = 'GET /inner HTTP/1.1\r\nHost: x\r\n\r\n';
    const outer = `${POST}Connection: close\r\nContent-Length: ${String(inner.length)}\r\n\r\n${inner}`;
    expect((await rawClient(port, outer).closed).match(/HTTP\/1.1/g)).toHaveLength(1);
    expect(requests).toEqual(['POST /']);
  });
});

/** A primary that sends these bytes for each request, and then closes or not. */
async function rawPrimary(bytes: string, closes: boolean): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      if (closes) socket.end(bytes, 'latin1');
      else socket.write(bytes, 'latin1');
    });
    onTestFinished(() => {
      socket.destroy();
    });
  });
  onTestFinished(() => {
    server.close();
  });
  return `http://127.0.0.1:${String(await listening(server))}`;
}

async function proxyToRaw(
  bytes: string,
  closes = false,
  limits: Partial<ProxyLimits> = {},
): Promise<Proxied> {
  const proxied = await startProxy(limits);
  proxied.proxy.listener.ready({ node: 'a', epoch: 1, target: await rawPrimary(bytes, closes) });
  return proxied;
}

describe('a primary that', () => {
  it.each([
    ['answers garbage', 'what?\r\n\r\n'],
    ['answers in another protocol', '\x15\x03\x01\x00\x02\x02\x50'],
    ['has a bad header', 'HTTP/1.1 200 OK\r\nX y\r\n\r\n'],
    ['has a bad header behind a length', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX y\r\n\r\nabc'],
    ['has headers without an end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(40_000)}`],
    ['says to continue, unasked', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'],
    [
      'changes to a protocol, unasked',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
    ['has a length where it has no body', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n'],
  ])('%s is answered for with 502', async (_, bytes) => {
    const { port, refused } = await proxyToRaw(bytes);
    expect(await ask(port)).toMatchObject({
      status: 502,
      headers: { 'x-failover-error': 'bad-answer' },
    });
    expect(refused).toEqual(['bad-answer']);
  });

  it('has both lengths in its answer is not believed', async () => {
    const { port } = await proxyToRaw(
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    expect(await ask(port, { method: 'POST' })).toMatchObject({ status: 502 });
  });

  it.each([
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\nabc'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'],
  ])('dies in the middle of an answer with %s is seen by the client', async (_, bytes) => {
    const { port, proxy, refused } = await proxyToRaw(bytes, true);
    expect(await ask(port)).toMatchObject({ status: 200, isWhole: false });
    expect(proxy.report().counts).toMatchObject({ answered: 0, cut: 1 });
    expect(refused).toEqual(['broken-off']);
  });

  it('dies in the middle of an answer is seen also by a client of HTTP/1.0', async () => {
    const { port } = await proxyToRaw('HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\nabc', true);
    const client = rawClient(port, 'GET / HTTP/1.0\r\n\r\n');
    await client.closed;
    expect(client.socket.errored).toMatchObject({ code: 'ECONNRESET' });
  });

  it('ends its answer with the connection is passed on whole', async () => {
    const { port } = await proxyToRaw('HTTP/1.1 200 OK\r\n\r\nabc', true);
    expect(await ask(port)).toMatchObject({ status: 200, body: 'abc', isWhole: true });
  });

  it('never answers is answered for with 504', async () => {
    const { port, refused } = await proxyTo(silence, { answerTimeoutMs: 50 });
    expect(await ask(port)).toMatchObject({
      status: 504,
      headers: { 'x-failover-error': 'upstream-timeout' },
    });
    expect(refused).toEqual(['upstream-timeout']);
  });

  it('stops within its answer has that broken off after the time for that', async () => {
    const part = `HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n${'a'.repeat(100)}`;
    const { port, proxy } = await proxyToRaw(part, false, { idleTimeoutMs: 50 });
    expect(await ask(port)).toMatchObject({ status: 200, isWhole: false });
    expect(proxy.report().counts).toMatchObject({ answered: 0, cut: 1 });
  });

  it('has got only a part of a request is waited for as long as the client sends it', async () => {
    const { port, refused } = await proxyTo(
      (incoming, response) => {
        if (incoming.method === 'POST') echo(incoming, response);
      },
      { answerTimeoutMs: 50 },
    );
    const head = `${POST}Connection: close\r\nContent-Length: 100001\r\n\r\n`;
    const client = rawClient(port, head + 'a'.repeat(100_000));
    for (let time = 0; time < 2; time += 1) expect(await ask(port)).toMatchObject({ status: 504 });
    client.socket.write('b');
    expect(await client.closed).toContain('POST / 100001');
    expect(refused).toEqual(['upstream-timeout', 'upstream-timeout']);
  });

  it('answers before the body has come is passed on', async () => {
    const { port } = await proxyTo((_, response) => {
      response.writeHead(413, { connection: 'close' }).end('too long');
    });
    const head = `${POST}Content-Length: 100000000\r\n\r\nabc`;
    const client = rawClient(port, head);
    await until('the answer', () => client.text().startsWith('HTTP/1.1 413'));
  });

  it('sends hints before its answer is answered once', async () => {
    const { port } = await proxyToRaw(
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    );
    expect(await ask(port)).toMatchObject({ status: 200, body: 'ok' });
  });
});
