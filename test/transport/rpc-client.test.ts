// Asking another process: its answer or its error, and never a caller that hangs.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { FailoverError } from '../../src/errors.ts';
import { BODY_LIMIT_BYTES } from '../../src/transport/checks.ts';
import { noTransport, pingThrough } from '../../src/transport/node-transport.ts';
import { PENDING_REQUEST_LIMIT, RpcClient, callOnce } from '../../src/transport/rpc-client.ts';
import {
  call,
  eventually,
  openNode,
  openRawPeer,
  openTransport,
  serveWith,
  temporaryDirectory,
} from './support/nodes.ts';

describe('pingThrough', () => {
  it('asks another process, from a node with sockets and from one without, and says nothing of this one', async () => {
    const asked = openNode(openTransport(temporaryDirectory()), 'a');
    const { rpc } = asked.transport.endpoints;
    const ping = { group: 'web', timeoutMs: 5000 };
    for (const transport of [openTransport(temporaryDirectory()), noTransport()]) {
      await expect(pingThrough(transport, rpc, ping)).resolves.toMatchObject({ run: 'a-run' });
      await expect(pingThrough(transport, rpc, { ...ping, group: 'other' })).rejects.toMatchObject({
        code: 'FAILOVER_NO_NODE',
      });
    }
    expect(asked.events).toEqual([]);
  });
});

describe('callOnce', () => {
  it('returns what the group answered', async () => {
    const node = serveWith((method, params) => Promise.resolve({ method, params }));
    await expect(call(node, 'instance.status', { force: true })).resolves.toEqual({
      method: 'instance.status',
      params: { group: 'web', force: true },
    });
  });

  it('throws the error that the group threw, with its hint and exit code', async () => {
    const error = new FailoverError('FAILOVER_LEASE_HELD', 'Cannot promote b: a holds epoch 7', {
      hint: 'Ask a.',
      exitCode: 9,
    });
    const node = serveWith(() => Promise.reject(error));
    const thrown = await call(node, 'instance.promote').catch((caught: unknown) => caught);
    expect(thrown).toBeInstanceOf(FailoverError);
    expect(thrown).toMatchObject({
      code: 'FAILOVER_LEASE_HELD',
      message: error.message,
      hint: 'Ask a.',
      exitCode: 9,
    });
  });

  it('throws FAILOVER_UNEXPECTED for any other error, without its stack', async () => {
    const node = serveWith(() => {
      throw new TypeError('x is not a function');
    });
    await expect(call(node, 'instance.stop')).rejects.toMatchObject({
      code: 'FAILOVER_UNEXPECTED',
      message: 'x is not a function',
    });
  });

  it('throws FAILOVER_NO_NODE for a group that the process does not run', async () => {
    const node = serveWith(() => Promise.resolve(null));
    await expect(call(node, 'instance.status', { group: 'other' })).rejects.toMatchObject({
      code: 'FAILOVER_NO_NODE',
    });
    expect(node.transport.counters().requestsRejected['unknown-group']).toBe(1);
  });

  it('fails without waiting when nobody listens there', async () => {
    const endpoint = `ipc://${temporaryDirectory()}/none.rpc`;
    const params = { group: 'web' };
    await expect(
      callOnce(endpoint, { method: 'instance.ping', params, timeoutMs: 2 ** 31 - 1 }),
    ).rejects.toMatchObject({ code: 'FAILOVER_NODE_UNREACHABLE' });
    await expect(
      callOnce('tcp://127.0.0.1:1', { method: 'instance.ping', params, timeoutMs: 10 }),
    ).rejects.toMatchObject({ code: 'FAILOVER_NODE_UNREACHABLE' });
  });

  it('fails without waiting when the process goes away', async () => {
    const node = serveWith(() => new Promise(() => undefined));
    const answer = call(node, 'instance.promote');
    const failed = expect(answer).rejects.toMatchObject({ code: 'FAILOVER_NODE_UNREACHABLE' });
    await eventually(() => {
      expect(node.transport.counters().requests).toBe(1);
    });
    await node.transport.close();
    await failed;
  });

  it('can be ended by its caller', async () => {
    const node = serveWith(() => new Promise(() => undefined));
    const controller = new AbortController();
    const { signal } = controller;
    const request = {
      method: 'instance.check',
      params: { group: 'web' },
      timeoutMs: 60_000,
      signal,
    } as const;
    const { rpc } = node.transport.endpoints;
    const aborted = callOnce(rpc, request);
    controller.abort();
    await expect(aborted).rejects.toThrow('aborted');
    await expect(callOnce(rpc, request)).rejects.toThrow('aborted');
  });

  it('refuses to send what no node would take', async () => {
    const node = serveWith(() => Promise.resolve(null));
    await expect(
      call(node, 'instance.status', { filler: 'x'.repeat(BODY_LIMIT_BYTES) }),
    ).rejects.toMatchObject({ code: 'FAILOVER_WIRE_INVALID' });
  });

  it('ignores answers to other requests and bytes that are no answer', async () => {
    const peer = await openRawPeer(temporaryDirectory());
    const answer = callOnce(peer.holder.endpoints.rpc, {
      method: 'instance.status',
      params: { group: 'web' },
      timeoutMs: 15_000,
    });
    const [replyTo = Buffer.alloc(0)] = await peer.router.receive();
    const late = '{"jsonrpc":"2.0","id":"77","result":"late"}';
    const right = '{"jsonrpc":"2.0","id":"1","result":"right"}';
    for (const body of ['{', 'null', '{"id":"1"}', late, right]) {
      await peer.router.send([replyTo, body]);
    }
    await expect(answer).resolves.toBe('right');
  });

  it('says that an answer is too long instead of losing the connection', async () => {
    const node = serveWith(() => Promise.resolve('x'.repeat(5 * BODY_LIMIT_BYTES)));
    await expect(call(node, 'instance.events')).rejects.toMatchObject({ code: 'FAILOVER_REFUSED' });
  });
});

describe('RpcClient', () => {
  it('times out by itself, and the connection serves the next call', async () => {
    const node = serveWith((method) =>
      method === 'instance.check' ? new Promise(() => undefined) : Promise.resolve('fine'),
    );
    const client = new RpcClient(node.transport.endpoints.rpc);
    onTestFinished(() => {
      client.close();
    });
    const params = { group: 'web' };
    const ask = (): Promise<unknown> =>
      client.call({ method: 'instance.status', params, timeoutMs: 15_000 });
    await expect(ask()).resolves.toBe('fine');
    await expect(
      client.call({ method: 'instance.check', params, timeoutMs: 20 }),
    ).rejects.toMatchObject({ code: 'FAILOVER_TIMED_OUT', exitCode: 7 });
    await expect(ask()).resolves.toBe('fine');
  });

  it('keeps a bounded number of calls waiting', async () => {
    const peer = await openRawPeer(temporaryDirectory());
    const client = new RpcClient(peer.holder.endpoints.rpc);
    const call = { method: 'instance.ping', params: { group: 'web' }, timeoutMs: 60_000 } as const;
    const waiting = Array.from({ length: PENDING_REQUEST_LIMIT }, () => client.call(call));
    await expect(client.call(call)).rejects.toMatchObject({ code: 'FAILOVER_NODE_UNREACHABLE' });
    client.close();
    const ended = await Promise.allSettled(waiting);
    expect(new Set(ended.map((outcome) => outcome.status))).toEqual(new Set(['rejected']));
    await expect(client.call(call)).rejects.toMatchObject({ code: 'FAILOVER_NODE_UNREACHABLE' });
  });

  it('sends nothing later that was asked while nobody was there', async () => {
    const directory = temporaryDirectory();
    const first = openTransport(directory, { name: 'same' });
    openNode(first, 'a');
    const client = new RpcClient(first.endpoints.rpc);
    onTestFinished(() => {
      client.close();
    });
    const ask = (): Promise<unknown> =>
      client.call({ method: 'instance.promote', params: { group: 'web' }, timeoutMs: 15_000 });
    await ask();
    await first.close();
    await eventuallyRejects(ask);
    const second = openNode(openTransport(directory, { name: 'same' }), 'a');
    await vi.waitFor(ask, { timeout: 15_000, interval: 5 });
    expect(second.transport.counters().requests).toBe(1);
  });
});

async function eventuallyRejects(ask: () => Promise<unknown>): Promise<void> {
  await vi.waitFor(
    async () => {
      await expect(ask()).rejects.toMatchObject({ code: 'FAILOVER_NODE_UNREACHABLE' });
    },
    { timeout: 15_000, interval: 2 },
  );
}
