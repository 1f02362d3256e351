// The TCP side of a proxy: connections are held while nobody leads, and spliced to the primary while one does.
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { ProxyLimits } from '../config/load-proxy.ts';
import type { ListenAddress } from '../config/proxy-address.ts';
import { systemClock } from '../runtime/clock.ts';
import { Gate } from './gate.ts';
import type { ProxyObserver, ProxyReport } from './http-proxy.ts';
import { listenAt } from '../transport/listen-at.ts';
import type { PrimaryListener } from './primary-source.ts';
import { ProxyCounts } from './proxy-counts.ts';
import { ReadBuffers } from './read-buffers.ts';
import type { RefusalCode } from './refusals.ts';
import { Splice } from './splice.ts';

/** Shorter than what is between them forgets a connection on which nobody speaks, ms. */
const WATCH_AFTER_MS = 30_000;

export class TcpProxy {
  readonly #gate: Gate;
  readonly #limits: ProxyLimits;
  readonly #counts = new ProxyCounts();
  readonly #observer: ProxyObserver;
  readonly #watchAfterMs: number;
  readonly #server: Server;
  readonly #splices = new Set<Splice>();
  readonly #buffers = new ReadBuffers();

  constructor(
    limits: ProxyLimits,
    observer: ProxyObserver = {},
    { watchAfterMs = WATCH_AFTER_MS }: { readonly watchAfterMs?: number } = {},
  ) {
    const { holdMs, holdMax, holdMaxBytes, maxConnections, maxClients } = limits;
    this.#limits = limits;
    this.#observer = observer;
    this.#watchAfterMs = watchAfterMs;
    this.#gate = new Gate({
      hold: { waitMs: holdMs, requests: holdMax, bytes: holdMaxBytes },
      slots: maxConnections,
      clock: systemClock,
      onChange: (change) => {
        observer.onChange?.(change);
      },
    });
    this.#server = createServer({ allowHalfOpen: true, noDelay: true });
    this.#server.maxConnections = maxClients;
    this.#server.on('connection', (client: Socket) => {
      this.#take(client);
    });
    this.#server.on('drop', () => {
      this.#counts.clientsRefused += 1;
      observer.onRefused?.('too-many-clients');
    });
  }

  /** Whom the source of the primary tells. */
  get listener(): PrimaryListener {
    return this.#gate;
  }

  /** Resolves with the port. @throws FAILOVER_ADDRESS_IN_USE, FAILOVER_NOT_PERMITTED, FAILOVER_BAD_OPTION */
  listen(address: ListenAddress): Promise<number> {
    return listenAt(this.#server, address);
  }

  report(): ProxyReport {
    const { held: everHeld, longestHeldMs } = this.#gate.counts;
    return { mode: 'tcp', counts: this.#counts, ...this.#gate.load, everHeld, longestHeldMs };
  }

  /** Takes no more connections; those between two requests end, and it resolves when all have. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    for (const splice of [...this.#splices]) splice.close();
    await closed;
    await this.destroy();
  }

  /** Ends all of it at once. */
  async destroy(): Promise<void> {
    this.#gate.stop();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      for (const splice of [...this.#splices]) splice.cut();
    });
  }

  #take(client: Socket): void {
    this.#counts.requests += 1;
    const splice = new Splice(client, {
      ...{ gate: this.#gate, clock: systemClock, buffers: this.#buffers },
      idleTimeoutMs: this.#limits.idleTimeoutMs,
      watchAfterMs: this.#watchAfterMs,
      onRefused: (code) => {
        this.#refused(code);
      },
      onEnd: (how) => {
        this.#splices.delete(splice);
        if (how === 'cut') this.#broken();
        else if (how === 'done') this.#counts.answered += 1;
        else if (how === 'gone') this.#counts.clientsGone += 1;
      },
    });
    this.#splices.add(splice);
    splice.start();
  }

  #broken(): void {
    this.#counts.cut += 1;
    this.#observer.onRefused?.('broken-off');
  }

  #refused(code: RefusalCode): void {
    this.#counts.refuse(code);
    this.#observer.onRefused?.(code);
  }
}
