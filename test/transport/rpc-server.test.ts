// Answering requests: whatever arrives is answered or counted, and a flood is bounded.
import { describe, expect, it } from 'vitest';
import { Dealer, Request } from 'zeromq';
import { BODY_LIMIT_BYTES } from '../../src/transport/checks.ts';
import { CONCURRENT_REQUEST_LIMIT } from '../../src/transport/rpc-server.ts';
import { call, eventually, openNode, serveWith, standbyInfo } from './support/nodes.ts';

describe('the server', () => {
  it.each([
    ['bytes that are no JSON', '{', -32700, 'malformed'],
    ['an empty body', '', -32700, 'malformed'],
    ['an array', '[]', -32600, 'invalid'],
    ['no version', request({ jsonrpc: undefined }), -32600, 'invalid'],
    ['a number as id', request({ id: 1 }), -32600, 'invalid'],
    ['a notification', request({ id: undefined }), -32600, 'invalid'],
    ['no method', request({ method: undefined }), -32600, 'invalid'],
    ['an unknown method', request({ method: 'instance.reboot' }), -32601, 'unknown-method'],
    ['a property of objects', request({ method: 'toString' }), -32601, 'unknown-method'],
    ['no params', request({ params: undefined }), -32602, 'bad-params'],
    ['no group', request({ params: {} }), -32602, 'bad-params'],
    ['a bad group', request({ params: { group: '../x' } }), -32602, 'bad-params'],
    ['a bad force', request({ params: { group: 'web', force: 'yes' } }), -32602, 'bad-params'],
    ['a bad successor', request({ params: { group: 'web', successor: 1 } }), -32602, 'bad-params'],
    [
      'a bad standby',
      request({ method: 'instance.ping', params: { group: 'web', standby: { node: 1 } } }),
      -32602,
      'bad-params',
    ],
    ['a long body', 'x'.repeat(BODY_LIMIT_BYTES + 1), -32600, 'oversized'],
  ] as const)('answers %s with an error, counts it and lives on', async (_, body, code, cause) => {
    const node = serveWith(() => Promise.resolve('fine'));
    const dealer = new Dealer({ linger: 0 });
    try {
      dealer.connect(node.transport.endpoints.rpc);
      await dealer.send(body);
      const [answer] = await dealer.receive();
      expect(JSON.parse(String(answer))).toMatchObject({ jsonrpc: '2.0', error: { code } });
      await dealer.send(request({ id: 'next' }));
      const [next] = await dealer.receive();
      expect(JSON.parse(String(next))).toEqual({ jsonrpc: '2.0', id: 'next', result: 'fine' });
    } finally {
      dealer.close();
    }
    const { requests, requestsRejected } = node.transport.counters();
    expect(requests).toBe(2);
    expect(Object.entries(requestsRejected).filter(([, count]) => count > 0)).toEqual([[cause, 1]]);
  });

  it('counts a message of too many frames and lives on', async () => {
    const node = serveWith(() => Promise.resolve('fine'));
    const dealer = new Dealer({ linger: 0 });
    try {
      dealer.connect(node.transport.endpoints.rpc);
      await dealer.send(['a', 'b', 'c', 'd']);
      await dealer.send(request({}));
      await dealer.receive();
    } finally {
      dealer.close();
    }
    expect(node.transport.counters().requestsRejected.malformed).toBe(1);
  });

  it('lives through a request above what the socket takes', async () => {
    const node = serveWith(() => Promise.resolve('fine'));
    const dealer = new Dealer({ linger: 0 });
    try {
      dealer.connect(node.transport.endpoints.rpc);
      const broken = new Promise((resolve) => dealer.events.on('disconnect', resolve));
      await dealer.send('x'.repeat(5 * BODY_LIMIT_BYTES));
      await broken;
    } finally {
      dealer.close();
    }
    await expect(call(node, 'instance.status')).resolves.toBe('fine');
  });

  it('answers a client with a REQ socket', async () => {
    const node = serveWith(() => Promise.resolve('fine'));
    const client = new Request({ linger: 0 });
    try {
      client.connect(node.transport.endpoints.rpc);
      await client.send(request({}));
      expect(String(await client.receive())).toContain('"result":"fine"');
    } finally {
      client.close();
    }
  });

  it('takes a bounded number of requests of a group and refuses the rest of a flood', async () => {
    const release: (() => void)[] = [];
    const node = serveWith(
      () =>
        new Promise((resolve) => {
          release.push(() => {
            resolve('done');
          });
        }),
    );
    openNode(node.transport, 'other', { group: 'other' });
    const flood = 500;
    const dealer = new Dealer({ linger: 0 });
    const answers: string[] = [];
    const read = (async (): Promise<void> => {
      for await (const [answer] of dealer) {
        if (answers.push(String(answer)) === flood + 1) return;
      }
    })();
    try {
      dealer.connect(node.transport.endpoints.rpc);
      for (let id = 0; id < flood; id += 1) await dealer.send(request({ id: String(id) }));
      await eventually(() => {
        expect(answers.length).toBe(flood - CONCURRENT_REQUEST_LIMIT);
      });
      expect(release).toHaveLength(CONCURRENT_REQUEST_LIMIT);
      for (const answer of answers) expect(answer).toContain('FAILOVER_REFUSED');
      // Neither pings nor other groups wait for them.
      await expect(call(node, 'instance.ping', { standby: standbyInfo() })).resolves.toBeDefined();
      await expect(call(node, 'instance.status', { group: 'other' })).resolves.toBeDefined();
      for (const answer of release.splice(0)) answer();
      await eventually(() => {
        expect(answers.length).toBe(flood);
      });
      await dealer.send(request({ id: 'after' }));
      await eventually(() => {
        expect(release).toHaveLength(1);
      });
      release[0]?.();
      await read;
      expect(answers.at(-1)).toContain('"id":"after","result":"done"');
    } finally {
      dealer.close();
    }
    expect(node.transport.counters().requestsRejected['too-many']).toBe(
      flood - CONCURRENT_REQUEST_LIMIT,
    );
  });
});

function request(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    id: '1',
    method: 'instance.status',
    params: { group: 'web' },
    ...fields,
  });
}
