// The process's two sockets, one PUB (as XPUB, which tells who listens to what) and one ROUTER, however many groups it runs.
import { lstatSync, unlinkSync } from 'node:fs';
import { Router, XPublisher } from 'zeromq';
import type { Endpoints } from '../core/state.ts';
import { messageOf } from '../error-message.ts';
import { FailoverError } from '../errors.ts';
import { callOut } from '../runtime/call-out.ts';
import type { Bus } from '../runtime/ports.ts';
import { Broadcast } from './broadcast.ts';
import { Tally } from './counters.ts';
import type { TransportCounters } from './counters.ts';
import {
  endpointsIn,
  ensurePrivateDirectory,
  pathOfEndpoint,
  randomSocketName,
  socketFileError,
} from './endpoints.ts';
import { refuseFewDescriptors } from './few-descriptors.ts';
import { GroupBus } from './group-bus.ts';
import type { GroupOptions, SharedSockets } from './group-bus.ts';
import { Links } from './link.ts';
import type { Ping } from './node-transport.ts';
import { pingOnce } from './rpc-client.ts';
import { RpcServer } from './rpc-server.ts';
import { Dialer } from './dialer.ts';
import { Seal } from './seal.ts';
import { COMMON_OPTIONS, HIGH_WATER_MARK, NEVER_WAIT, sendOrDrop } from './sockets.ts';
import { removeStaleSockets } from './stale-sockets.ts';
import { TcpDoor } from './tcp-door.ts';
import type { TcpOptions } from './tcp-door.ts';

export interface TransportOptions {
  /** Where the sockets are made: private, and made with mode 0700 if it is missing. */
  readonly directory: string;
  /** The file name of this process's sockets without its ending; random by default. */
  readonly name?: string;
  /** Where other machines reach this process too, and who it is to them; left out: they don't. */
  readonly tcp?: TcpOptions;
  /** What the nodes of all its groups sign their messages with; left out: they don't. */
  readonly secret?: Buffer;
  /** Told of new addresses after the old ones were deleted by someone. */
  readonly onEndpointsChanged?: (endpoints: Endpoints) => void;
}

/** What a look at the sockets' paths showed. */
export type SocketCheck =
  | { readonly type: 'intact' }
  | { readonly type: 'rebound'; readonly endpoints: Endpoints }
  | { readonly type: 'failed'; readonly error: FailoverError };

/** A path that this process bound, and the inode by which it knows it again. */
interface BoundPath {
  readonly endpoint: string;
  readonly path: string;
  readonly inode: number;
}

export class Transport implements AsyncDisposable {
  readonly #options: TransportOptions;
  readonly #publisher: XPublisher;
  readonly #router: Router;
  readonly #server: RpcServer;
  readonly #swept: Promise<void>;
  readonly #broadcast: Broadcast;
  readonly #groups = new Map<string, GroupBus>();
  readonly #shared: SharedSockets;
  readonly #tally = new Tally();
  readonly #seal: Seal;
  readonly #links: Links;
  readonly #door: TcpDoor | null;
  readonly #ended: Promise<unknown>;
  #endpoints: Endpoints;
  #bound: BoundPath[] = [];
  #closed = false;

  /**
   * Makes and binds the two sockets.
   * @throws FAILOVER_OUT_OF_DESCRIPTORS where those who connect could end it; FAILOVER_PATH_TOO_LONG, FAILOVER_STATE_DIR_*, FAILOVER_NOT_PERMITTED for the directory,
   *   FAILOVER_ADDRESS_IN_USE when an address can't be bound: no node runs without its sockets;
   *   FAILOVER_BAD_OPTION for keys where there is no encryption
   */
  constructor(options: TransportOptions) {
    this.#options = options;
    this.#seal = new Seal(options.secret ?? null);
    this.#links = new Links({
      tally: this.#tally,
      dialer: new Dialer(options.tcp ?? null, this.#tally),
      seal: this.#seal,
    });
    this.#endpoints = endpointsIn(options.directory, options.name ?? randomSocketName());
    refuseFewDescriptors();
    ensurePrivateDirectory(options.directory);
    this.#publisher = new XPublisher({
      ...COMMON_OPTIONS,
      ...NEVER_WAIT,
      sendHighWaterMark: HIGH_WATER_MARK,
    });
    this.#router = new Router({
      ...COMMON_OPTIONS,
      ...NEVER_WAIT,
      sendHighWaterMark: HIGH_WATER_MARK,
      receiveHighWaterMark: HIGH_WATER_MARK,
    });
    try {
      this.#bind(this.#endpoints);
      this.#door = options.tcp === undefined ? null : new TcpDoor(options.tcp, this.#tally);
    } catch (error) {
      this.#closeSockets();
      throw error;
    }
    this.#server = new RpcServer(this.#tally, this.#seal);
    this.#broadcast = new Broadcast({
      seal: this.#seal,
      onDropped: this.#tally.dropped,
      hasMany: () => this.#groups.size >= MANY_GROUPS,
    });
    this.#ended = Promise.all([
      this.#broadcast.through(this.#publisher, () => true),
      this.#door === null
        ? null
        : this.#broadcast.through(this.#door.publisher, (reach) => reach === 'machines'),
      this.#server.listen(this.#router, true),
      this.#door === null ? null : this.#server.listen(this.#door.router, false),
    ]);
    this.#shared = this.#sharedSockets();
    this.#swept = removeStaleSockets(options.directory);
  }

  /** Where other processes reach this one now. */
  get endpoints(): Endpoints {
    return this.#endpoints;
  }

  /** Where other machines reach it; null: they don't. */
  get remoteEndpoints(): Endpoints | null {
    return this.#door?.endpoints ?? null;
  }

  /** What a person should know of those who were turned away, or turned this process away. */
  troubles(): readonly string[] {
    return this.#tally.troubles();
  }

  /** @throws FAILOVER_NODE_TAKEN when the process already runs a node of this group */
  openGroup(options: GroupOptions): Bus {
    const { group } = options;
    if (this.#groups.has(group)) {
      throw new FailoverError(
        'FAILOVER_NODE_TAKEN',
        `Cannot join group ${group}: this process already runs a node of it`,
      );
    }
    const bus = new GroupBus(options, this.#shared);
    this.#groups.set(group, bus);
    this.#server.serve(group, bus);
    return bus;
  }

  /** As `callOnce`: one ping of whatever process is at that address. */
  ping(endpoint: string, ping: Ping): Promise<unknown> {
    return pingOnce(endpoint, ping);
  }

  counters(): TransportCounters {
    return this.#tally.snapshot();
  }

  /** How many other processes this one is connected to. */
  get linkCount(): number {
    return this.#links.size;
  }

  /**
   * Looks whether the sockets' paths are still there, and binds fresh ones if not, beside the old ones:
   * connections that stand are kept. Cheap, meant for every heartbeat.
   */
  checkSockets(): SocketCheck {
    if (this.#closed || this.#bound.slice(-2).every(isStillOurs)) return { type: 'intact' };
    try {
      if (this.#bound.length >= BOUND_PATHS_LIMIT) throw removedTooOften(this.#options.directory);
      const endpoints = endpointsIn(this.#options.directory, randomSocketName());
      ensurePrivateDirectory(this.#options.directory);
      this.#bind(endpoints);
      this.#endpoints = endpoints;
    } catch (error) {
      if (error instanceof FailoverError) return { type: 'failed', error };
      throw error;
    }
    callOut(() => this.#options.onEndpointsChanged?.(this.#endpoints));
    return { type: 'rebound', endpoints: this.#endpoints };
  }

  /** Leaves every group and closes everything; the socket files are gone when it resolves. Idempotent. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      for (const bus of [...this.#groups.values()]) await bus.close();
      this.#links.close();
      this.#closeSockets();
      this.#door?.close();
    }
    await Promise.all([this.#ended, this.#swept]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #sharedSockets(): SharedSockets {
    const endpoints = (): Endpoints => this.#endpoints;
    return {
      get endpoints() {
        return endpoints();
      },
      links: this.#links,
      tally: this.#tally,
      isSealed: this.#seal.hasSecret,
      send: (said) => {
        this.#broadcast.send(said);
      },
      leave: (group) => {
        this.#groups.delete(group);
        this.#server.forget(group);
      },
    };
  }

  #bind(endpoints: Endpoints): void {
    const before = this.#bound.length;
    try {
      this.#bound.push(bindPath(this.#publisher, endpoints.bus));
      this.#bound.push(bindPath(this.#router, endpoints.rpc));
    } catch (error) {
      for (const bound of this.#bound.splice(before)) removePath(bound);
      throw error;
    }
    // Binding may have taken the news of a waiting message from the receive that waits for it; a send
    // looks again. An empty routing id belongs to nobody, so nothing is sent.
    sendOrDrop(this.#router, ['', ''], () => undefined);
  }

  #closeSockets(): void {
    this.#publisher.close();
    this.#router.close();
    // libzmq removes them too, on a thread of its own, and not when the process exits before that.
    for (const bound of this.#bound) removePath(bound);
  }
}

/** With fewer of them a message for each costs nothing that counts, and none waits for another. */
const MANY_GROUPS = 8;

/**
 * Two for each pair of addresses. Old ones stay bound, since unbinding drops the connections made
 * through them, and each costs a descriptor.
 */
const BOUND_PATHS_LIMIT = 128;

function removedTooOften(directory: string): FailoverError {
  return new FailoverError(
    'FAILOVER_ADDRESS_IN_USE',
    `Cannot listen in ${directory} again: its sockets were removed ${BOUND_PATHS_LIMIT / 2} times`,
    { hint: 'Find out what removes them, and restart the node.' },
  );
}

function bindPath(socket: XPublisher | Router, endpoint: string): BoundPath {
  const path = pathOfEndpoint(endpoint);
  if (path === null) throw addressError(endpoint, 'it is not a socket address');
  try {
    // libzmq would take the path from its owner without a word.
    if (existsAt(path)) throw new Error('the path exists');
    socket.bindSync(endpoint);
    return { endpoint, path, inode: lstatSync(path).ino };
  } catch (cause) {
    throw socketFileError(path, cause) ?? addressError(endpoint, cause);
  }
}

function existsAt(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function addressError(endpoint: string, cause: unknown): FailoverError {
  const why = messageOf(cause);
  return new FailoverError('FAILOVER_ADDRESS_IN_USE', `Cannot listen on ${endpoint}: ${why}`, {
    cause,
  });
}

function isStillOurs({ path, inode }: BoundPath): boolean {
  try {
    return lstatSync(path).ino === inode;
  } catch {
    return false;
  }
}

function removePath(bound: BoundPath): void {
  try {
    if (isStillOurs(bound)) unlinkSync(bound.path);
  } catch {
    // libzmq, or whoever deleted the directory, was faster.
  }
}
