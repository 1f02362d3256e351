// What a node hears through its bus: the one it follows, each message once, and its loss.
import { describe, expect, it, vi } from 'vitest';
import { lackOfLinkDescriptors } from '../../src/spare-descriptors.ts';
import { BODY_LIMIT_BYTES } from '../../src/transport/checks.ts';
import {
  beatUntilHeard,
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

vi.mock(import('../../src/spare-descriptors.ts'), async (original) => ({
  ...(await original()),
  lackOfLinkDescriptors: vi.fn(() => null),
}));

describe('following', () => {
  it('delivers heartbeat, promoted and shutdown of the followed node, in order', async () => {
    const [primary, follower] = openPair();
    follower.bus.follow(primary.holder);
    await beatUntilHeard(primary, follower);
    primary.bus.publish({ kind: 'role', epoch: 1, role: 'primary', reason: 'claimed' });
    primary.bus.publish({ kind: 'promoted', epoch: 2, previous: 'z', reason: 'r' });
    const shutdown = {
      epoch: 2,
      reason: 'stop',
      successor: 'b',
      completed: false,
      planned: true,
      workloadEndedAgoMs: 1.5,
    };
    primary.bus.publish({ kind: 'shutdown', ...shutdown });
    await eventually(() => {
      expect(follower.events.at(-1)?.type).toBe('shutdown-received');
    });
    const said = { node: 'a', run: 'a-run' };
    expect(follower.events[0]).toEqual({
      type: 'heartbeat-received',
      ...said,
      epoch: 1,
      phase: 'primary',
      succession: ['b', 'c'],
      lastTakeover: null,
    });
    expect(follower.events.slice(-2)).toEqual([
      { type: 'promoted-received', ...said, epoch: 2 },
      { type: 'shutdown-received', ...said, ...shutdown },
    ]);
  });

  it('is made up for with the next question, where there were no descriptors for it', async () => {
    const [primary, follower] = openPair();
    const lack = vi.mocked(lackOfLinkDescriptors);
    lack.mockReturnValueOnce(new Error('too many open files'));
    lack.mockReturnValueOnce(new Error('too many open files'));
    follower.bus.follow(primary.holder);
    const probe = (): Promise<unknown> =>
      follower.bus.probe({ timeoutMs: 15_000, standby: standbyInfo() });
    await expect(probe()).rejects.toThrow('Cannot ask: too many open files');
    await expect(probe()).resolves.toMatchObject({ run: 'a-run' });
    await beatUntilHeard(primary, follower);
  });

  it('re-points: the next node is heard, the one before is not', async () => {
    const directory = temporaryDirectory();
    const follower = openNode(openTransport(directory), 'b');
    const first = openNode(openTransport(directory), 'a');
    const second = openNode(openTransport(directory), 'c');
    follower.bus.follow(first.holder);
    await beatUntilHeard(first, follower);
    follower.bus.follow(second.holder);
    follower.events.length = 0;
    await publishUntil(
      () => {
        first.bus.publish(heartbeat());
        second.bus.publish(heartbeat());
      },
      () => follower.events.length >= 3,
    );
    await first.transport.close();
    await beatUntilHeard(second, follower, 3);
    expect(new Set(follower.events.map((event) => 'run' in event && event.run))).toEqual(
      new Set(['c-run']),
    );
    expect(follower.transport.linkCount).toBe(1);
  });

  it('hears a node that was started again: its numbers begin anew with its run', async () => {
    const directory = temporaryDirectory();
    const peer = await openRawPeer(directory);
    const follower = openNode(openTransport(directory), 'b');
    follower.bus.follow(peer.holder);
    const beat = (run: string, seq: number) => (): void =>
      void peer.publisher.send(rawHeartbeat({ run, seq }));
    const heard = (run: string) => (): boolean =>
      follower.events.some((event) => event.type === 'heartbeat-received' && event.run === run);
    await publishUntil(beat('raw-run', 5_000), heard('raw-run'));
    follower.bus.follow({ ...peer.holder, run: 'next-run' });
    await publishUntil(beat('next-run', 1), heard('next-run'));
  });

  it('delivers nothing once it follows nobody', async () => {
    const [primary, follower] = openPair();
    const witness = openNode(openTransport(temporaryDirectory()), 'w');
    for (const node of [follower, witness]) node.bus.follow(primary.holder);
    await beatUntilHeard(primary, follower);
    await beatUntilHeard(primary, witness);
    follower.bus.follow(null);
    follower.events.length = 0;
    await beatUntilHeard(primary, witness, 3);
    await primary.transport.close();
    await eventually(() => {
      expect(witness.events).toContainEqual({ type: 'connection-lost', run: 'a-run' });
    });
    expect(follower.events).toEqual([]);
    expect(follower.transport.linkCount).toBe(0);
  });

  it('does no harm when a node follows itself', async () => {
    const directory = temporaryDirectory();
    const node = openNode(openTransport(directory), 'a');
    node.bus.follow(node.holder);
    node.bus.publish(heartbeat());
    await expect(node.bus.probe({ timeoutMs: 50, standby: standbyInfo() })).rejects.toMatchObject({
      code: 'FAILOVER_NODE_UNREACHABLE',
    });
    expect(node.transport.linkCount).toBe(0);
    expect(node.events).toEqual([]);
  });

  it('does no harm when the address is none', async () => {
    const node = openNode(openTransport(temporaryDirectory()), 'b');
    for (const address of ['tcp://127.0.0.1:1', 'nonsense', 'ipc://', '']) {
      node.bus.follow({ node: 'a', run: 'r', endpoints: { bus: address, rpc: address } });
      await expect(node.bus.probe({ timeoutMs: 50, standby: standbyInfo() })).rejects.toMatchObject(
        { code: 'FAILOVER_NODE_UNREACHABLE' },
      );
    }
  });
});

describe('what it refuses', () => {
  it('counts every kind of bad message and lives on', async () => {
    const directory = temporaryDirectory();
    const peer = await openRawPeer(directory);
    const follower = openNode(openTransport(directory), 'b');
    follower.bus.follow(peer.holder);
    let seq = 0;
    await publishUntil(
      () => void peer.publisher.send(rawHeartbeat({ seq: (seq += 1) })),
      () => follower.events.length > 0,
    );
    const bad: [string, string][] = [
      ['web/heartbeat', '{"v":1'],
      ['web/heartbeat', 'x'.repeat(BODY_LIMIT_BYTES + 1)],
      rawHeartbeat({ group: 'other' }),
      rawHeartbeat({ v: 0 }),
      rawHeartbeat({ v: 2 }),
      rawHeartbeat({ epoch: -1 }),
      rawHeartbeat({ seq: 1 }),
      rawHeartbeat({ seq: 1_000_000, run: 'another-run' }),
      rawHeartbeat({ seq: 1_000_001, node: 'another' }),
    ];
    const before = follower.transport.counters().rejected;
    for (const message of bad) await peer.publisher.send(message);
    await peer.publisher.send(rawHeartbeat({ seq: 2_000_000, epoch: 99 }));
    await eventually(() => {
      expect(follower.events.at(-1)).toMatchObject({ epoch: 99 });
    });
    const { rejected, received, delivered } = follower.transport.counters();
    expect(rejected).toEqual({
      malformed: 1,
      oversized: 1,
      'foreign-group': 1,
      'unknown-version': 2,
      'bad-field': 1,
      'foreign-node': 2,
      replayed: before.replayed + 1,
    });
    expect(delivered).toBe(follower.events.length);
    expect(received).toBe(delivered + bad.length + before.replayed);
  });

  it('lives through a message above what the socket takes', async () => {
    const directory = temporaryDirectory();
    const peer = await openRawPeer(directory);
    const follower = openNode(openTransport(directory), 'b');
    follower.bus.follow(peer.holder);
    let seq = 0;
    const beat = (epoch: number) => (): void =>
      void peer.publisher.send(rawHeartbeat({ seq: (seq += 1), epoch }));
    await publishUntil(beat(1), () => follower.events.length > 0);
    await peer.publisher.send(['web/heartbeat', 'x'.repeat(5 * BODY_LIMIT_BYTES)]);
    await eventually(() => {
      expect(follower.events).toContainEqual({ type: 'connection-lost', run: 'raw-run' });
    });
    await publishUntil(beat(2), () =>
      follower.events.some((event) => event.type === 'heartbeat-received' && event.epoch === 2),
    );
  });

  it('drops a replay also after it followed another node in between', async () => {
    const directory = temporaryDirectory();
    const peer = await openRawPeer(directory);
    const other = openNode(openTransport(directory), 'a');
    const follower = openNode(openTransport(directory), 'b');
    const beat = (seq: number) => (): void => void peer.publisher.send(rawHeartbeat({ seq }));
    follower.bus.follow(peer.holder);
    await publishUntil(beat(5), () => follower.events.length > 0);
    follower.bus.follow(other.holder);
    await beatUntilHeard(other, follower);
    follower.bus.follow(peer.holder);
    const heard = follower.events.length;
    const { replayed } = follower.transport.counters().rejected;
    await publishUntil(beat(5), () => follower.transport.counters().rejected.replayed > replayed);
    expect(follower.events.length).toBe(heard);
  });
});

describe('probing', () => {
  it('works again after an answer above what the socket takes', async () => {
    const directory = temporaryDirectory();
    const peer = await openRawPeer(directory);
    const follower = openNode(openTransport(directory), 'b');
    follower.bus.follow(peer.holder);
    const probe = (): Promise<unknown> =>
      follower.bus.probe({ timeoutMs: 15_000, standby: standbyInfo() });
    const broken = expect(probe()).rejects.toMatchObject({ code: 'FAILOVER_NODE_UNREACHABLE' });
    const [first = Buffer.alloc(0)] = await peer.router.receive();
    await peer.router.send([first, 'x'.repeat(5 * BODY_LIMIT_BYTES)]);
    await broken;
    const report = { run: 'raw-run', epoch: 3, role: 'primary', version: '1' };
    const answered = (async (): Promise<void> => {
      const [replyTo = Buffer.alloc(0), body] = await peer.router.receive();
      // The body is the request that this test has made.
      const { id } = JSON.parse(String(body)) as { id: string };
      await peer.router.send([replyTo, JSON.stringify({ jsonrpc: '2.0', id, result: report })]);
    })();
    await vi.waitFor(
      async () => {
        await expect(probe()).resolves.toEqual(report);
      },
      { timeout: 15_000, interval: 5 },
    );
    await answered;
  });

  it('is answered with what the node says of itself, and tells it of the standby', async () => {
    const [primary, follower] = openPair();
    follower.bus.follow(primary.holder);
    const standby = standbyInfo();
    await expect(follower.bus.probe({ timeoutMs: 15_000, standby })).resolves.toEqual({
      run: 'a-run',
      epoch: 7,
      role: 'primary',
      version: '1.2.3',
    });
    expect(primary.events).toEqual([{ type: 'standby-heard', standby }]);
  });

  it('times out when the process takes the request and does not answer', async () => {
    const directory = temporaryDirectory();
    const peer = await openRawPeer(directory);
    const follower = openNode(openTransport(directory), 'b');
    follower.bus.follow(peer.holder);
    // The connection stands once a request has come through; what counts is the wait after that.
    const first = follower.bus.probe({ timeoutMs: 60_000, standby: standbyInfo() });
    first.catch(() => undefined);
    await peer.router.receive();
    await expect(
      follower.bus.probe({ timeoutMs: 20, standby: standbyInfo() }),
    ).rejects.toMatchObject({ code: 'FAILOVER_TIMED_OUT' });
  });

  it('refuses an answer that is no report', async () => {
    const directory = temporaryDirectory();
    const peer = await openRawPeer(directory);
    const follower = openNode(openTransport(directory), 'b');
    follower.bus.follow(peer.holder);
    const probe = follower.bus.probe({ timeoutMs: 15_000, standby: standbyInfo() });
    const refused = expect(probe).rejects.toMatchObject({ code: 'FAILOVER_WIRE_INVALID' });
    const [replyTo = Buffer.alloc(0)] = await peer.router.receive();
    await peer.router.send([replyTo, '{"jsonrpc":"2.0","id":"1","result":{"run":5}}']);
    await refused;
  });
});

describe('asking for a demotion', () => {
  it('names the successor and reports what was answered', async () => {
    const directory = temporaryDirectory();
    const asked: unknown[] = [];
    const primary = openNode(openTransport(directory), 'a', {
      onRequest: (method, params) => {
        asked.push([method, params]);
        return Promise.resolve({ detail: 'stepping down' });
      },
    });
    const follower = openNode(openTransport(directory), 'b');
    follower.bus.follow(primary.holder);
    await expect(
      follower.bus.requestDemotion({ successor: 'b', timeoutMs: 15_000 }),
    ).resolves.toEqual({ accepted: true, detail: 'stepping down' });
    const params = { group: 'web', successor: 'b', answerEarly: true };
    const expiresAtMs: unknown = expect.any(Number);
    expect(asked).toEqual([['instance.demote', { ...params, expiresAtMs }]]);
  });

  it('is not accepted when nobody is followed', async () => {
    const node = openNode(openTransport(temporaryDirectory()), 'b');
    const answer = await node.bus.requestDemotion({ successor: 'b', timeoutMs: 50 });
    expect(answer).toMatchObject({ accepted: false });
  });
});

function openPair(): [primary: TestNode, follower: TestNode] {
  const directory = temporaryDirectory();
  return [openNode(openTransport(directory), 'a'), openNode(openTransport(directory), 'b')];
}
