// Reads that any node may answer: where they go, what happens when a node fails, and what stays with the primary.
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseTargets } from '../../src/config/proxy-address.ts';
import { StaticSource } from '../../src/proxy/static-source.ts';
import type { ReadFrom } from '../../src/proxy/read-choice.ts';
import { until } from '../support/until.ts';
import { ask, rawClient, silence, startPrimary, startProxy } from './support/proxied.ts';
import type { Primary, Proxied, Told } from './support/proxied.ts';

type Handler = NonNullable<Parameters<typeof startPrimary>[2]>;

/** Answers with its name, and with what it was told of itself. */
const naming =
  (name: string): Handler =>
  (incoming, response) => {
    const { 'x-failover-node': node = '-', 'x-failover-epoch': epoch = '-' } = incoming.headers;
    incoming.resume();
    response.end(`${name} ${String(node)} ${String(epoch)}`);
  };

interface Scene extends Proxied {
  readonly nodes: readonly [Primary, Primary, Primary];
  readonly get: () => Promise<Told>;
}

/** Three nodes of which the first leads, all of them checked. */
async function scene(
  readFrom: ReadFrom,
  handlers: Readonly<Record<string, Handler>> = {},
): Promise<Scene> {
  const start = (name: string): Promise<Primary> =>
    startPrimary(name, 7, handlers[name] ?? naming(name));
  const nodes = [await start('a'), await start('b'), await start('c')] as const;
  const proxied = await startProxy({ readFrom });
  await proxied.proxy.followNodes(nodes.map(({ term }) => term));
  proxied.proxy.listener.ready(nodes[0].term);
  return { ...proxied, nodes, get: () => ask(proxied.port) };
}

/** What so many reads are answered, one after the other: each answer once, in order of the alphabet. */
async function answersOf(get: Scene['get'], count = 6): Promise<readonly string[]> {
  const bodies = new Set<string>();
  for (let asked = 0; asked < count; asked += 1) {
    const { status, body } = await get();
    bodies.add(status === 200 ? body : String(status));
  }
  return [...bodies].sort();
}

describe('reads', () => {
  it('go to all nodes in turn, and say to which', async () => {
    const { get } = await scene('any');
    expect(await answersOf(get)).toEqual(['a a 7', 'b b -', 'c c -']);
  });

  it('go to all nodes but the primary', async () => {
    const { get, nodes } = await scene('secondaries');
    expect(await answersOf(get)).toEqual(['b b -', 'c c -']);
    expect(nodes[0].requests).toEqual([]);
  });

  it('go to the primary alone by default', async () => {
    const { get } = await scene('primary');
    expect(await answersOf(get)).toEqual(['a a 7']);
  });

  it('are answered while nobody leads, and held where no node is left', async () => {
    const { get, nodes, proxy } = await scene('any');
    proxy.listener.lost('it died');
    expect(await answersOf(get)).toEqual(['b b -', 'c c -']);
    nodes[1].kill();
    nodes[2].kill();
    const held = get();
    await until('it to be held', () => proxy.report().held === 1);
    proxy.listener.ready({ ...nodes[0].term, epoch: 8 });
    expect(await held).toMatchObject({ status: 200, body: 'a a 8' });
  });

  it('of a list of servers go to those that answer', async () => {
    const [first, second] = [await startPrimary('a', 1), await startPrimary('b', 1)];
    const { proxy, port } = await startProxy({ readFrom: 'secondaries' });
    const source = new StaticSource(parseTargets(`${first.term.target},${second.term.target}`));
    onTestFinished(() => source.close());
    await source.start(proxy.listener, (nodes) => void proxy.followNodes(nodes));
    await until('a read to go to the second', () => {
      void ask(port);
      return second.requests.length > 0;
    });
    const before = first.requests.length;
    expect(await ask(port)).toMatchObject({ status: 200 });
    expect(first.requests).toHaveLength(before);
    expect(await ask(port, { method: 'POST', body: 'x' })).toMatchObject({ status: 200 });
    expect(first.requests.slice(before)).toEqual(['POST /']);
  });
});

describe('a read whose node fails', () => {
  it('is sent to another one, and its node gets none after a few', async () => {
    const dying: Handler = (incoming) => incoming.socket.destroy();
    const { get, nodes, proxy } = await scene('secondaries', { b: dying });
    expect(await answersOf(get, 20)).toEqual(['c c -']);
    expect(nodes[1].requests.length).toBeLessThan(10);
    expect(proxy.report().counts.repeated).toBe(nodes[1].requests.length);
  });

  it('is sent to another one when it answers what is no HTTP, or nothing in time', async () => {
    const odd: Handler = (incoming) => incoming.socket.end('nonsense\r\n\r\n');
    const { get } = await scene('secondaries', { b: odd });
    expect(await answersOf(get, 4)).toEqual(['c c -']);
    const nodes = [await startPrimary('b', 1, silence), await startPrimary('c', 1, naming('c'))];
    const { proxy, port } = await startProxy({ readFrom: 'any', answerTimeoutMs: 50 });
    await proxy.followNodes(nodes.map(({ term }) => term));
    expect(await answersOf(() => ask(port), 2)).toEqual(['c c -']);
  });

  it('goes at last to the primary, also one to which it went before another led', async () => {
    const dying: Handler = (incoming) => incoming.socket.destroy();
    const { get } = await scene('secondaries', { b: dying, c: dying });
    expect(await get()).toMatchObject({ status: 200, body: 'a a 7' });
  });

  it('is broken off where the client has a part of the answer', async () => {
    const partial: Handler = (incoming, response) => {
      response.write('a part');
      setImmediate(() => incoming.socket.destroy());
    };
    const { get } = await scene('secondaries', { b: partial, c: partial });
    expect(await get()).toMatchObject({ body: 'a part', isWhole: false });
  });

  it('is sent to another one when the primary that has it is lost', async () => {
    const { port, nodes, proxy } = await scene('any', { a: silence });
    const asked = ['/1', '/2', '/3'].map((path) => ask(port, { path }));
    await until('the primary to have one', () => nodes[0].requests.length === 1);
    proxy.listener.lost('it hangs');
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 200]);
    expect(proxy.report().everHeld).toBe(0);
  });
});

describe('what is no read', () => {
  it('goes to the primary, with its epoch', async () => {
    const { port } = await scene('any');
    const asked = [
      { method: 'POST', body: 'x' },
      { method: 'PUT', body: 'x' },
      { method: 'DELETE' },
      { method: 'OPTIONS' },
      { method: 'GET', body: 'x', headers: { 'content-length': '1' } },
      { method: 'GET', headers: { connection: 'upgrade', upgrade: 'h2c' } },
    ];
    for (const one of [...asked, ...asked])
      expect(await ask(port, one)).toMatchObject({ body: 'a a 7' });
    const socket = 'Connection: Upgrade\r\nUpgrade: websocket\r\nHost: x\r\n\r\n';
    const { closed } = rawClient(port, `GET / HTTP/1.1\r\n${socket}`);
    expect(await closed).toContain('a a 7');
  });

  it('is held while nobody leads', async () => {
    const { port, proxy, nodes, get } = await scene('any');
    proxy.listener.lost('it died');
    const held = ask(port, { method: 'POST' });
    await until('it to be held', () => proxy.report().held === 1);
    expect(await get()).toMatchObject({ status: 200 });
    expect(proxy.report().held).toBe(1);
    proxy.listener.ready({ ...nodes[1].term, epoch: 8 });
    expect(await held).toMatchObject({ body: 'b b 8' });
  });
});

describe('a planned end', () => {
  it('waits for the reads of the primary, and sends it no more', async () => {
    let answer = (): void => undefined;
    const waiting: Handler = (_, response) => {
      answer = () => response.end('late');
    };
    const { port, nodes, proxy, get } = await scene('any', { a: waiting });
    const asked = [ask(port), ask(port), ask(port)];
    await until('the primary to have one', () => nodes[0].requests.length === 1);
    let isDrained = false;
    proxy.listener.closing(() => (isDrained = true));
    expect(await answersOf(get)).toEqual(['b b -', 'c c -']);
    expect(isDrained).toBe(false);
    answer();
    expect((await Promise.all(asked)).map(({ body }) => body).sort()).toContain('late');
    expect(isDrained).toBe(true);
    expect(nodes[0].requests).toHaveLength(1);
  });
});

describe('a node that is read from', () => {
  it('gets no more when it leaves, and what it had is sent to another', async () => {
    const { port, nodes, proxy, get } = await scene('secondaries', { b: silence });
    const asked = [ask(port), ask(port)];
    await until('the node to have one', () => nodes[1].requests.length === 1);
    void proxy.followNodes([nodes[0].term, nodes[2].term]);
    expect((await Promise.all(asked)).map(({ body }) => body)).toEqual(['c c -', 'c c -']);
    expect(await answersOf(get)).toEqual(['c c -']);
    expect(proxy.report()).toMatchObject({ underWay: 0 });
  });

  it('has no more than may be under way: the others go elsewhere', async () => {
    const nodes = [await startPrimary('a', 7, naming('a')), await startPrimary('b', 7, silence)];
    const [first, second] = nodes;
    const { proxy, port } = await startProxy({ readFrom: 'secondaries', maxConnections: 2 });
    await proxy.followNodes(nodes.map(({ term }) => term));
    if (first !== undefined) proxy.listener.ready(first.term);
    const asked = ['/1', '/2'].map((path) => ask(port, { path }));
    await until('it to have two', () => second?.requests.length === 2);
    expect(await ask(port)).toMatchObject({ body: 'a a 7' });
    await proxy.destroy();
    expect((await Promise.all(asked)).map(({ headers }) => headers['x-failover-error'])).toEqual([
      ...['stopping', 'stopping'],
    ]);
  });

  it('ends its event streams in order when the proxy ends', async () => {
    const events: Handler = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
    };
    const { port, proxy } = await scene('secondaries', { b: events, c: events });
    const { closed, text } = rawClient(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await until('an event', () => text().includes('data: 1'));
    await proxy.close();
    expect(await closed).toMatch(/0\r\n\r\n$/);
  });
});
