// Answers the requests of clients and other nodes that reach a node over RPC.
import { FailoverError } from '../errors.ts';
import type { RpcMethod, RpcParams } from '../transport/rpc-message.ts';
import { monotonicNow } from './clock.ts';
import type { FailoverNode } from './failover-node.ts';

/** @throws FailoverError, which reaches the client with its code. */
export async function serve(
  node: FailoverNode,
  method: Exclude<RpcMethod, 'instance.ping'>,
  params: RpcParams,
): Promise<unknown> {
  refuseLate(params);
  switch (method) {
    case 'instance.status':
      return node.status();
    case 'instance.promote':
      return node.orderPromotion({
        force: params['force'] === true,
        answerEarly: params['answerEarly'] === true,
      });
    case 'instance.demote':
      return { detail: await demote(node, params) };
    case 'instance.check':
      return node.check({ answerEarly: params['answerEarly'] === true });
    case 'instance.pause':
    case 'instance.resume': {
      const paused = method === 'instance.pause';
      await node.setPaused(paused, textOr(params['by'], 'a client'));
      return { paused };
    }
    case 'instance.stop':
      node.stop({ reason: textOr(params['reason'], 'asked by a client') });
      return { detail: `${node.settings.nodeId} is stopping` };
    case 'instance.events':
      return { events: node.history(), ...node.explain() };
    case 'instance.store':
      return node.seeStore(typeof params['maxAgeMs'] === 'number' ? params['maxAgeMs'] : 0);
    case 'instance.attach':
      return node.attach(proxyIn(params));
    case 'instance.drained':
      node.drained(proxyIn(params));
      return { detail: 'noted' };
  }
}

/** A request that waited, as in a stopped process, longer than its sender did is not carried out. */
function refuseLate({ expiresAtMs }: RpcParams): void {
  if (typeof expiresAtMs !== 'number' || monotonicNow() <= expiresAtMs) return;
  throw new FailoverError('FAILOVER_REFUSED', 'Cannot carry out the request: it came too late');
}

function demote(node: FailoverNode, params: RpcParams): Promise<string> {
  const { successor, holdMs, answerEarly, preempting } = params;
  return node.demote({
    successor: typeof successor === 'string' ? successor : null,
    holdMs: typeof holdMs === 'number' ? holdMs : null,
    answerEarly: answerEarly === true,
    preempting: preempting === true,
  });
}

function proxyIn({ proxy, epoch }: RpcParams): { readonly proxy: string; readonly epoch: number } {
  if (typeof proxy === 'string' && typeof epoch === 'number') return { proxy, epoch };
  throw new FailoverError(
    'FAILOVER_WIRE_INVALID',
    'Cannot register the proxy: name and epoch are missing',
  );
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}
