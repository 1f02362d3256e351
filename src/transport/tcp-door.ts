// Where other machines reach this process: a second pair of sockets, with a context and a doorkeeper of their own.
import { Context, Router, XPublisher, capability } from 'zeromq';
import type { Advertised, TcpBind } from '../config/bind.ts';
import type { Endpoints } from '../core/state.ts';
import { messageOf } from '../error-message.ts';
import { FailoverError } from '../errors.ts';
import type { AuthorizedKeys } from '../keys/authorized-keys.ts';
import type { KeyPair } from '../keys/key-pair.ts';
import type { Tally } from './counters.ts';
import { Doorkeeper, ZAP_DOMAIN } from './doorkeeper.ts';
import { COMMON_OPTIONS, HIGH_WATER_MARK, NEVER_WAIT } from './sockets.ts';
import { TCP_OPTIONS, tcpAddress } from './tcp.ts';

/** Who this process is to other machines, and whom it lets in. */
export interface TcpKeys {
  readonly own: KeyPair;
  readonly authorized: AuthorizedKeys;
}

export interface TcpOptions {
  readonly bind: TcpBind;
  /** Null: others connect to where it listens. */
  readonly advertise: Advertised | null;
  /** Null: everybody is let in, and nothing is encrypted. */
  readonly keys: TcpKeys | null;
}

export class TcpDoor {
  /** Where others reach it, and the key that they know it by. */
  readonly endpoints: Endpoints;
  readonly publisher: XPublisher;
  readonly router: Router;
  readonly #doorkeeper: Doorkeeper | null;

  /** @throws FAILOVER_ADDRESS_IN_USE when it can't listen there, FAILOVER_BAD_OPTION without encryption */
  constructor(options: TcpOptions, tally: Tally) {
    const { bind, keys } = options;
    if (keys !== null && !capability.curve) throw withoutCurve();
    const context = new Context();
    const secured = securityOf(keys, context);
    const ipv6 = bind.host.includes(':');
    const common = { ...COMMON_OPTIONS, ...NEVER_WAIT, ...TCP_OPTIONS, ...secured, ipv6 };
    // Before anybody can connect: without it libzmq would let everybody in.
    this.#doorkeeper = keys === null ? null : new Doorkeeper(context, keys.authorized, tally);
    this.publisher = new XPublisher({ ...common, sendHighWaterMark: HIGH_WATER_MARK });
    this.router = new Router({
      ...common,
      sendHighWaterMark: HIGH_WATER_MARK,
      receiveHighWaterMark: HIGH_WATER_MARK,
    });
    try {
      const { port } = bind;
      const bus = listen(this.publisher, bind.host, port);
      const rpc = listen(this.router, bind.host, port === 0 ? 0 : port + 1);
      this.endpoints = reachedAt(options, { bus, rpc });
    } catch (error) {
      this.close();
      throw error;
    }
    for (const { events } of [this.publisher, this.router]) {
      const broken = (): void => {
        tally.distrusted('broken-handshake');
      };
      events.on('handshake:error:protocol', broken);
      events.on('handshake:error:other', broken);
    }
  }

  close(): void {
    this.publisher.close();
    this.router.close();
    this.#doorkeeper?.close();
  }
}

interface Security {
  readonly context: Context;
  readonly curveServer?: true;
  readonly curveSecretKey?: string;
  readonly zapDomain?: string;
  readonly zapEnforceDomain?: true;
}

function securityOf(keys: TcpKeys | null, context: Context): Security {
  if (keys === null) return { context };
  const { secretKey } = keys.own;
  return {
    context,
    curveServer: true,
    curveSecretKey: secretKey,
    zapDomain: ZAP_DOMAIN,
    zapEnforceDomain: true,
  };
}

/** The port that it got. */
function listen(socket: XPublisher | Router, host: string, port: number): number {
  const address = tcpAddress(host, port === 0 ? '*' : port);
  try {
    socket.bindSync(address);
  } catch (cause) {
    const why = messageOf(cause);
    throw new FailoverError('FAILOVER_ADDRESS_IN_USE', `Cannot listen on ${address}: ${why}`, {
      hint: 'Set --bind to an address of this machine with two consecutive free ports.',
      cause,
    });
  }
  return Number(/:(\d+)$/.exec(socket.lastEndpoint ?? '')?.[1] ?? port);
}

function reachedAt(
  { bind, advertise, keys }: TcpOptions,
  ports: { readonly bus: number; readonly rpc: number },
): Endpoints {
  const host = advertise?.host ?? bind.host;
  const port = advertise?.port ?? null;
  const bus = tcpAddress(host, port ?? ports.bus);
  const rpc = tcpAddress(host, port === null ? ports.rpc : port + 1);
  return keys === null ? { bus, rpc } : { bus, rpc, key: keys.own.publicKey };
}

function withoutCurve(): FailoverError {
  return new FailoverError(
    'FAILOVER_BAD_OPTION',
    'Cannot use --key-file: ZeroMQ has no encryption on this platform',
    { hint: 'Use `--insecure` on a network that contains only these machines.' },
  );
}
