// Whom this process connects to, and how: sockets of its own machine as they are, others by their keys.
import { Context } from 'zeromq';
import { isOverTcp, mayBeIpv6, TCP_CONNECT_TIMEOUT_MS, TCP_OPTIONS } from './tcp.ts';
import type { Endpoints } from '../core/state.ts';
import { FailoverError } from '../errors.ts';
import type { Tally } from './counters.ts';
import { pathOfEndpoint } from './endpoints.ts';
import type { TcpKeys } from './tcp-door.ts';

/** What a connecting socket is made with beside what all have. */
export interface DialOptions {
  readonly context?: Context;
  readonly ipv6?: boolean;
  readonly connectTimeout?: number;
  readonly heartbeatInterval?: number;
  readonly heartbeatTimeout?: number;
  readonly handshakeInterval?: number;
  readonly curveServerKey?: string;
  readonly curvePublicKey?: string;
  readonly curveSecretKey?: string;
}

export class Dialer {
  readonly #tcp: { readonly keys: TcpKeys | null } | null;
  readonly #tally: Tally;
  /** Of its own: while a name is looked up, nothing else of a context is sent or received. */
  #context: Context | null = null;

  /** @param tcp null: it connects to sockets of this machine only */
  constructor(tcp: { readonly keys: TcpKeys | null } | null, tally: Tally) {
    this.#tcp = tcp;
    this.#tally = tally;
  }

  /** @throws FAILOVER_NODE_UNREACHABLE when these addresses are none, or none for this process */
  optionsFor(endpoints: Endpoints): DialOptions {
    const { bus, rpc, key } = endpoints;
    if (pathOfEndpoint(bus) !== null && pathOfEndpoint(rpc) !== null) return {};
    if (!isOverTcp(endpoints)) throw unreachable(bus, 'it is not a node address');
    if (this.#tcp === null) throw this.#refused(bus, 'this node has no TCP --bind');
    const { keys } = this.#tcp;
    this.#context ??= new Context();
    const base = {
      ...TCP_OPTIONS,
      context: this.#context,
      connectTimeout: TCP_CONNECT_TIMEOUT_MS,
      ipv6: mayBeIpv6(bus) || mayBeIpv6(rpc),
    };
    if (keys === null) {
      if (key === undefined) return base;
      throw this.#refused(bus, 'it requires keys, but this node is --insecure');
    }
    if (key === undefined)
      throw this.#refused(bus, 'it is --insecure, but this node requires keys');
    if (!keys.authorized.has(key)) throw this.#refused(bus, `its key ${key} is not authorized`);
    const { publicKey, secretKey } = keys.own;
    const curve = { curveServerKey: key, curvePublicKey: publicKey, curveSecretKey: secretKey };
    return { ...base, ...curve };
  }

  #refused(bus: string, why: string): FailoverError {
    const error = unreachable(bus, why);
    this.#tally.trouble('not-connected', error.message);
    return error;
  }
}

function unreachable(address: string, why: string): FailoverError {
  return new FailoverError('FAILOVER_NODE_UNREACHABLE', `Cannot connect to ${address}: ${why}`, {
    hint: 'Use the same kind of --bind on all nodes of the group, and authorize the keys of the others on each.',
  });
}
