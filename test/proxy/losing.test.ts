// A primary that is lost, doubted or replaced while requests wait or are under way.
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { ask, echo, rawClient, silence, startPrimary, startProxy } from './support/proxied.ts';
import type { Asking, Primary, Proxied, Told } from './support/proxied.ts';

interface Loss extends Proxied {
  readonly first: Primary;
  readonly next: Primary;
  readonly told: Promise<Told>;
}

/** A request that is under way to a primary that does not answer it; another stands by. */
async function underWay(asking: Asking): Promise<Loss> {
  const first = await startPrimary('a', 1, silence);
  const next = await startPrimary('b', 2);
  const proxied = await startProxy();
  proxied.proxy.listener.ready(first.term);
  const told = ask(proxied.port, asking);
  await until('the request to arrive', () => first.requests.length === 1);
  return { ...proxied, first, next, told };
}

const REPEATED: readonly Asking[] = [
  { method: 'GET' },
  { method: 'HEAD' },
  { method: 'OPTIONS' },
  { method: 'DELETE' },
  { method: 'PUT', body: 'hello' },
  { method: 'POST', body: 'hello', headers: { 'idempotency-key': 'k1' } },
];

describe('a request that is under way when the primary is lost', () => {
  it.each(REPEATED)('is repeated at the next one: $method', async (asking) => {
    const { proxy, next, told } = await underWay(asking);
    proxy.listener.lost('its process is gone');
    proxy.listener.ready(next.term);
    const length = String(asking.body?.length ?? 0);
    expect(await told).toMatchObject({
      status: 200,
      headers: { 'x-failover-repeated': '1' },
      body: asking.method === 'HEAD' ? '' : `${asking.method ?? ''} / ${length}`,
    });
    expect(proxy.report().counts.repeated).toBe(1);
  });

  it.each(['POST', 'PATCH'])('is answered with a code of its own: %s', async (method) => {
    const { proxy, next, told, refused } = await underWay({ method, body: 'hello' });
    proxy.listener.lost('its process is gone');
    expect(await told).toMatchObject({
      status: 502,
      headers: { 'x-failover-error': 'unsafe-in-flight' },
    });
    proxy.listener.ready(next.term);
    expect(next.requests).toEqual([]);
    expect(refused).toEqual(['unsafe-in-flight']);
    expect(proxy.report().counts.refusedFor('unsafe-in-flight')).toBe(1);
  });

  it.each([
    ['empty', { 'idempotency-key': ' ' }],
    ['an empty text', { 'idempotency-key': '""' }],
    ['not passed on', { 'idempotency-key': 'k1', connection: 'close, Idempotency-Key' }],
  ])('is not repeated by a key that is %s', async (_, headers) => {
    const { proxy, next, told } = await underWay({ method: 'POST', body: 'hello', headers });
    proxy.listener.lost('its process is gone');
    proxy.listener.ready(next.term);
    expect(await told).toMatchObject({ headers: { 'x-failover-error': 'unsafe-in-flight' } });
    expect(next.requests).toEqual([]);
  });

  it('has its answer where that has come before the word of the loss was heard', async () => {
    const { proxy, port } = await startProxy();
    const primary = await startPrimary('a', 1, (_, response) => {
      response.end('done');
      proxy.listener.lost('its process is gone');
    });
    proxy.listener.ready(primary.term);
    expect(await ask(port, { method: 'POST' })).toMatchObject({ status: 200, body: 'done' });
  });

  it('is repeated when the connection breaks before anything is heard of a loss', async () => {
    const { proxy, first, next, told, load } = await underWay({});
    first.kill();
    await until('it to be held', () => load()[0] === 1);
    proxy.listener.lost('its process is gone');
    proxy.listener.ready(next.term);
    expect(await told).toMatchObject({ status: 200, headers: { 'x-failover-repeated': '1' } });
  });

  it('goes on while the primary is doubted, and is answered by it', async () => {
    let answer = (): void => undefined;
    const primary = await startPrimary('a', 1, (_, response) => {
      answer = () => response.end('late');
    });
    const { proxy, port, load } = await startProxy();
    proxy.listener.ready(primary.term);
    const told = ask(port);
    await until('the request to arrive', () => primary.requests.length === 1);
    proxy.listener.doubted('it is silent');
    const held = ask(port, { path: '/second' });
    await until('the second to be held', () => load()[0] === 1);
    answer();
    expect(await told).toMatchObject({ status: 200, body: 'late' });
    expect(primary.requests).toHaveLength(1);
    proxy.listener.ready(primary.term);
    await until('the second to arrive', () => primary.requests.length === 2);
    answer();
    expect((await held).headers).toHaveProperty('x-failover-held-ms');
  });

  it('is cut off where the client has a part of the answer', async () => {
    const first = await startPrimary('a', 1, (_, response) => {
      response.write('a part');
    });
    const { proxy, port } = await startProxy();
    proxy.listener.ready(first.term);
    const client = rawClient(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await until('a part of it', () => client.text().includes('a part'));
    proxy.listener.lost('its process is gone');
    expect(await client.closed).not.toContain('\r\n0\r\n');
    expect(proxy.report().counts.cut).toBe(1);
  });

  it('is repeated where a short answer was not whole yet', async () => {
    const first = await startPrimary('a', 1, (_, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('half');
    });
    const next = await startPrimary('b', 2);
    const { proxy, port } = await startProxy();
    proxy.listener.ready(first.term);
    const told = ask(port);
    await until('the request to arrive', () => first.requests.length === 1);
    first.kill();
    await until('it to be held', () => proxy.report().held === 1);
    proxy.listener.ready(next.term);
    expect(await told).toMatchObject({ status: 200, body: 'GET / 0' });
  });

  it('is not repeated where its body is too long to be kept', async () => {
    const first = await startPrimary('a', 1, (incoming) => incoming.resume());
    const { proxy, port } = await startProxy({ repeatMaxBytes: 100_000 });
    proxy.listener.ready(first.term);
    const told = ask(port, { method: 'PUT', body: 'x'.repeat(3_000_000) });
    await until('the request to arrive', () => first.requests.length === 1);
    await until('nothing of it to be kept', () => proxy.report().bytes === 0);
    proxy.listener.lost('its process is gone');
    expect(await told).toMatchObject({ headers: { 'x-failover-error': 'unsafe-in-flight' } });
  });

  it('is sent over another connection where its own was closed before any of its body had come', async () => {
    const kept = new Set<Socket>();
    const primary = await startPrimary('a', 1, (incoming, response) => {
      kept.add(incoming.socket);
      echo(incoming, response);
    });
    const { proxy, port } = await startProxy();
    proxy.listener.ready(primary.term);
    await ask(port);
    const head =
      'POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n';
    const client = rawClient(port, head);
    await until('it to be under way', () => proxy.report().underWay === 1);
    for (let other = 0; other < 3; other += 1) await ask(port);
    for (const socket of kept) socket.destroy();
    for (let other = 0; other < 3; other += 1) await ask(port);
    client.socket.write('1\r\na\r\n0\r\n\r\n');
    expect(await client.closed).toContain('POST /x 1');
    expect(primary.requests.filter((text) => text === 'POST /x')).toHaveLength(1);
    expect(proxy.report().counts.repeated).toBe(0);
  });

  it('is repeated with all of a body that still comes', async () => {
    const first = await startPrimary('a', 1, (incoming) => incoming.resume());
    const next = await startPrimary('b', 2);
    const { proxy, port } = await startProxy();
    proxy.listener.ready(first.term);
    const head =
      'PUT /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n';
    const client = rawClient(port, `${head}5\r\nhello\r\n`);
    await until('the request to arrive', () => first.requests.length === 1);
    proxy.listener.lost('its process is gone');
    proxy.listener.ready(next.term);
    client.socket.write('6\r\n world\r\n0\r\n\r\n');
    expect(await client.closed).toContain('PUT /x 11');
  });

  it('is not sent again and again to primaries that all die of it', async () => {
    const first = await startPrimary('a', 1, ({ socket }) => socket.destroy());
    const { proxy, port } = await startProxy();
    proxy.listener.ready(first.term);
    expect(await ask(port)).toMatchObject({
      headers: { 'x-failover-error': 'unsafe-in-flight', 'x-failover-repeated': '10' },
    });
    expect(first.requests).toHaveLength(11);
  });

  it('is not cut by word of the loss of a term that is over', async () => {
    const { proxy, port, next, told } = await underWay({});
    proxy.listener.ready(next.term);
    proxy.listener.lost('its process is gone', 1);
    expect(await told).toMatchObject({ status: 200 });
    expect(await ask(port)).toMatchObject({ status: 200 });
  });
});

describe('a request that comes while nobody leads', () => {
  it('waits, with its body, and is answered by the next primary in the order of coming', async () => {
    const { proxy, port, load } = await startProxy({ maxConnections: 1 });
    const told: Promise<Told>[] = [];
    for (let index = 0; index < 40; index += 1) {
      told.push(ask(port, { method: 'POST', path: `/${String(index)}`, body: 'hello' }));
      await until('it to be held', () => load()[0] === index + 1);
    }
    expect(proxy.report().bytes).toBe(200);
    const primary = await startPrimary('a', 1);
    proxy.listener.ready(primary.term);
    const all = await Promise.all(told);
    expect(all.map(({ status }) => status)).toEqual(told.map(() => 200));
    expect(primary.requests).toEqual(told.map((_, index) => `POST /${String(index)}`));
    expect(all[0]?.headers).toHaveProperty('x-failover-held-ms');
    expect(all[0]?.headers).not.toHaveProperty('x-failover-repeated');
    expect(proxy.report()).toMatchObject({ held: 0, underWay: 0, bytes: 0, everHeld: 40 });
  });

  it('does not come down on a new primary all at once', async () => {
    const { proxy, port, load } = await startProxy();
    const told = Array.from({ length: 200 }, () => ask(port));
    await until('all to be held', () => load()[0] === 200);
    let present = 0;
    let most = 0;
    let answered = 0;
    const primary = await startPrimary('a', 1, (incoming, response) => {
      present += 1;
      most = Math.max(most, present);
      setImmediate(() => {
        present -= 1;
        answered += 1;
        echo(incoming, response);
      });
    });
    proxy.listener.ready(primary.term);
    await Promise.all(told);
    expect(answered).toBe(200);
    expect(most).toBeLessThan(100);
  });

  it('is refused where no more may be held, and after the time that it may be', async () => {
    const { proxy, port, load, refused } = await startProxy({ holdMax: 1, holdMs: 1_000 });
    const first = ask(port);
    await until('the first to be held', () => load()[0] === 1);
    expect(await ask(port)).toMatchObject({
      status: 503,
      headers: { 'x-failover-error': 'hold-full', 'retry-after': '1' },
    });
    expect(await first).toMatchObject({
      status: 503,
      headers: { 'x-failover-error': 'no-primary', 'retry-after': '1' },
    });
    expect(refused).toEqual(['hold-full', 'no-primary']);
    expect(proxy.report().counts.refusedFor('no-primary')).toBe(1);
  });

  it('is refused when the proxy ends', async () => {
    const { proxy, port, load } = await startProxy();
    const told = ask(port);
    await until('it to be held', () => load()[0] === 1);
    await proxy.destroy();
    expect(await told).toMatchObject({ status: 503, headers: { 'x-failover-error': 'stopping' } });
  });

  it('leaves the hold when its client goes away', async () => {
    const { proxy, port, load } = await startProxy();
    const client = rawClient(port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi');
    await until('it to be held', () => load()[0] === 1);
    client.socket.destroy();
    await until('it to be gone', () => load()[0] === 0);
    expect(proxy.report()).toMatchObject({ bytes: 0, counts: { clientsGone: 1 } });
  });

  it('is tried again where the primary does not listen yet', async () => {
    const primary = await startPrimary('a', 1);
    const target = primary.term;
    primary.kill();
    const { proxy, port, load } = await startProxy();
    proxy.listener.ready(target);
    const told = ask(port, { method: 'POST', body: 'hello' });
    await until('it to be held', () => load()[0] === 1);
    const next = await startPrimary('b', 2);
    proxy.listener.ready(next.term);
    expect(await told).toMatchObject({ status: 200, body: 'POST / 5' });
  });

  it('holds a thousand of them with no more bytes than it may keep', async () => {
    const { proxy, port, load } = await startProxy({ holdMaxBytes: 500_000 });
    const body = 'x'.repeat(2_000);
    const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${String(body.length)}\r\n\r\n`;
    const clients = Array.from({ length: 1_000 }, () => rawClient(port, head + body));
    await until('all to be held', () => load()[0] === 1_000);
    expect(proxy.report().bytes).toBe(500_000);
    const primary = await startPrimary('a', 1);
    proxy.listener.ready(primary.term);
    await until('all to be answered', () => proxy.report().counts.answered === 1_000);
    await until('the last of it', () =>
      clients.every(({ text }) => text().includes('POST / 2000')),
    );
    expect(proxy.report()).toMatchObject({ held: 0, underWay: 0, bytes: 0 });
  });
});

describe('a planned end of the primary', () => {
  it('is drained when what is under way is answered, and what comes meanwhile waits for the next', async () => {
    let answer = (): void => undefined;
    const first = await startPrimary('a', 1, (_, response) => {
      answer = () => response.end('done');
    });
    const next = await startPrimary('b', 2);
    const { proxy, port, load } = await startProxy();
    proxy.listener.ready(first.term);
    const before = ask(port, { method: 'POST' });
    await until('the request to arrive', () => first.requests.length === 1);
    const drained: string[] = [];
    proxy.listener.closing(() => drained.push('drained'));
    const during = ask(port, { method: 'POST' });
    await until('the second to be held', () => load()[0] === 1);
    expect(drained).toEqual([]);
    answer();
    expect(await before).toMatchObject({ status: 200, body: 'done' });
    await until('it to be drained', () => drained.length === 1);
    first.kill();
    proxy.listener.ready(next.term);
    expect(await during).toMatchObject({ status: 200, body: 'POST / 0' });
    expect(first.requests).toHaveLength(1);
    expect(drained).toEqual(['drained']);
  });

  it('goes on with the same primary when the end is called off', async () => {
    const primary = await startPrimary('a', 1);
    const { proxy, port, load } = await startProxy();
    proxy.listener.ready(primary.term);
    await ask(port);
    proxy.listener.closing(() => undefined);
    const during = ask(port);
    await until('it to be held', () => load()[0] === 1);
    proxy.listener.ready({ ...primary.term });
    expect(await during).toMatchObject({ status: 200 });
  });
});
