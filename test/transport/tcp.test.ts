// Nodes of several machines: TCP on the loopback, with keys, without, and with strangers at the door.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { generateKeyPair } from '../../src/keys/key-pair.ts';
import { AuthorizedKeys } from '../../src/keys/authorized-keys.ts';
import { tcpAddress } from '../../src/transport/tcp.ts';
import { failureOf } from '../support/failover-error.ts';
import {
  beatUntilHeard,
  call,
  eventually,
  heartbeat,
  openNode,
  standbyInfo,
} from './support/nodes.ts';
import { at, keyRing, openRemote } from './support/tcp.ts';
import type { RemoteNode } from './support/tcp.ts';

const probe = { timeoutMs: 15_000, standby: standbyInfo() };

/** The node without its place on this machine: what is heard of it came over TCP. */
function afar(node: RemoteNode): RemoteNode {
  return { ...node, holder: node.remote };
}

describe('nodes with keys', () => {
  it('hear, probe and ask each other', async () => {
    const { keys } = keyRing(2);
    const [a, b] = [openRemote('a', { keys: at(keys, 0) }), openRemote('b', { keys: at(keys, 1) })];
    b.bus.follow(a.remote);
    await beatUntilHeard(afar(a), b);
    expect(await b.bus.probe(probe)).toMatchObject({ run: 'a-run', epoch: 7 });
    expect(a.events).toContainEqual({ type: 'standby-heard', standby: probe.standby });
    const answer = await b.bus.requestDemotion({ successor: 'b', timeoutMs: 15_000 });
    expect(answer).toEqual({ accepted: true, detail: 'done' });
  });

  it('ask without a time of this machine, whose clock is none of the other', async () => {
    const { keys } = keyRing(2);
    const asked: unknown[] = [];
    const a = openRemote('a', { keys: at(keys, 0) });
    const b = openRemote('b', { keys: at(keys, 1) });
    await a.bus.close();
    a.transport.openGroup({
      ...{ group: 'web', nodeId: 'a', run: 'a-run', version: '1', startedAt: '' },
      reach: 'machines',
      describe: () => ({ epoch: 7, role: 'primary' }),
      onEvent: () => undefined,
      onRequest: (_, params) => {
        asked.push(params);
        return Promise.resolve({ detail: 'done' });
      },
    });
    b.bus.follow(a.remote);
    await b.bus.requestDemotion({ successor: 'b', timeoutMs: 15_000 });
    expect(asked).toEqual([{ group: 'web', successor: 'b', answerEarly: true }]);
  });

  it('answer who is on their machine without any', async () => {
    const a = openRemote('a', { keys: at(keyRing(1).keys, 0) });
    expect(await call(a, 'instance.ping')).toMatchObject({ run: 'a-run' });
  });

  it('of a group of one machine hear nothing of each other and get no answer', async () => {
    const { keys } = keyRing(2);
    const [a, b] = [openRemote('a', { keys: at(keys, 0) }), openRemote('b', { keys: at(keys, 1) })];
    const requests: string[] = [];
    const onRequest = (method: string): Promise<unknown> => {
      requests.push(method);
      return Promise.resolve({ detail: 'done' });
    };
    const own = openNode(a.transport, 'a', { group: 'own', reach: 'local', onRequest });
    const spy = openNode(b.transport, 'b', { group: 'own', reach: 'local' });
    spy.bus.follow({ ...own.holder, endpoints: a.remote.endpoints });
    b.bus.follow(a.remote);
    await expect(spy.bus.probe(probe)).rejects.toThrow('has no node of group own');
    const answer = await spy.bus.requestDemotion({ successor: 'b', timeoutMs: 15_000 });
    expect(answer).toMatchObject({ accepted: false });
    expect([requests, own.events]).toEqual([[], []]);
    // Of what is published in one order, all that comes before what is heard was not sent.
    own.bus.publish(heartbeat());
    await beatUntilHeard(afar(a), b);
    own.bus.publish(heartbeat());
    await beatUntilHeard(afar(a), b);
    expect(spy.events.filter(({ type }) => type === 'heartbeat-received')).toEqual([]);
    // Who is on the machine of it is answered as ever.
    expect(await call(own, 'instance.ping', { group: 'own' })).toMatchObject({ run: 'a-run' });
  });

  it('notice at once when the other one is gone', async () => {
    const { keys } = keyRing(2);
    const [a, b] = [openRemote('a', { keys: at(keys, 0) }), openRemote('b', { keys: at(keys, 1) })];
    b.bus.follow(a.remote);
    await beatUntilHeard(afar(a), b);
    await a.transport.close();
    await eventually(() => {
      expect(b.events).toContainEqual({ type: 'connection-lost', run: 'a-run' });
    });
  });

  it('turn away a key that is not on the list, and let it in once it is', async () => {
    const { keys, pairs, authorize } = keyRing(2);
    authorize([at(pairs, 0)]);
    const [a, b] = [openRemote('a', { keys: at(keys, 0) }), openRemote('b', { keys: at(keys, 1) })];
    b.bus.follow(a.remote);
    await eventually(() => {
      a.bus.publish(heartbeat());
      expect(a.transport.counters().distrusted['unauthorized-key']).toBeGreaterThanOrEqual(2);
    });
    expect(b.events.filter(({ type }) => type !== 'connection-lost')).toEqual([]);
    expect(a.transport.troubles()).toEqual([
      `a connection from 127.0.0.1 was refused: its key ${at(pairs, 1).publicKey} is not authorized`,
    ]);
    await eventually(() => {
      expect(b.transport.troubles()).toEqual([
        `${a.remote.endpoints.bus} refuses this node's key: add it to the --authorized-keys there`,
      ]);
    });
    authorize(pairs);
    await beatUntilHeard(afar(a), b);
    expect(await b.bus.probe(probe)).toMatchObject({ run: 'a-run' });
  });

  it('keep the list that they have when it can no longer be read, and say so', () => {
    const { keys, pairs, authorize } = keyRing(2);
    const { authorized } = at(keys, 0);
    authorize([{ publicKey: 'nonsense', secretKey: '' }]);
    expect(authorized.has(at(pairs, 1).publicKey)).toBe(true);
    expect(authorized.problem).toMatch(
      /line 1 has no public key; the previous keys stay in effect$/,
    );
    authorize([at(pairs, 0)]);
    expect(authorized.has(at(pairs, 1).publicKey)).toBe(false);
    expect(authorized.problem).toBeNull();
  });

  it('share one key where there is no list', async () => {
    const own = generateKeyPair();
    const keys = { own, authorized: new AuthorizedKeys(own.publicKey, null) };
    const [a, b] = [openRemote('a', { keys }), openRemote('b', { keys })];
    b.bus.follow(a.remote);
    await beatUntilHeard(afar(a), b);
    expect(keys.authorized.has(generateKeyPair().publicKey)).toBe(false);
  });

  it('connect to nobody whose key they do not know, whatever a store says', async () => {
    const b = openRemote('b', { keys: at(keyRing(1).keys, 0) });
    const stranger = openRemote('a', { keys: at(keyRing(1).keys, 0) });
    const open = openRemote('a');
    b.bus.follow(stranger.remote);
    await expect(b.bus.probe(probe)).rejects.toThrow('is not authorized');
    b.bus.follow(open.remote);
    await expect(b.bus.probe(probe)).rejects.toThrow('it is --insecure');
    expect(b.transport.linkCount).toBe(0);
    expect(at(b.transport.troubles(), 0)).toContain('is not authorized');
    open.bus.follow(b.remote);
    await expect(open.bus.probe(probe)).rejects.toThrow('it requires keys');
  });

  it('believe no one who has the public key of a node and not its secret', async () => {
    const { keys, pairs } = keyRing(2);
    const a = openRemote('a', { keys: at(keys, 0) });
    const b = openRemote('b', { keys: at(keys, 1) });
    // An address that another process has by now: it has a key of its own.
    const thief = openRemote('a', { keys: at(keyRing(1).keys, 0) });
    b.bus.follow({
      ...a.remote,
      endpoints: { ...thief.remote.endpoints, key: at(pairs, 0).publicKey },
    });
    await eventually(() => {
      thief.bus.publish(heartbeat());
      expect(thief.transport.counters().distrusted['broken-handshake']).toBeGreaterThanOrEqual(2);
    });
    expect(b.events.filter(({ type }) => type !== 'connection-lost')).toEqual([]);
  });
});

describe('nodes that are --insecure', () => {
  it('hear and ask each other', async () => {
    const [a, b] = [openRemote('a'), openRemote('b')];
    b.bus.follow(a.remote);
    await beatUntilHeard(afar(a), b);
    expect(await b.bus.probe(probe)).toMatchObject({ run: 'a-run' });
    expect(a.remote.endpoints).not.toHaveProperty('key');
  });

  it.runIf(hasIpv6())('find each other by IPv6', async () => {
    const bind = { kind: 'tcp', host: '::1', port: 0 } as const;
    const [a, b] = [openRemote('a', { bind }), openRemote('b', { bind })];
    expect(a.remote.endpoints.bus).toMatch(/^tcp:\/\/\[::1\]:\d+$/);
    b.bus.follow(a.remote);
    await beatUntilHeard(afar(a), b);
  });

  it('find each other by a name', async () => {
    const advertise = { host: 'localhost', port: null };
    const [a, b] = [openRemote('a', { advertise }), openRemote('b')];
    expect(a.remote.endpoints.bus).toMatch(/^tcp:\/\/localhost:\d+$/);
    b.bus.follow(a.remote);
    await beatUntilHeard(afar(a), b);
  });
});

describe('an address', () => {
  it('is told as it is advertised, requests at the next port', () => {
    const a = openRemote('a', {
      bind: { kind: 'tcp', host: '*', port: 0 },
      advertise: { host: 'fe80::1', port: 7400 },
    });
    expect(a.remote.endpoints).toEqual({
      bus: 'tcp://[fe80::1]:7400',
      rpc: 'tcp://[fe80::1]:7401',
    });
  });

  it('that is in use is named, and nothing is left open', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const failure = failureOf(() =>
      openRemote('a', { bind: { kind: 'tcp', host: '127.0.0.1', port } }),
    );
    expect(failure.code).toBe('FAILOVER_ADDRESS_IN_USE');
    expect(failure.message).toContain(`Cannot listen on ${tcpAddress('127.0.0.1', port)}`);
  });

  it.each([
    'tcp://h',
    'tcp://h:0',
    'tcp://h:65536',
    'tcp://*:1',
    'tcp://a:1;b:2',
    'tcp://[x]:1',
    'inproc://x',
    'udp://h:1',
  ])('that is none is not connected to: %s', async (address) => {
    const b = openRemote('b');
    b.bus.follow({ node: 'a', run: 'a-run', endpoints: { bus: address, rpc: address } });
    await expect(b.bus.probe(probe)).rejects.toThrow('it is not a node address');
  });
});

describe('garbage on the port', () => {
  it('ends no connection of others, and is counted', async () => {
    const { keys } = keyRing(2);
    const [a, b] = [openRemote('a', { keys: at(keys, 0) }), openRemote('b', { keys: at(keys, 1) })];
    b.bus.follow(a.remote);
    await beatUntilHeard(afar(a), b);
    for (const address of [a.remote.endpoints.bus, a.remote.endpoints.rpc]) {
      for (const bytes of GARBAGE) await throwAt(address, bytes);
    }
    await beatUntilHeard(afar(a), b);
    expect(await b.bus.probe(probe)).toMatchObject({ run: 'a-run' });
    expect(b.events.filter(({ type }) => type === 'connection-lost')).toEqual([]);
    await eventually(() => {
      expect(a.transport.counters().distrusted['broken-handshake']).toBeGreaterThan(0);
    });
  });
});

/** The greeting of ZMTP 3.1 for CURVE, and what could follow it. */
const GREETING = Buffer.concat([
  Buffer.from('ff00000000000000017f0301', 'hex'),
  Buffer.from('CURVE'.padEnd(52, '\0'), 'latin1'),
]);

const GARBAGE: readonly Buffer[] = [
  Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  Buffer.alloc(0),
  Buffer.alloc(100_000, 0xff),
  randomBytes(4096),
  GREETING.subarray(0, 11),
  Buffer.concat([GREETING, Buffer.from('0405')]),
  Buffer.concat([GREETING, Buffer.from('06ffffffffffffffff', 'hex')]),
  Buffer.concat([GREETING, Buffer.from('04c80548454c4c4f', 'hex'), randomBytes(194)]),
];

/** Says it, and waits until the other side has ended the connection too. */
function throwAt(address: string, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(/(\d+)$/.exec(address)?.[1]), '127.0.0.1');
    // It may be ended while it still speaks.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve();
    });
    socket.end(bytes);
    socket.resume();
  });
}

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === '::1'),
  );
}
