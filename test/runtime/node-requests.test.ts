// A request that its client has given up is not carried out.
import { describe, expect, it } from 'vitest';
import { monotonicNow } from '../../src/runtime/clock.ts';
import type { FailoverNode } from '../../src/runtime/failover-node.ts';
import { serve } from '../../src/runtime/node-requests.ts';
import type { RpcMethod } from '../../src/transport/rpc-message.ts';

type Method = Exclude<RpcMethod, 'instance.ping'>;

/** Those that change something, with what each calls. */
const CHANGES: readonly (readonly [Method, string])[] = [
  ['instance.promote', 'orderPromotion'],
  ['instance.demote', 'demote'],
  ['instance.check', 'check'],
  ['instance.pause', 'setPaused'],
  ['instance.resume', 'setPaused'],
  ['instance.stop', 'stop'],
];

describe.each(CHANGES)('%s', (method, called) => {
  it('is refused when its time is over, and nothing is done', async () => {
    const { node, calls } = recordingNode();
    const params = { group: 'web', expiresAtMs: monotonicNow() - 1 };
    await expect(serve(node, method, params)).rejects.toMatchObject({ code: 'FAILOVER_REFUSED' });
    expect(calls).toEqual([]);
  });

  it.each([
    ['its time is not over', { group: 'web', expiresAtMs: monotonicNow() + 3_600_000 }],
    ['it has none', { group: 'web' }],
  ])('is done when %s', async (_, params) => {
    const { node, calls } = recordingNode();
    await serve(node, method, params);
    expect(calls).toEqual([called]);
  });
});

/** A node that only notes what it is asked to do. */
function recordingNode(): { readonly node: FailoverNode; readonly calls: string[] } {
  const calls: string[] = [];
  const note = (name: string) => (): Promise<void> => {
    calls.push(name);
    return Promise.resolve();
  };
  const stub = {
    settings: { nodeId: 'a' },
    orderPromotion: note('orderPromotion'),
    demote: note('demote'),
    check: note('check'),
    setPaused: note('setPaused'),
    stop: note('stop'),
  };
  // Nothing else of a node is used for these requests.
  return { node: stub as unknown as FailoverNode, calls };
}
