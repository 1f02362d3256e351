// Connections through a proxy in tcp mode: held while nobody leads, spliced while somebody does.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { freePort } from '../support/free-port.ts';
import { rawClient } from './support/proxied.ts';
import { startTcpPrimary, startTcpProxy } from './support/tcp-proxied.ts';

/** Says back what it hears, with its name before it, and ends when its client does. */
function named(name: string): (connection: Socket) => void {
  return (connection) => {
    connection.on('data', (chunk: Buffer) => connection.write(`${name}:${chunk.toString()}`));
    connection.on('end', () => connection.end());
  };
}

describe('while nobody leads', () => {
  it('a connection is held with what it has said, and goes on with the next primary', async () => {
    const { proxy, port } = await startTcpProxy();
    const client = rawClient(port, 'hello');
    await until('it to be held', () => proxy.report().held === 1 && proxy.report().bytes === 5);
    const primary = await startTcpPrimary(1, named('a'));
    proxy.listener.ready(primary.term);
    await until('an answer', () => client.text() === 'a:hello');
    expect(proxy.report()).toMatchObject({ held: 0, underWay: 1, bytes: 0, everHeld: 1 });
  });

  it('one that waits in vain is reset, and counted', async () => {
    const { proxy, port, refused } = await startTcpProxy({ holdMs: 50 });
    await rawClient(port, 'hello').closed;
    expect(refused).toEqual(['no-primary']);
    expect(proxy.report()).toMatchObject({ held: 0, bytes: 0 });
  });

  it('one more than may be held is reset at once', async () => {
    const { proxy, port, refused } = await startTcpProxy({ holdMax: 1 });
    rawClient(port, '');
    await until('the first to be held', () => proxy.report().held === 1);
    await rawClient(port, '').closed;
    expect(refused).toEqual(['hold-full']);
  });

  it('no more is kept of what they say than the limit allows', async () => {
    const { proxy, port, refused } = await startTcpProxy({ holdMaxBytes: 1_000 });
    await rawClient(port, 'x'.repeat(2_000)).closed;
    expect(refused).toEqual(['hold-full']);
    expect(proxy.report()).toMatchObject({ held: 0, bytes: 0 });
  });

  it('a client that goes away leaves the hold', async () => {
    const { proxy, port } = await startTcpProxy();
    const client = rawClient(port, 'hello');
    // A reset that comes with its words is read as their end, and half a connection may go on.
    await until('its words to be here', () => proxy.report().bytes === 5);
    breakOff(client.socket);
    await until('it to be out', () => proxy.report().held === 0);
    expect(proxy.report().counts.clientsGone).toBe(1);
  });
});

describe('while somebody leads', () => {
  it('bytes go both ways, as many as there are, at the pace of the slower side', async () => {
    const { proxy, port } = await startTcpProxy();
    const size = 32 * 1024 * 1024;
    let received = 0;
    let goOn = (): void => undefined;
    let isConnected = false;
    const primary = await startTcpPrimary(1, (connection) => {
      connection.pause();
      isConnected = true;
      goOn = () => {
        connection.on('data', (chunk: Buffer) => (received += chunk.length));
        connection.on('end', () => connection.end('all'));
        connection.resume();
      };
    });
    proxy.listener.ready(primary.term);
    const client = connect(port, '127.0.0.1');
    let answer = '';
    client.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    client.end(Buffer.alloc(size, 'x'));
    await until('the primary to be connected', () => isConnected);
    // Nothing is read: all but what the kernel and two small buffers take stays with the client.
    const sent = (): number => client.bytesWritten - client.writableLength;
    await until('it to be held back', () => client.writableLength > 0 && sent() < size);
    goOn();
    await until('all of it', () => answer === 'all');
    expect(received).toBe(size);
    await until('its end', () => proxy.report().underWay === 0);
    expect(proxy.report().counts).toMatchObject({ answered: 1, cut: 0 });
  });

  it('what the primary says waits for a client that does not read', async () => {
    const { proxy, port } = await startTcpProxy();
    const size = 64 * 1024 * 1024;
    let says: Socket | null = null;
    const primary = await startTcpPrimary(1, (connection) => {
      says = connection;
      connection.end(Buffer.alloc(size, 'x'));
    });
    proxy.listener.ready(primary.term);
    const client = connect(port, '127.0.0.1').pause();
    const left = (): number => says?.writableLength ?? 0;
    await until('the primary to be connected', () => left() > 0);
    const before = process.memoryUsage().arrayBuffers;
    let [last, same] = [left(), 0];
    await until('nothing to go on', () => {
      same = left() === last ? same + 1 : 0;
      last = left();
      return same > 50;
    });
    expect(last).toBeGreaterThan(size / 2);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
    let received = 0;
    client.on('data', (chunk: Buffer) => (received += chunk.length)).resume();
    await until('all of it', () => received === size);
    client.end();
    await until('its end', () => proxy.report().underWay === 0);
  });

  it('each gets what is its own, however many are slow, fast, or break off', async () => {
    const { port } = await startTcpProxy().then(async ({ proxy, port: at }) => {
      proxy.listener.ready((await startTcpPrimary(1, sayPattern)).term);
      return { port: at };
    });
    const ends = Array.from({ length: 12 }, async (_, index) => {
      const how = (['fast', 'slow', 'breaks'] as const)[index % 3] ?? 'fast';
      // More than the system keeps of what a slow one has not read.
      const bytes = (how === 'slow' ? 14 : 2) * 1024 * 1024 + index * 100_003;
      return { how, wrong: await readPattern(port, { seed: index, bytes, how }) };
    });
    expect((await Promise.all(ends)).filter(({ wrong }) => wrong !== null)).toEqual([]);
  });

  it('one that ends its side still gets its answer', async () => {
    const { proxy, port } = await startTcpProxy();
    const primary = await startTcpPrimary(1, (connection) => {
      connection.resume();
      connection.on('end', () => connection.end('late'));
    });
    proxy.listener.ready(primary.term);
    const client = rawClient(port, 'ask');
    client.socket.end();
    expect(await client.closed).toBe('late');
  });

  it('a primary that breaks off is passed on as a break, and not as an end', async () => {
    const { proxy, port, refused } = await startTcpProxy();
    const primary = await startTcpPrimary(1, named('a'));
    proxy.listener.ready(primary.term);
    const client = rawClient(port, 'ask');
    const broke = new Promise<string>((resolve) => {
      client.socket.on('error', ({ message }) => {
        resolve(message);
      });
    });
    await until('an answer', () => client.text() === 'a:ask');
    for (const connection of primary.connections) connection.resetAndDestroy();
    expect(await broke).toContain('ECONNRESET');
    expect(proxy.report().counts.cut).toBe(1);
    expect(refused).toEqual(['broken-off']);
  });

  it('one that does not listen yet is tried again, and nothing is lost', async () => {
    const { proxy, port } = await startTcpProxy();
    const target = `tcp://127.0.0.1:${String(await freePort())}`;
    proxy.listener.ready({ node: 'a', epoch: 1, target });
    const client = rawClient(port, 'hello');
    await until('it to be held', () => proxy.report().everHeld === 1);
    const primary = await startTcpPrimary(1, named('a'));
    proxy.listener.ready(primary.term);
    await until('an answer', () => client.text() === 'a:hello');
  });

  it('a connection on which nothing comes is ended', async () => {
    const { proxy, port } = await startTcpProxy({ idleTimeoutMs: 50 });
    const primary = await startTcpPrimary(1, named('a'));
    proxy.listener.ready(primary.term);
    await rawClient(port, '').closed;
    await until('its end', () => proxy.report().underWay === 0);
  });

  it('what is more than may be connected waits', async () => {
    const { proxy, port } = await startTcpProxy({ maxConnections: 1 });
    const primary = await startTcpPrimary(1, named('a'));
    proxy.listener.ready(primary.term);
    const first = rawClient(port, 'one');
    await until('the first', () => first.text() === 'a:one');
    const second = rawClient(port, 'two');
    await until('the second to wait', () => proxy.report().held === 1);
    first.socket.end();
    await until('the second', () => second.text() === 'a:two');
  });
});

describe('when the primary changes', () => {
  it('connections to one that is lost are reset, and new ones go to the next', async () => {
    const { proxy, port } = await startTcpProxy();
    const [one, two] = [await startTcpPrimary(1, named('a')), await startTcpPrimary(2, named('b'))];
    proxy.listener.ready(one.term);
    const client = rawClient(port, 'ask');
    await until('an answer', () => client.text() === 'a:ask');
    proxy.listener.lost('it is gone', 1);
    await client.closed;
    const next = rawClient(port, 'ask');
    await until('it to be held', () => proxy.report().held === 1);
    proxy.listener.ready(two.term);
    await until('an answer of the next', () => next.text() === 'b:ask');
  });

  it('before a planned end, one between two requests is closed, and it is drained then', async () => {
    const { proxy, port } = await startTcpProxy();
    const primary = await startTcpPrimary(1, named('a'));
    proxy.listener.ready(primary.term);
    const client = rawClient(port, 'ask');
    await until('an answer', () => client.text() === 'a:ask');
    let isDrained = false;
    proxy.listener.closing(() => (isDrained = true));
    expect(await client.closed).toBe('a:ask');
    await until('the drain', () => isDrained);
    expect(proxy.report().counts).toMatchObject({ answered: 1, cut: 0 });
  });

  it('before a planned end, one that waits for an answer gets it first', async () => {
    const { proxy, port } = await startTcpProxy();
    let answer = (): void => undefined;
    let isAsked = false;
    const primary = await startTcpPrimary(1, (connection) => {
      connection.on('data', () => {
        isAsked = true;
        answer = () => void connection.write('done');
      });
    });
    proxy.listener.ready(primary.term);
    const client = rawClient(port, 'ask');
    await until('the question', () => isAsked);
    let isDrained = false;
    proxy.listener.closing(() => (isDrained = true));
    expect(isDrained).toBe(false);
    answer();
    expect(await client.closed).toBe('done');
    await until('the drain', () => isDrained);
  });
});

/** Without the end that `resetAndDestroy` sends first, after which nobody listens for more. */
function breakOff(socket: Socket): void {
  // Of a socket that is connected, as Node.js has it.
  const handle = Reflect.get(socket, '_handle') as { reset: (done: () => void) => void };
  handle.reset(() => socket.destroy());
}

/** What is said to the connection of that seed: each byte tells the place and whose it is. */
function pattern(seed: number, from: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at += 1)
    bytes[at] = ((from + at) * 31 + seed * 7 + ((from + at) >> 8)) & 0xff;
  return bytes;
}

/** Asked with a seed and a size, says that much in pieces of all sizes, as fast as it can. */
function sayPattern(connection: Socket): void {
  connection.once('data', (asked: Buffer) => {
    const [seed = 0, bytes = 0] = asked.toString().split(' ').map(Number);
    let said = 0;
    const say = (): void => {
      while (said < bytes) {
        const length = Math.min(
          bytes - said,
          1 + ((said * 7_919 + seed) % (seed % 2 === 0 ? 90_000 : 3_000)),
        );
        const hasRoom = connection.write(pattern(seed, said, length));
        said += length;
        if (!hasRoom) {
          connection.once('drain', say);
          return;
        }
      }
      connection.end();
    };
    say();
  });
}

/** Null: all of it has come, or what had come before it broke off, as it was said. */
function readPattern(
  port: number,
  { seed, bytes, how }: { seed: number; bytes: number; how: 'fast' | 'slow' | 'breaks' },
): Promise<string | null> {
  return new Promise((resolve) => {
    let got = 0;
    let wrong: string | null = null;
    const socket = connect(port, '127.0.0.1');
    socket.write(`${String(seed)} ${String(bytes)}`);
    socket.on('data', (chunk: Buffer) => {
      if (!chunk.equals(pattern(seed, got, chunk.length)))
        wrong ??= `other bytes from ${String(got)} on`;
      got += chunk.length;
      if (how === 'breaks' && got > bytes / 2) socket.resetAndDestroy();
      if (how !== 'slow') return;
      // Long enough for the system's own buffers to be full, and those of the proxy to be needed.
      socket.pause();
      setTimeout(() => socket.resume(), 2);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const isWhole = how === 'breaks' || got === bytes;
      resolve(wrong ?? (isWhole ? null : `${String(got)} of ${String(bytes)} bytes`));
    });
  });
}
