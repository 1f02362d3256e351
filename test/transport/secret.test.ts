// Nodes that share a secret: they believe each other and no one else, nor what they said before.
import { describe, expect, it, onTestFinished } from 'vitest';
import { Dealer, Router, Subscriber } from 'zeromq';
import type { Distrust } from '../../src/transport/counters.ts';
import { Seal } from '../../src/transport/seal.ts';
import {
  beatUntilHeard,
  call,
  eventually,
  heartbeat,
  openNode,
  openRawPeer,
  openTransport,
  publishUntil,
  rawHeartbeat,
  standbyInfo,
  temporaryDirectory,
} from './support/nodes.ts';
import type { TestNode } from './support/nodes.ts';
import { openRemote } from './support/tcp.ts';

const SECRET = 'the secret of this group';
const probe = { timeoutMs: 15_000, standby: standbyInfo() };
const seal = new Seal(Buffer.from(SECRET));

function withSecret(nodeId: string, secret = SECRET, run?: string): TestNode {
  const transport = openTransport(temporaryDirectory(), { secret: Buffer.from(secret) });
  return openNode(transport, nodeId, run === undefined ? {} : { run });
}

function without(nodeId: string): TestNode {
  return openNode(openTransport(temporaryDirectory()), nodeId);
}

describe('nodes with the same secret', () => {
  it('hear, probe and ask each other', async () => {
    const [a, b] = [withSecret('a'), withSecret('b')];
    b.bus.follow(a.holder);
    await beatUntilHeard(a, b);
    expect(await b.bus.probe(probe)).toMatchObject({ run: 'a-run' });
    expect(await b.bus.requestDemotion({ successor: 'b', timeoutMs: 15_000 })).toEqual({
      accepted: true,
      detail: 'done',
    });
  });

  it('hear one that came back under its id, though its numbers start again', async () => {
    const [first, b] = [withSecret('a', SECRET, 'first'), withSecret('b')];
    b.bus.follow(first.holder);
    await beatUntilHeard(first, b, 5);
    await b.bus.probe(probe);
    await first.transport.close();
    const second = withSecret('a', SECRET, 'second');
    b.bus.follow(second.holder);
    await beatUntilHeard(second, b);
    expect(await b.bus.probe(probe)).toMatchObject({ run: 'second' });
    expect(b.transport.counters().rejected.replayed).toBe(0);
    expect(second.transport.counters().distrusted.repeated).toBe(0);
  });

  it('answer the command line of their machine, which has none', async () => {
    const a = withSecret('a');
    expect(await call(a, 'instance.ping')).toMatchObject({ run: 'a-run' });
    expect(a.transport.counters().distrusted.unsigned).toBe(0);
  });

  it('answer nobody over TCP who does not sign', async () => {
    const a = openRemote('a', { secret: SECRET });
    const dealer = new Dealer({ linger: 0 });
    onTestFinished(() => {
      dealer.close();
    });
    dealer.connect(a.remote.endpoints.rpc);
    await dealer.send(request('instance.stop', {}));
    await eventually(() => {
      expect(a.transport.counters().distrusted.unsigned).toBe(1);
    });
  });
});

describe('a node with a secret', () => {
  it.each<{
    has: string;
    open: (nodeId: string) => TestNode;
    mineSees: Distrust;
    otherSees: Distrust;
  }>([
    { has: 'none', open: without, mineSees: 'unsigned', otherSees: 'unexpected-signature' },
    {
      has: 'another one',
      open: (nodeId) => withSecret(nodeId, 'another secret'),
      mineSees: 'bad-signature',
      otherSees: 'bad-signature',
    },
  ])('and one with $has hear nothing of each other, and say why', async (pair) => {
    const [mine, other] = [withSecret('b'), pair.open('a')];
    mine.bus.follow(other.holder);
    other.bus.follow(mine.holder);
    await expect(mine.bus.probe({ ...probe, timeoutMs: 50 })).rejects.toThrow('No answer');
    await eventually(() => {
      mine.bus.publish(heartbeat());
      other.bus.publish(heartbeat());
      expect(mine.transport.counters().distrusted[pair.mineSees]).toBeGreaterThan(1);
      expect(other.transport.counters().distrusted[pair.otherSees]).toBeGreaterThan(1);
    });
    expect([...mine.events, ...other.events]).toEqual([]);
    for (const { transport } of [mine, other]) {
      expect(transport.troubles()).toEqual([expect.stringContaining('--secret-file')]);
    }
  });

  it('does not believe a forged epoch, also not from where the primary is', async () => {
    const directory = temporaryDirectory();
    const b = openNode(openTransport(directory, { secret: Buffer.from(SECRET) }), 'b');
    const peer = await openRawPeer(directory);
    b.bus.follow(peer.holder);
    const [topic, body] = rawHeartbeat({ epoch: 2 ** 52, seq: 9 });
    await publishUntil(
      () => {
        void peer.publisher.send([topic, body]);
        // Of another kind of message, and so of no worth.
        void peer.publisher.send([topic, seal.sign('web/shutdown', body)]);
      },
      () => {
        const { unsigned, 'bad-signature': bad } = b.transport.counters().distrusted;
        return unsigned > 0 && bad > 0;
      },
    );
    expect(b.events).toEqual([]);
    await peer.publisher.send([topic, seal.sign(topic, body)]);
    await eventually(() => {
      expect(b.events).toHaveLength(1);
    });
  });

  it('drops a message that was recorded', async () => {
    const directory = temporaryDirectory();
    const b = openNode(openTransport(directory, { secret: Buffer.from(SECRET) }), 'b');
    const peer = await openRawPeer(directory);
    b.bus.follow(peer.holder);
    const recorded = signedHeartbeat(1);
    await publishUntil(
      () => void peer.publisher.send(recorded),
      () => b.events.length > 0,
    );
    await peer.publisher.send(signedHeartbeat(2));
    await eventually(() => {
      expect(b.events).toHaveLength(2);
    });
    // The first was sent until it was heard, and some of those may have been dropped already.
    const { replayed } = b.transport.counters().rejected;
    await peer.publisher.send(recorded);
    await eventually(() => {
      expect(b.transport.counters().rejected.replayed).toBeGreaterThan(replayed);
    });
    expect(b.events).toHaveLength(2);
  });

  it('carries out no request that was recorded, of this run or of an earlier one', async () => {
    const asked: string[] = [];
    const transport = openTransport(temporaryDirectory(), { secret: Buffer.from(SECRET) });
    const a = openNode(transport, 'a', {
      onRequest: (method) => {
        asked.push(method);
        return Promise.resolve({ detail: 'done' });
      },
    });
    const dealer = new Dealer({ linger: 0 });
    onTestFinished(() => {
      dealer.close();
    });
    dealer.connect(a.transport.endpoints.rpc);
    const signed = (params: object): string =>
      seal.sign('rpc-request', request('instance.demote', params));
    const first = signed({ from: 'b-run', to: 'a-run', seq: 5 });
    await dealer.send(first);
    await dealer.receive();
    await dealer.send(first);
    await dealer.send(signed({ from: 'b-run', to: 'a-run', seq: 4 }));
    await dealer.send(signed({}));
    await eventually(() => {
      expect(a.transport.counters().distrusted.repeated).toBe(3);
    });
    await dealer.send(signed({ from: 'b-run', to: 'earlier', seq: 6 }));
    const [refusal] = await dealer.receive();
    expect(String(refusal)).toContain('an earlier run of this node');
    expect(asked).toEqual(['instance.demote']);
    // One that asks an earlier run whether it lives is told who lives here: nothing follows from that.
    await dealer.send(
      seal.sign('rpc-request', request('instance.ping', { from: 'b-run', to: 'earlier', seq: 7 })),
    );
    const [report] = await dealer.receive();
    expect(String(report)).toContain('a-run');
  });

  it('takes no answer to an earlier request for that to a later one', async () => {
    const directory = temporaryDirectory();
    const b = openNode(openTransport(directory, { secret: Buffer.from(SECRET) }), 'b');
    const endpoints = { bus: `ipc://${directory}/x.bus`, rpc: `ipc://${directory}/x.rpc` };
    const recorded: Buffer[] = [];
    for (const round of [1, 2]) {
      const router = new Router({ linger: 0 });
      await router.bind(endpoints.rpc);
      b.bus.follow({ node: 'x', run: `run-${String(round)}`, endpoints });
      const asking = b.bus.probe({ ...probe, timeoutMs: round === 1 ? 15_000 : 200 });
      asking.catch(() => undefined);
      const [who = Buffer.alloc(0), body] = await router.receive();
      const opened = seal.open('rpc-request', body ?? Buffer.alloc(0));
      if ('distrusted' in opened) throw new Error('a node with a secret signs');
      const { id } = JSON.parse(Buffer.from(opened.body).toString()) as { id: string };
      const result = { run: `run-${String(round)}`, epoch: 1, role: 'primary', version: '1' };
      if (round === 1) {
        const text = JSON.stringify({ jsonrpc: '2.0', id, result });
        recorded.push(Buffer.from(seal.sign('rpc-answer', text)));
        await router.send([who, ...recorded]);
        expect(await asking).toEqual(result);
      } else {
        await router.send([who, ...recorded]);
        await expect(asking).rejects.toThrow('No answer');
        expect(b.transport.counters().answersRejected.unasked).toBe(1);
      }
      router.close();
    }
  });

  it('says nothing that another could say for it', async () => {
    const a = withSecret('a');
    const listener = new Subscriber({ linger: 0 });
    onTestFinished(() => {
      listener.close();
    });
    listener.connect(a.transport.endpoints.bus);
    listener.subscribe('web/');
    const heard = listener.receive();
    let isHeard = false;
    void heard.then(() => {
      isHeard = true;
    });
    await publishUntil(
      () => {
        a.bus.publish(heartbeat());
      },
      () => isHeard,
    );
    const [topic, body] = await heard;
    expect(seal.open(String(topic), body ?? Buffer.alloc(0))).toMatchObject({ isSigned: true });
    expect(String(body)).not.toContain(SECRET);
  });
});

function request(method: string, params: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id: '1', method, params: { group: 'web', ...params } });
}

function signedHeartbeat(seq: number): [string, string] {
  const [topic, body] = rawHeartbeat({ seq });
  return [topic, seal.sign(topic, body)];
}
