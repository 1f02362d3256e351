// What passes through a proxy while its primary serves.
import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { ask, rawClient, startPrimary, startProxy } from './support/proxied.ts';
import type { Primary, Proxied } from './support/proxied.ts';

type Handler = Parameters<typeof startPrimary>[2];

async function pair(handler?: Handler): Promise<Proxied & { readonly primary: Primary }> {
  const primary = await startPrimary('a', 7, handler);
  const proxied = await startProxy();
  proxied.proxy.listener.ready(primary.term);
  return { ...proxied, primary };
}

describe('a proxy', () => {
  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])(
    'passes on a %s with its path, its body and the answer',
    async (method) => {
      const { port } = await pair();
      const path = '/a%20b/?c=d&e';
      const body = method === 'GET' ? '' : 'hello';
      const headers = { 'content-length': String(body.length) };
      const told = await ask(port, { method, path, body, headers });
      expect(told).toMatchObject({ status: 200, body: `${method} ${path} ${String(body.length)}` });
    },
  );

  it('tells the primary for whom it asks, and at which epoch', async () => {
    const { port } = await pair((incoming, response) => {
      response.end(JSON.stringify(incoming.headers));
    });
    const { body } = await ask(port, {
      headers: {
        ...{ host: 'example.org', 'x-forwarded-for': '10.0.0.1', via: '1.1 front' },
        ...{ 'x-failover-epoch': '99', 'x-failover-node': 'z', te: 'trailers' },
        ...{ x_failover_epoch: '98', 'X-Failover_Node': 'y' },
        ...{ connection: 'close, x-secret', 'x-secret': 'for the proxy alone' },
      },
    });
    const seen = JSON.parse(body) as Record<string, string>;
    expect(seen).toMatchObject({
      host: 'example.org',
      'x-forwarded-for': '10.0.0.1, 127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'example.org',
      via: '1.1 front, 1.1 failover',
      'x-failover-node': 'a',
      'x-failover-epoch': '7',
    });
    for (const name of ['x-secret', 'te', 'x_failover_epoch', 'x-failover_node']) {
      expect(seen).not.toHaveProperty(name);
    }
  });

  it('hands on the headers of the answer, also those that come twice, and none of the hop', async () => {
    const { port } = await pair((_, response) => {
      response.writeHead(203, 'Well', [
        ...['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Umlaut', 'ü'],
        ...['Connection', 'X-Hop', 'X-Hop', '1', 'Content-Length', '2'],
        ...['Connection', 'X-Hop-Too', 'X-Hop-Too', '2'],
      ]);
      response.end(Buffer.from('ok'));
    });
    const { closed } = rawClient(port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const text = await closed;
    expect(text).toMatch(/^HTTP\/1.1 203 Well\r\n/);
    expect(text).toContain('set-cookie: a=1\r\nset-cookie: b=2\r\nx-umlaut: \xfc\r\n');
    expect(text).toContain('via: 1.1 failover');
    expect(text).not.toMatch(/x-hop/i);
    expect(text.endsWith('\r\n\r\nok')).toBe(true);
  });

  it('adds what another proxy behind it has done to what it says itself', async () => {
    const { port } = await pair((_, response) => {
      response.setHeader('X-Failover-Held-Ms', '700').setHeader('X-Failover-Repeated', '2').end();
    });
    const { headers } = await ask(port);
    expect(headers['x-failover-repeated']).toBe('2');
    expect(Number(headers['x-failover-held-ms'])).toBeGreaterThanOrEqual(700);
  });

  it('hands on an answer without a body as it is', async () => {
    const { port } = await pair(({ method }, response) => {
      response.setHeader('content-length', 12_345);
      response.writeHead(method === 'HEAD' ? 200 : 304).end();
    });
    expect(await ask(port, { method: 'HEAD' })).toMatchObject({
      ...{ status: 200, body: '', isWhole: true },
      headers: { 'content-length': '12345' },
    });
    expect(await ask(port)).toMatchObject({
      ...{ status: 304, body: '', isWhole: true },
      headers: { 'content-length': '12345' },
    });
  });

  it('streams long bodies both ways, as they are', async () => {
    const long = randomBytes(5_000_000);
    const { port, proxy } = await pair((incoming, response) => {
      incoming.pipe(response);
    });
    const hash = createHash('sha256');
    const sent = request({
      port,
      method: 'POST',
      agent: false,
      headers: { 'content-length': long.length },
    });
    const answer = new Promise<IncomingMessage>((resolve) => sent.on('response', resolve));
    sent.end(long);
    for await (const chunk of await answer) hash.update(chunk as Buffer);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(long).digest('hex'));
    await until('the request to be over', () => proxy.report().underWay === 0);
    expect(proxy.report().bytes).toBe(0);
  });

  it('does not read on from a primary whose client does not', async () => {
    let written = 0;
    const { port, proxy } = await pair((_, response) => {
      const chunk = Buffer.alloc(1_000_000);
      const write = (): void => {
        while (written < 200_000_000) {
          written += chunk.length;
          if (!response.write(chunk)) break;
        }
      };
      response.on('drain', write);
      write();
    });
    const { socket } = rawClient(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    socket.pause();
    let before = -1;
    await until('the primary to be held back', () => {
      const isStill = written > 0 && written === before && proxy.report().underWay === 1;
      before = written;
      return isStill;
    });
    expect(written).toBeLessThan(100_000_000);
  });

  it('asks for a body that is announced, and waits with it until it may go', async () => {
    const { port } = await pair();
    const client = rawClient(
      port,
      'POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n',
    );
    await until('it to be asked for', () => client.text().startsWith('HTTP/1.1 100 Continue'));
    client.socket.write('hello');
    expect(await client.closed).toContain('POST /x 5');
  });

  it('gives up at the primary what its client has given up', async () => {
    let closed = 0;
    const { port, proxy, primary } = await pair((_, response) => {
      response.on('close', () => (closed += 1));
    });
    const client = rawClient(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await until('the request to arrive', () => primary.requests.length === 1);
    client.socket.destroy();
    await until('it to be given up', () => closed === 1 && proxy.report().underWay === 0);
    expect(proxy.report().counts.clientsGone).toBe(1);
  });

  it('takes one request after the other over a connection', async () => {
    const { port } = await pair();
    const one = 'GET /1 HTTP/1.1\r\nHost: x\r\n\r\n';
    const last = 'GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const { closed } = rawClient(port, one + last);
    expect((await closed).match(/GET \/\d/g)).toEqual(['GET /1', 'GET /2']);
  });

  it('does not answer a client of HTTP/1.0 in chunks', async () => {
    const { port } = await pair((_, response) => {
      response.write('a');
      response.end('b');
    });
    const text = await rawClient(port, 'GET / HTTP/1.0\r\n\r\n').closed;
    expect(text).not.toMatch(/chunked/i);
    expect(text.endsWith('\r\n\r\nab')).toBe(true);
  });

  it('goes to the path of an absolute target, at the host that it names', async () => {
    const { port } = await pair(({ url, headers }, response) => {
      response.end(`${url ?? ''} ${headers.host ?? ''}`);
    });
    const line =
      'GET http://real.example/x HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n';
    expect(await rawClient(port, line).closed).toContain('/x real.example');
  });

  it('refuses what has come through it before', async () => {
    const proxied = await startProxy();
    const { port, proxy } = proxied;
    proxy.listener.ready({ node: 'a', epoch: 1, target: `http://127.0.0.1:${String(port)}` });
    expect(await ask(port)).toMatchObject({ status: 508, headers: { 'x-failover-error': 'loop' } });
    expect(proxied.refused).toEqual(['loop']);
  });

  it('ends in order: what is under way is answered, and nothing more is taken', async () => {
    let answer = (): void => undefined;
    const { port, proxy, primary } = await pair((_, response) => {
      answer = () => response.end('done');
    });
    const asked = ask(port);
    await until('the request to arrive', () => primary.requests.length === 1);
    const closed = proxy.close();
    answer();
    expect(await asked).toMatchObject({ body: 'done', headers: { connection: 'close' } });
    await closed;
    expect(await ask(port)).toMatchObject({ status: 0 });
  });
});
