// What a node needs of the process's sockets, and the stand-in of a node that has none.
import type { Endpoints } from '../core/state.ts';
import { FailoverError } from '../errors.ts';
import type { Bus } from '../runtime/ports.ts';
import type { SocketCheck } from './bus.ts';
import { Tally } from './counters.ts';
import type { TransportCounters } from './counters.ts';
import type { GroupOptions } from './group-bus.ts';

/** The sockets of a process, which several nodes may share. `Transport` is one. */
export interface NodeTransport {
  /** Where other processes reach this one now. */
  readonly endpoints: Endpoints;
  /** @throws FAILOVER_NODE_TAKEN when the process already runs a node of this group on it */
  openGroup(options: GroupOptions): Bus;
  counters(): TransportCounters;
  /** One ping of whatever process is at that address, with nothing of this one; throws as `callOnce`. */
  ping?(endpoint: string, ping: Ping): Promise<unknown>;
  /** Where other machines reach it; null or left out: they don't. */
  readonly remoteEndpoints?: Endpoints | null;
  /** What a person should know of, each once; left out: nothing. */
  troubles?(): readonly string[];
  /** Binds fresh sockets if the old ones were removed. */
  checkSockets(): SocketCheck;
}

/** Who is asked for, and how long it may take to answer. */
export interface Ping {
  readonly group: string;
  readonly timeoutMs: number;
}

/** One ping on a connection of its own, also from a node that has no sockets: that one loads what it takes. */
export async function pingThrough(
  transport: NodeTransport,
  endpoint: string,
  ping: Ping,
): Promise<unknown> {
  if (transport.ping !== undefined) return transport.ping(endpoint, ping);
  const { pingOnce } = await import('./rpc-client.ts');
  return pingOnce(endpoint, ping);
}

/**
 * No sockets at all. Such a node hears nobody and is heard by nobody: it learns from the lease alone,
 * which it looks at with every heartbeat.
 */
export function noTransport(): NodeTransport {
  const counters = new Tally().snapshot();
  return {
    endpoints: NOWHERE,
    openGroup: () => noBus(),
    counters: () => counters,
    checkSockets: () => ({ type: 'intact' }),
  };
}

const NOWHERE: Endpoints = { bus: 'none', rpc: 'none' };

function noBus(): Bus {
  return {
    endpoints: NOWHERE,
    publish: () => undefined,
    follow: () => undefined,
    probe: () => Promise.reject(unreachable()),
    requestDemotion: () => Promise.resolve({ accepted: false, detail: unreachable().message }),
    close: () => Promise.resolve(),
  };
}

function unreachable(): FailoverError {
  return new FailoverError(
    'FAILOVER_NODE_UNREACHABLE',
    'Cannot send a request: this node has no sockets',
  );
}
