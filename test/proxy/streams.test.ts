// What has no end of its own: WebSockets and events, and what becomes of them when the primary changes.
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { PrimaryTerm } from '../../src/proxy/primary-source.ts';
import { until } from '../support/until.ts';
import { ask, listening, rawClient, startPrimary, startProxy } from './support/proxied.ts';

interface Talk {
  readonly client: WebSocket;
  readonly said: string[];
  /** With what it was closed; null: it is open. */
  readonly closed: () => number | null;
}

interface Echo extends PrimaryTerm {
  readonly server: Server;
  /** With what each WebSocket was closed. */
  readonly closes: number[];
  readonly breakOff: () => void;
}

/** A server that says back what it hears. */
async function startEcho(node: string, epoch: number): Promise<Echo> {
  const closes: number[] = [];
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, { url }) => {
    socket.send(`${node}${url ?? ''}`);
    socket.on('message', (data, isBinary) => {
      socket.send(data, { binary: isBinary });
    });
    socket.on('close', (code) => closes.push(code));
  });
  const breakOff = (): void => {
    for (const client of sockets.clients) client.terminate();
  };
  onTestFinished(() => {
    breakOff();
    server.close();
  });
  const target = `http://127.0.0.1:${String(await listening(server))}`;
  return { node, epoch, target, server, closes, breakOff };
}

function talk(port: number, path = '/'): Talk {
  const client = new WebSocket(`ws://127.0.0.1:${String(port)}${path}`);
  const said: string[] = [];
  let closed: number | null = null;
  client.on('message', (data: Buffer) => said.push(data.toString()));
  client.on('close', (code) => (closed = code));
  client.on('error', () => undefined);
  onTestFinished(() => {
    client.terminate();
  });
  return { client, said, closed: () => closed };
}

describe('a WebSocket', () => {
  it('is passed through both ways, also with long messages', async () => {
    const term = await startEcho('a', 1);
    const { proxy, port } = await startProxy();
    proxy.listener.ready(term);
    const { client, said, closed } = talk(port, '/room?x=1');
    await until('it to be open', () => said.length === 1);
    const long = 'x'.repeat(1_000_000);
    client.send('hello');
    client.send(long);
    await until('the echoes', () => said.length === 3);
    expect(said).toEqual(['a/room?x=1', 'hello', long]);
    client.close(1000);
    await until('it to be closed', () => closed() === 1000);
    await until('nothing to be under way', () => proxy.report().underWay === 0);
    expect(proxy.report().counts.upgraded).toBe(1);
  });

  it('waits for a primary like a request', async () => {
    const { proxy, port, load } = await startProxy();
    const { said } = talk(port);
    await until('it to be held', () => load()[0] === 1);
    proxy.listener.ready(await startEcho('a', 1));
    await until('it to be open', () => said.length === 1);
  });

  it('takes no slot of requests', async () => {
    const term = await startEcho('a', 1);
    term.server.on('request', (_, response) => response.end('ok'));
    const { proxy, port } = await startProxy({ maxConnections: 1 });
    proxy.listener.ready(term);
    const { said } = talk(port);
    await until('it to be open', () => said.length === 1);
    expect(await ask(port)).toMatchObject({ status: 200 });
  });

  it('is told to go away when the primary is about to step down, and so is the primary', async () => {
    const term = await startEcho('a', 1);
    const { proxy, port } = await startProxy();
    proxy.listener.ready(term);
    const { said, closed } = talk(port);
    await until('it to be open', () => said.length === 1);
    let drains = 0;
    proxy.listener.closing(() => (drains += 1));
    await until('the client to be told', () => closed() === 1001);
    await until('the primary to be told', () => term.closes[0] === 1001);
    await until('it to be drained', () => drains === 1);
  });

  it('is told to go away when the primary is lost', async () => {
    const { proxy, port } = await startProxy();
    proxy.listener.ready(await startEcho('a', 1));
    const { said, closed } = talk(port);
    await until('it to be open', () => said.length === 1);
    proxy.listener.lost('its process is gone');
    await until('the client to be told', () => closed() === 1001);
    const next = talk(port);
    proxy.listener.ready(await startEcho('b', 2));
    await until('the next to be open', () => next.said[0] === 'b/');
  });

  it('is told to go away when the proxy ends in order, which does not wait for it', async () => {
    const { proxy, port } = await startProxy();
    proxy.listener.ready(await startEcho('a', 1));
    const { said, closed } = talk(port);
    await until('it to be open', () => said.length === 1);
    await proxy.close();
    await until('the client to be told', () => closed() === 1001);
  });

  it('ends with the connection of the primary', async () => {
    const term = await startEcho('a', 1);
    const { proxy, port } = await startProxy();
    proxy.listener.ready(term);
    const { said, closed } = talk(port);
    await until('it to be open', () => said.length === 1);
    term.breakOff();
    await until('it to be closed without a word', () => closed() === 1006);
    await until('nothing to be under way', () => proxy.report().underWay === 0);
  });

  it('that the primary does not want is answered as it says', async () => {
    const primary = await startPrimary('a', 1, (_, response) => {
      response.writeHead(401).end('no');
    });
    const { proxy, port } = await startProxy();
    proxy.listener.ready(primary.term);
    const text = await rawClient(port, HANDSHAKE).closed;
    expect(text).toMatch(/^HTTP\/1.1 401 Unauthorized\r\n/);
    expect(text).toContain('\r\nno\r\n');
  });

  it('is the only thing that a connection is upgraded to', async () => {
    const primary = await startPrimary('a', 1);
    const { proxy, port, refused } = await startProxy();
    proxy.listener.ready(primary.term);
    const plain = HANDSHAKE.replace('websocket', 'h2c');
    expect(await rawClient(port, plain).closed).toContain('GET / 0');
    const withBody = plain.replace('\r\n\r\n', '\r\nContent-Length: 5\r\n\r\nhello');
    expect(await rawClient(port, withBody).closed).toMatch(/^HTTP\/1.1 501 /);
    expect(refused).toEqual(['not-supported']);
  });
});

const HANDSHAKE =
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

describe('events', () => {
  const GET = 'GET /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

  async function startEvents(): ReturnType<typeof startPrimary> {
    return startPrimary('a', 1, (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
    });
  }

  it('are passed on as they come, and take no slot of requests', async () => {
    const primary = await startEvents();
    const { proxy, port } = await startProxy({ maxConnections: 1 });
    proxy.listener.ready(primary.term);
    const clients = [rawClient(port, GET), rawClient(port, GET)];
    await until('the first event', () => clients.every(({ text }) => text().includes('data: 1')));
    clients[0]?.socket.destroy();
    await until('one to be gone', () => proxy.report().underWay === 1);
  });

  it('end in order when the primary is lost, so that whoever listens connects again', async () => {
    const primary = await startEvents();
    const { proxy, port } = await startProxy();
    proxy.listener.ready(primary.term);
    const client = rawClient(port, GET);
    await until('the first event', () => client.text().includes('data: 1'));
    proxy.listener.lost('its process is gone');
    expect((await client.closed).endsWith('0\r\n\r\n')).toBe(true);
    expect(proxy.report()).toMatchObject({ underWay: 0, counts: { cut: 0 } });
  });

  it('end in order before a planned end, which does not wait for them', async () => {
    const primary = await startEvents();
    const { proxy, port } = await startProxy();
    proxy.listener.ready(primary.term);
    const client = rawClient(port, GET);
    await until('the first event', () => client.text().includes('data: 1'));
    let drains = 0;
    proxy.listener.closing(() => (drains += 1));
    expect((await client.closed).endsWith('0\r\n\r\n')).toBe(true);
    expect(drains).toBe(1);
  });

  it('that say their length are no more than an answer, and are broken off like one', async () => {
    const primary = await startPrimary('a', 1, (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-length': 200_000 });
      response.write('data: 1\n\n');
    });
    const { proxy, port } = await startProxy();
    proxy.listener.ready(primary.term);
    const client = rawClient(port, GET.replace('close', 'keep-alive'));
    await until('the first event', () => client.text().includes('data: 1'));
    proxy.listener.lost('its process is gone');
    await client.closed;
    expect(proxy.report().counts).toMatchObject({ answered: 0, cut: 1 });
  });
});
