// The connections to the primary: a pool for each term of it, gone with the term.
import { Pool } from 'undici';
import { afterReads } from './after-reads.ts';
import { connectToPrimary } from './primary-connection.ts';
import type { PrimaryTerm } from './primary-source.ts';

export interface UpstreamLimits {
  readonly maxHeaderBytes: number;
}

export class Upstream {
  readonly #limits: UpstreamLimits;
  #pool: Pool | null = null;
  #term: PrimaryTerm | null = null;

  constructor(limits: UpstreamLimits) {
    this.#limits = limits;
  }

  poolFor(term: PrimaryTerm): Pool {
    if (this.#pool !== null && this.#term === term) return this.#pool;
    this.destroy();
    this.#term = term;
    this.#pool = this.#open(term.target);
    return this.#pool;
  }

  /** Closes what is idle at once, and the others when they are: a server that ends may wait for its connections. */
  retire(): void {
    const pool = this.#pool;
    this.#pool = null;
    // What goes wrong while it is closed is told to the requests that are left.
    pool?.close().catch(() => undefined);
  }

  /** Closes all of them, once the answers that are here are read. */
  destroy(): void {
    const pool = this.#pool;
    this.#pool = null;
    if (pool === null) return;
    afterReads(() => {
      pool.destroy().catch(() => undefined);
    });
  }

  #open(target: string): Pool {
    return new Pool(target, {
      // The gate lets through no more than may go, and each has a connection to itself.
      pipelining: 1,
      connect: connectToPrimary,
      maxHeaderSize: this.#limits.maxHeaderBytes,
      // Each attempt is waited for with patience.
      headersTimeout: 0,
      bodyTimeout: 0,
      // Servers close what is idle for 5 s and more: one that is about to be closed must not get a request.
      keepAliveTimeout: 4_000,
      keepAliveTimeoutThreshold: 1_000,
      keepAliveMaxTimeout: 60_000,
    });
  }
}
