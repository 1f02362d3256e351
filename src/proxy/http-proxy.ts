// The HTTP side of a proxy: its server, what that refuses, and how it ends.
import { randomBytes } from 'node:crypto';
import { ServerResponse, createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ListenAddress } from '../config/proxy-address.ts';
import type { HttpProxyOptions, ProxyLimits } from '../config/load-proxy.ts';
import { systemClock } from '../runtime/clock.ts';
import { afterReads } from './after-reads.ts';
import { ClientConnection } from './client-connection.ts';
import { Exchange } from './exchange.ts';
import type { Asked, Site } from './exchange.ts';
import { Gate } from './gate.ts';
import type { RouteChange } from './gate.ts';
import { listenAt } from '../transport/listen-at.ts';
import { Patience } from './patience.ts';
import type { PrimaryListener, ReachedNode } from './primary-source.ts';
import { ProxyCounts } from './proxy-counts.ts';
import { Readers } from './readers.ts';
import type { RefusalCode } from './refusals.ts';
import { screened } from './screening.ts';
import type { Passable } from './screening.ts';
import type { NotedCode } from './summary.ts';
import { Upstream } from './upstream.ts';

export interface ProxyObserver {
  readonly onChange?: (change: RouteChange) => void;
  /** Each time that something is answered in place of the primary, or lost. */
  readonly onRefused?: (code: NotedCode) => void;
}

/** What a proxy does now, and has done. */
export interface ProxyReport {
  /** Whether what is counted are requests, or connections. */
  readonly mode: 'http' | 'tcp';
  readonly counts: ProxyCounts;
  readonly held: number;
  readonly underWay: number;
  /** Of bodies that are kept. */
  readonly bytes: number;
  readonly everHeld: number;
  readonly longestHeldMs: number;
}

/** What of a request is more than its head. */
type More = Pick<Asked, 'expectsContinue' | 'upgrade'>;

/** As nearly all are. */
const PLAIN: More = { expectsContinue: false, upgrade: null };

/** What is refused is passed on to nobody. */
const INERT: Passable = { path: '/', host: null, hops: '' };

/** Longer than clients keep a connection idle: closed by us while they send the next request, it would be lost. */
const KEEP_ALIVE_MS = 75_000;

export class HttpProxy {
  readonly #gate: Gate;
  readonly #upstream: Upstream;
  readonly #readers: Readers;
  readonly #counts = new ProxyCounts();
  readonly #server: Server;
  readonly #site: Site;
  readonly #self = randomBytes(8).toString('hex');
  readonly #clients = new Map<Duplex, ClientConnection>();
  #isStopping = false;

  constructor(limits: HttpProxyOptions, { onChange, onRefused }: ProxyObserver = {}) {
    const { holdMs, holdMax, holdMaxBytes, maxConnections, readFrom } = limits;
    this.#upstream = new Upstream(limits);
    this.#readers = new Readers({ readFrom, slots: maxConnections, limits });
    this.#gate = new Gate({
      hold: { waitMs: holdMs, requests: holdMax, bytes: holdMaxBytes },
      slots: maxConnections,
      clock: systemClock,
      onChange: (change) => {
        this.#followRoute(change);
        onChange?.(change);
      },
    });
    this.#site = {
      ...{ gate: this.#gate, upstream: this.#upstream, readers: this.#readers },
      ...{ counts: this.#counts, clock: systemClock },
      bodyLimits: { keptBytes: limits.repeatMaxBytes, room: this.#gate },
      ...{ patience: new Patience(limits, systemClock), limits },
      onRefused: (code) => onRefused?.(code),
      isStopping: () => this.#isStopping,
      onClosed: () => {
        this.#closeIdle();
      },
    };
    this.#server = createServer(serverOptions(limits));
    this.#server.maxConnections = limits.maxClients;
    // What is past a number of headers would be dropped without a word: their size is limited.
    this.#server.maxHeadersCount = 0;
    this.#attend(limits.idleTimeoutMs);
  }

  /** Whom the source of the primary tells. */
  get listener(): PrimaryListener {
    return this.#gate;
  }

  /** The nodes that may be read from, now and when they change; resolves once the first ones were checked. */
  followNodes(nodes: readonly ReachedNode[]): Promise<void> {
    return this.#readers.update(nodes);
  }

  /** Resolves with the port. @throws FAILOVER_ADDRESS_IN_USE, FAILOVER_NOT_PERMITTED, FAILOVER_BAD_OPTION */
  listen(address: ListenAddress): Promise<number> {
    return listenAt(this.#server, address);
  }

  report(): ProxyReport {
    const { held: everHeld, longestHeldMs } = this.#gate.counts;
    const { held, underWay, bytes } = this.#gate.load;
    return {
      ...{
        mode: 'http' as const,
        counts: this.#counts,
        held,
        underWay: underWay + this.#readers.underWay,
      },
      ...{ bytes, everHeld, longestHeldMs },
    };
  }

  /** Takes no more connections; resolves when what is held and under way is done, or `destroy` was called. */
  async close(): Promise<void> {
    this.#isStopping = true;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    this.#gate.closeStreams();
    this.#readers.closeStreams();
    this.#server.closeIdleConnections();
    await closed;
    await this.destroy();
  }

  /** Ends all of it at once. */
  async destroy(): Promise<void> {
    this.#isStopping = true;
    this.#readers.end();
    this.#gate.stop();
    this.#upstream.destroy();
    await new Promise<void>((resolve) => {
      // What is cut is refused by then.
      afterReads(() => {
        this.#site.patience.stop();
        for (const client of [...this.#clients.values()]) client.destroy();
        this.#server.close(() => {
          resolve();
        });
      });
    });
  }

  /** Connections of a term that is over are closed; of one that ends, as soon as they are idle. */
  #followRoute({ phase, term }: RouteChange): void {
    this.#readers.followPrimary(term);
    if (phase === 'none') this.#upstream.destroy();
    else if (phase === 'closing') this.#upstream.retire();
  }

  #attend(idleTimeoutMs: number): void {
    this.#server.on('connection', (socket) => {
      const client = new ClientConnection(socket, { clock: systemClock, idleTimeoutMs });
      this.#clients.set(socket, client);
      socket.on('close', () => {
        this.#clients.delete(socket);
      });
    });
    this.#server.on('request', (request, response) => {
      this.#take(request, response, PLAIN);
    });
    this.#server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      this.#take(request, response, { expectsContinue: true, upgrade: null });
    });
    this.#server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      this.#take(request, response, PLAIN);
    });
    this.#server.on('upgrade', (request, socket, head) => {
      this.#upgrade(request, socket, head);
    });
    this.#server.on('connect', (_, socket) => {
      this.#refuseRaw(socket, 'not-supported');
    });
    this.#server.on('clientError', (error, socket) => {
      this.#misunderstood(error, socket);
    });
    this.#server.on('drop', () => {
      this.#counts.clientsRefused += 1;
      this.#site.onRefused('too-many-clients');
    });
  }

  #take(request: IncomingMessage, response: ServerResponse, more: More): void {
    const client = this.#clients.get(request.socket);
    // One that is not begun before its client goes is in no other count either.
    client?.take(() => {
      this.#counts.requests += 1;
      const passable = screened(request, this.#self);
      const isRefused = typeof passable === 'string';
      const { path, host, hops } = isRefused ? INERT : passable;
      const { expectsContinue, upgrade } = more;
      const asked = { client, request, response, expectsContinue, upgrade, path, host, hops };
      const exchange = new Exchange(this.#site, asked);
      if (isRefused) exchange.refuse(passable);
      else if (this.#isStopping) exchange.refuse('stopping');
      else exchange.start();
      return exchange;
    });
  }

  /** One whose answer had begun before is kept for the next request. */
  #closeIdle(): void {
    if (!this.#isStopping) return;
    setImmediate(() => {
      this.#server.closeIdleConnections();
    });
  }

  /** Only WebSockets: another protocol could carry requests that nobody looks at. Those without are plain requests. */
  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { upgrade = '', 'content-length': length, 'transfer-encoding': coding } = request.headers;
    const isWebSocket = upgrade.toLowerCase() === 'websocket' && request.method === 'GET';
    const hasBody = coding !== undefined || (length !== undefined && length !== '0');
    if (!(socket instanceof Socket) || hasBody || owedAnswer(socket) !== null) {
      this.#refuseRaw(socket, 'not-supported');
      return;
    }
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    // The server has taken its own listener for that away.
    socket.on('drain', () => response.emit('drain'));
    response.on('finish', () => {
      this.#clients.get(socket)?.end();
    });
    const asked = isWebSocket ? { socket, head } : null;
    this.#take(request, response, { expectsContinue: false, upgrade: asked });
  }

  #misunderstood({ code }: NodeJS.ErrnoException, socket: Duplex): void {
    if (this.#clients.get(socket)?.isEnding === true) return;
    // A client that has gone is told nothing.
    if (code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else if (code === 'HPE_HEADER_OVERFLOW') this.#refuseRaw(socket, 'header-too-large');
    else if (code === 'ERR_HTTP_REQUEST_TIMEOUT') this.#refuseRaw(socket, 'request-timeout');
    else this.#refuseRaw(socket, 'bad-request');
  }

  /** All of the connection: what follows can't be told from what was refused. */
  #refuseRaw(socket: Duplex, code: RefusalCode): void {
    const owed = owedAnswer(socket);
    // Of a request that was answered the rest is none of its own.
    if (owed === null || owed.req.complete) {
      this.#counts.refuse(code);
      this.#site.onRefused(code);
    }
    if (owed === null) this.#clients.get(socket)?.refuse(code);
    else socket.destroy();
  }
}

function serverOptions(limits: ProxyLimits): Parameters<typeof createServer>[0] & object {
  const { maxHeaderBytes, headerTimeoutMs, requestTimeoutMs } = limits;
  return {
    insecureHTTPParser: false,
    requireHostHeader: true,
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: Math.min(headerTimeoutMs, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(Math.max(headerTimeoutMs / 4, 100), 5_000),
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
  };
}

/**
 * The response for which, or for a part of it, what is answered now would be taken; null: there is none. The server keeps
 * the one that comes next with the socket.
 */
function owedAnswer(
  socket: Duplex & { readonly _httpMessage?: ServerResponse | null },
): ServerResponse | null {
  const { _httpMessage: next } = socket;
  return next instanceof ServerResponse && (next.headersSent || next.req.complete) ? next : null;
}
