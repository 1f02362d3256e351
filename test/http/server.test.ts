// The server of HTTP over real sockets: clients of HTTP/1.0, those that are slow or many, and none at all.
import { createServer, connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { NodeSight } from '../../src/http/node-checks.ts';
import { openHttpServer } from '../../src/http/server.ts';
import { fixedToken } from '../../src/http/token.ts';
import { until } from '../support/until.ts';
import { fakeGroups } from './support/groups.ts';

const SERVES: NodeSight = {
  ...{ id: 'a', role: 'primary', phase: 'serving', epoch: 3, primary: 'a', health: null },
  ...{
    unhealthyBecause: null,
    willing: true,
    unwillingBecause: null,
    reason: 'This node is now primary',
  },
};

const PARTS = {
  ...{ groups: fakeGroups(), look: () => SERVES, token: null, tokenHint: '' },
  metrics: { type: 'text/plain', text: () => Promise.resolve('') },
};

async function start(): Promise<{ port: number; close: () => Promise<void> }> {
  const address = { host: '127.0.0.1', port: 0 };
  const server = await openHttpServer(address, PARTS);
  onTestFinished(server.close);
  return { port: Number(new URL(server.url).port), close: server.close };
}

interface Client {
  readonly socket: Socket;
  readonly heard: () => string;
  readonly isOver: () => boolean;
}

function client(port: number, text: string): Client {
  let [heard, isOver] = ['', false];
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => {
    socket.resetAndDestroy();
  });
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    heard += chunk;
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isOver = true;
  });
  socket.write(text);
  return { socket, heard: () => heard, isOver: () => isOver };
}

describe('the server of a node', () => {
  it('answers HTTP/1.0 without a host, as HAProxy asks where it is told nothing else', async () => {
    const { port } = await start();
    const asked = client(port, 'OPTIONS /primary HTTP/1.0\r\n\r\n');
    await until('the answer', asked.isOver);
    expect(asked.heard()).toMatch(/^HTTP\/1\.[01] 200 OK\r\n/);
    const none = client(port, 'GET /secondary HTTP/1.0\r\n\r\n');
    await until('the answer', none.isOver);
    expect(none.heard()).toMatch(/^HTTP\/1\.[01] 503 Service Unavailable\r\n/);
  });

  it.each(['127.1', '::ffff:127.0.0.1'])(
    'knows that only this machine reaches it by whatever name it was given: %s',
    async (host) => {
      const server = await openHttpServer({ host, port: 0 }, PARTS);
      onTestFinished(server.close);
      const port = Number(/\d+$/.exec(server.url)?.[0]);
      const asked = client(port, 'GET / HTTP/1.1\r\nhost: evil.example\r\n\r\n');
      await until('the answer', () => asked.heard() !== '');
      expect(asked.heard()).toMatch(/^HTTP\/1\.1 421 /);
    },
  );

  it.each([
    ['no HTTP', 'hello\r\n\r\n'],
    ['no host in HTTP/1.1', 'GET /primary HTTP/1.1\r\n\r\n'],
    [
      'two lengths',
      'GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
    ],
    ['a host that is none', 'GET /primary HTTP/1.1\r\nhost: a b\r\n\r\n'],
  ])('refuses %s', async (_, text) => {
    const { port } = await start();
    const asked = client(port, text);
    await until('the answer', () => asked.heard() !== '');
    expect(asked.heard()).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('refuses headers without end', async () => {
    const { port } = await start();
    const asked = client(port, `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(64 * 1024)}`);
    await until('the answer', () => asked.heard() !== '');
    expect(asked.heard()).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('answers whoever sends a body all the same, and goes on', async () => {
    const { port } = await start();
    const body = 'x'.repeat(1024 * 1024);
    const length = `content-length: ${String(body.length)}`;
    const asked = client(
      port,
      `GET /primary HTTP/1.1\r\nhost: localhost\r\n${length}\r\n\r\n${body}`,
    );
    await until('the answer', () => asked.heard() !== '');
    expect(asked.heard()).toMatch(/^HTTP\/1\.1 200 /);
    expect((await fetch(`http://127.0.0.1:${String(port)}/primary`)).status).toBe(200);
  });

  it.each([
    ['in pieces', 'transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n', 200],
    ['without one', '\r\n', 200],
    [
      'in pieces without end',
      `transfer-encoding: chunked\r\n\r\n1001\r\n${'x'.repeat(4097)}\r\n`,
      413,
    ],
    ['that is said to be long', `content-length: 4097\r\n\r\n`, 413],
  ])('takes the body of a change %s, up to its limit', async (_, rest, expected) => {
    const token = fixedToken('correct-horse-battery');
    const server = await openHttpServer({ host: '127.0.0.1', port: 0 }, { ...PARTS, token });
    onTestFinished(server.close);
    const head = 'POST /pause HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
    const asked = client(
      Number(new URL(server.url).port),
      `${head}authorization: Bearer correct-horse-battery\r\n${rest}`,
    );
    await until('the answer', () => asked.heard() !== '');
    expect(asked.heard()).toContain(`HTTP/1.1 ${String(expected)} `);
  });

  it('forgets those who have gone before their turn came, and answers the next', async () => {
    let asked = 0;
    const metrics = {
      type: 'text/plain',
      text: async () => {
        asked += 1;
        // As it is for many numbers: the connection has gone meanwhile.
        for (let turn = 0; turn < 30; turn += 1) await nextTurn();
        return 'x 1\n';
      },
    };
    const server = await openHttpServer({ host: '127.0.0.1', port: 0 }, { ...PARTS, metrics });
    onTestFinished(server.close);
    const port = Number(new URL(server.url).port);
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(8), () => {
      socket.resetAndDestroy();
    });
    await until('all of them', () => asked === 8);
    const url = `http://127.0.0.1:${String(port)}/metrics`;
    // Each place is free again.
    await vi.waitFor(
      async () => {
        const answers = await Promise.all(Array.from({ length: 8 }, () => fetch(url)));
        expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
      },
      { timeout: 10_000 },
    );
  });

  it('ends the connection of who asks too slowly', { timeout: 20_000 }, async () => {
    const { port } = await start();
    const slow = client(port, 'GET /primary HTTP/1.1\r\nhost: loc');
    await until('its end', slow.isOver);
    expect(slow.heard()).toMatch(/^(?:$|HTTP\/1\.1 408 )/);
  });

  it('takes a bounded number of connections, and the next once one of them is gone', async () => {
    const { port } = await start();
    const many = Array.from({ length: 256 }, () => client(port, ''));
    await until('all of them', () => many.every(({ socket }) => !socket.connecting));
    const next = client(port, 'GET /primary HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await until('it to be turned away', next.isOver);
    expect(next.heard()).toBe('');
    many[0]?.socket.destroy();
    let status = 0;
    let isAsked = false;
    await until('room', () => {
      if (!isAsked && status !== 200) {
        isAsked = true;
        void fetch(`http://127.0.0.1:${String(port)}/primary`).then(
          (answer) => ([status, isAsked] = [answer.status, false]),
          () => (isAsked = false),
        );
      }
      return status === 200;
    });
  });

  it('ends at once, also with connections that wait', async () => {
    const { port, close } = await start();
    const waiting = client(port, '');
    await until('it to connect', () => !waiting.socket.connecting);
    await close();
    await until('its end', waiting.isOver);
  });

  it('says whose address is in use, and of which option', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => {
      other.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => {
      other.close();
    });
    const { port } = other.address() as AddressInfo;
    const open = (host: string): Promise<unknown> => openHttpServer({ host, port }, PARTS);
    await expect(open('127.0.0.1')).rejects.toMatchObject({ code: 'FAILOVER_ADDRESS_IN_USE' });
    await expect(open('192.0.2.1')).rejects.toMatchObject({
      code: 'FAILOVER_BAD_OPTION',
      hint: expect.stringMatching(/^Give --http an address of this machine/) as string,
    });
  });
});
