// A primary that ends its connections, or has them reset, in the middle of an answer or with it.
import { createServer, Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { connectToPrimary } from '../../src/proxy/primary-connection.ts';
import { until } from '../support/until.ts';
import { ask, listening, rawClient, startProxy } from './support/proxied.ts';
import type { Proxied, RawClient } from './support/proxied.ts';

interface Stalled extends Proxied {
  /** It has asked for two things at once, and gets the second when it has the first. */
  readonly client: RawClient;
  /** The first is answered. */
  readonly goOn: () => void;
  /** Resolves when what the primary has done is seen by the proxy. */
  readonly barrier: () => Promise<void>;
}

/** @param answer what the primary does with the second */
async function stalledBehind(answer: (socket: Socket) => void): Promise<Stalled> {
  let first: Socket | null = null;
  let begun = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (data: Buffer) => {
      const text = data.toString();
      if (text.startsWith('GET /first')) first = socket;
      else if (text.startsWith('GET /second')) answer(socket);
      else socket.end(SHORT_ANSWER);
      begun += 1;
    });
  });
  const target = `http://127.0.0.1:${String(await listening(server))}`;
  const proxied = await startProxy();
  onTestFinished(() => {
    first?.destroy();
    server.close();
  });
  proxied.proxy.listener.ready({ node: 'a', epoch: 1, target });
  const requests = ['/first HTTP/1.1\r\n', '/second HTTP/1.1\r\nConnection: close\r\n'];
  const bytes = requests.map((text) => `GET ${text}Host: x\r\n\r\n`).join('');
  const client = rawClient(proxied.port, bytes);
  await until('both to arrive', () => begun === 2);
  return {
    ...{ ...proxied, client },
    goOn: () => first?.end(SHORT_ANSWER),
    barrier: async () => {
      expect(await ask(proxied.port, { path: '/other' })).toMatchObject({ status: 200 });
    },
  };
}

const SHORT_ANSWER = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';

/** Of the bytes of a body, whatever is between them. */
function countOf(text: string): number {
  return text.replaceAll(/[^z]/g, '').length;
}

describe('a primary that', () => {
  it.each([
    ['has no length', 'HTTP/1.0 200 OK\r\n\r\n', 40_000],
    [
      'says its length',
      'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n',
      100_000,
    ],
  ])(
    'ends its connection while its client takes nothing is passed on whole: it %s',
    async (_, head, length) => {
      const { client, goOn, barrier } = await stalledBehind((socket) => {
        socket.end(head + 'z'.repeat(length));
      });
      await barrier();
      goOn();
      const text = await client.closed;
      expect([countOf(text), /(z|\r\n0\r\n\r\n)$/.test(text)]).toEqual([length, true]);
    },
  );

  it.each([
    ['while its client takes nothing', 40_000],
    ['while its client takes all', 100],
  ])('is reset within an answer without a length has that broken off: %s', async (_, length) => {
    let reset = (): void => undefined;
    const { client, goOn, barrier, proxy } = await stalledBehind((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${'z'.repeat(length)}`);
      reset = () => void socket.resetAndDestroy();
    });
    await barrier();
    if (length < 1_000) goOn();
    reset();
    await barrier();
    goOn();
    expect(await client.closed).not.toContain('\r\n0\r\n\r\n');
    expect(proxy.report().counts).toMatchObject({ answered: 3, cut: 1 });
  });
});

it('a reset in place of a connection is a failure to connect, not the end of one', async () => {
  // On loopback the connection is there before the reset, but not behind every balancer.
  const connect = vi.spyOn(Socket.prototype, 'connect');
  onTestFinished(() => {
    connect.mockRestore();
  });
  connect.mockImplementation(function (this: Socket) {
    const reset = Object.assign(new Error('connect ECONNRESET'), { code: 'ECONNRESET' });
    setImmediate(() => this.destroy(reset));
    return this;
  });
  const failure = await new Promise<unknown>((resolve) => {
    connectToPrimary({ hostname: '127.0.0.1', port: '80', protocol: 'http:' }, (...[error]) => {
      resolve(error);
    });
  });
  expect(failure).toMatchObject({ code: 'ECONNRESET' });
});
