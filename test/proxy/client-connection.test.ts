// What becomes of the connection of a client that is refused, or that does not take what it asks for.
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ProxyLimits } from '../../src/config/load-proxy.ts';
import { uncaught } from '../support/uncaught.ts';
import { until } from '../support/until.ts';
import { ask, rawClient, silence, startPrimary, startProxy } from './support/proxied.ts';
import type { Primary, Proxied } from './support/proxied.ts';

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: x\r\n';

async function pair(
  handler?: Parameters<typeof startPrimary>[2],
  limits: Partial<ProxyLimits> = {},
): Promise<Proxied & { readonly primary: Primary }> {
  const primary = await startPrimary('a', 1, handler);
  const proxied = await startProxy(limits);
  proxied.proxy.listener.ready(primary.term);
  return { ...proxied, primary };
}

interface Clinging {
  readonly socket: Socket;
  readonly text: () => string;
  readonly isClosed: () => boolean;
}

/** One that never closes, whatever it is told. */
function clingingClient(port: number, bytes: string): Clinging {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let text = '';
  let isClosed = false;
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => (isClosed = true));
  socket.on('close', () => (isClosed = true));
  socket.write(bytes, 'latin1');
  onTestFinished(() => {
    socket.destroy();
  });
  return { socket, text: () => text, isClosed: () => isClosed };
}

const REFUSED: readonly (readonly [what: string, bytes: string, status: number])[] = [
  ['asks for a tunnel', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', 501],
  [
    'upgrades with a body',
    `${POST}Connection: upgrade\r\nUpgrade: a\r\nContent-Length: 1\r\n\r\nx`,
    501,
  ],
  ['sends no HTTP', 'garbage\r\n\r\n', 400],
  ['sends half a header', 'GET / HTTP/1.1\r\nHo', 408],
  ['sends half a body', `${POST}Content-Length: 10\r\n\r\n12345`, 408],
];

describe('a client that does not close its connection and', () => {
  it.each(REFUSED)('%s leaves its place to others', async (_, bytes, status) => {
    const inTime = status === 408 ? { headerTimeoutMs: 50, requestTimeoutMs: 50 } : {};
    const { port } = await pair(undefined, { ...inTime, maxClients: 1 });
    const { text } = clingingClient(port, bytes);
    await until('the refusal', () => text().startsWith(`HTTP/1.1 ${String(status)} `));
    let told = 0;
    await until('another to be answered', () => {
      void ask(port).then(({ status }) => (told = status));
      return told === 200;
    });
  });

  it.each(REFUSED.slice(0, 2))('%s does not keep the proxy from its end', async (_, bytes) => {
    const { port, proxy } = await pair();
    const { text } = clingingClient(port, bytes);
    await until('the refusal', () => text().startsWith('HTTP/1.1 501 '));
    await proxy.close();
  });

  it('is answered without the upgrade that it asked for leaves its place to others', async () => {
    const { port } = await pair(undefined, { maxClients: 1 });
    const { text } = clingingClient(port, `${GET}Connection: upgrade\r\nUpgrade: h2c\r\n\r\n`);
    await until('the answer', () => text().includes('GET / 0'));
    let told = 0;
    await until('another to be answered', () => {
      void ask(port).then(({ status }) => (told = status));
      return told === 200;
    });
  });

  it('is told that its request was not whole in time can not have it carried out after that', async () => {
    const { port, proxy, primary, refused } = await pair(undefined, {
      ...{ headerTimeoutMs: 50, requestTimeoutMs: 50 },
    });
    const { socket, text, isClosed } = clingingClient(
      port,
      `${POST}Content-Length: 10\r\n\r\n12345`,
    );
    await until('the refusal', () => text().startsWith('HTTP/1.1 408 '));
    socket.write('67890');
    // Its end is told to one that still sends.
    await until('its end', () => {
      socket.write('x');
      return isClosed();
    });
    expect([primary.requests, refused]).toEqual([[], ['request-timeout']]);
    expect(proxy.report()).toMatchObject({ underWay: 0, counts: { answered: 0 } });
  });

  it('stops within a long body has no slot of the primary any more', async () => {
    const { port, proxy } = await pair((incoming) => incoming.resume(), {
      ...{ headerTimeoutMs: 1_000, requestTimeoutMs: 1_000, maxConnections: 1 },
    });
    const { text } = clingingClient(port, `${POST}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n`);
    await until('it to be under way', () => proxy.report().underWay === 1);
    await until('the refusal', () => text().startsWith('HTTP/1.1 408 '));
    expect(proxy.report().underWay).toBe(0);
  });
});

describe('a client that resets its connection and', () => {
  it.each(REFUSED.slice(0, 2))('%s takes nothing from the others', async (_, bytes) => {
    const thrown = uncaught();
    const { port, proxy } = await pair();
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(bytes, () => void socket.resetAndDestroy());
    await until('the refusal', () => proxy.report().counts.refusedFor('not-supported') === 1);
    // Closed by then.
    expect(await ask(port)).toMatchObject({ status: 200 });
    expect(thrown).toEqual([]);
  });
});

describe('an upgrade', () => {
  it('behind a request that is not answered yet ends the connection, and nothing else', async () => {
    const { port, refused, primary } = await pair(silence);
    const upgrade = `${GET}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`;
    expect(await rawClient(port, `${GET}\r\n${upgrade}`).closed).toBe('');
    expect([refused, primary.requests]).toEqual([['not-supported'], []]);
  });

  it('that is answered like a plain request gets all of a long answer', async () => {
    const { port } = await pair((_, response) => response.end(Buffer.alloc(8_000_000, 'z')));
    const client = rawClient(port, `${GET}Connection: upgrade\r\nUpgrade: h2c\r\n\r\n`);
    const body = (await client.closed).split('\r\n\r\n')[1] ?? '';
    expect(body.length).toBe(8_000_000);
  });
});

/** Whether none of an answer was read while another was asked for and answered. */
async function isLeft(response: ServerResponse | undefined, port: number): Promise<boolean> {
  const before = response?.socket?.writableLength;
  await ask(port);
  return response?.socket?.writableLength === before;
}

describe('requests that one client sends without waiting', () => {
  const PATHS = Array.from({ length: 100 }, (_, index) => `/${String(index)}`);
  const bytesOf = (paths: readonly string[]): string =>
    paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join('');

  it('go on a few at a time, and are answered in their order', async () => {
    let most = 0;
    const open = new Set<string>();
    const { port } = await pair(({ url = '' }, response) => {
      open.add(url);
      most = Math.max(most, open.size);
      setImmediate(() => {
        open.delete(url);
        response.end(`<${url}>`);
      });
    });
    const client = rawClient(port, bytesOf(PATHS));
    await until('the last answer', () => client.text().includes('</99>'));
    expect(client.text().match(/(?<=<)[^>]*/g)).toEqual(PATHS);
    expect(most).toBeLessThanOrEqual(8);
    client.socket.write(bytesOf(['/last']));
    await until('one more', () => client.text().includes('</last>'));
  });

  it.each([10, 200_000])(
    'are all answered where it takes nothing of the first while the second is answered: %i bytes',
    async (length) => {
      const open = new Map<string, ServerResponse>();
      const { port, proxy } = await pair(({ url = '' }, response) => {
        if (url === '/') response.end();
        else open.set(url, response);
      });
      const client = rawClient(port, bytesOf(['/long', '/second']));
      client.socket.pause();
      await until('both to arrive', () => open.size === 2);
      const long = open.get('/long');
      long?.end('Y'.repeat(20_000_000));
      await until('the proxy to read no more of it', () => isLeft(long, port));
      open.get('/second')?.end('Z'.repeat(length));
      await until('the proxy to read no more of that', () => isLeft(open.get('/second'), port));
      client.socket.resume();
      await until('all of both', () => client.text().endsWith('Z'.repeat(length)));
      expect(client.text().split('Y').length - 1).toBe(20_000_000);
      expect(proxy.report()).toMatchObject({ underWay: 0, counts: { cut: 0 } });
    },
  );

  it('are not begun any more once it has gone', async () => {
    const { port, proxy, primary } = await pair(silence);
    const client = rawClient(port, bytesOf(PATHS));
    await until('the first to arrive', () => primary.requests.length === 8);
    client.socket.destroy();
    // While it is not read from, its end is seen by what is written to it.
    proxy.listener.lost('its process is gone');
    const next = await startPrimary('b', 2);
    proxy.listener.ready(next.term);
    await until('nothing to be under way', () => proxy.report().underWay === 0);
    expect(proxy.report().held).toBe(0);
    expect(next.requests.length).toBeLessThan(PATHS.length);
    const { requests, answered, clientsGone, cut } = proxy.report().counts;
    expect(answered + clientsGone + cut).toBe(requests);
  });

  it('and whose answers it does not take end its connection', async () => {
    const { port, primary } = await pair((_, response) => response.end(Buffer.alloc(60_000)), {
      idleTimeoutMs: 100,
    });
    const client = clingingClient(port, bytesOf(Array.from({ length: 1_000 }, () => '/')));
    client.socket.pause();
    await until('the primary to be asked no more', () => primary.requests.length >= 8);
    await until('its end', () => {
      client.socket.write('x');
      return client.isClosed();
    });
    expect(primary.requests.length).toBeLessThan(1_000);
  });
});
