// Load on a proxy whose primaries come and go by chance, and what has become of every request.
import { Agent, createServer, request } from 'node:http';
import type { Server } from 'node:http';
import type { PrimaryTerm } from '../../../src/proxy/primary-source.ts';
import { listening } from './proxied.ts';

/** Counts what it has done, over all of its primaries. */
export class Ledger {
  /** How often each POST was done, by its id. */
  readonly done = new Map<string, number>();

  get twice(): number {
    return [...this.done.values()].filter((times) => times > 1).length;
  }
}

export interface SoakPrimary {
  readonly term: PrimaryTerm;
  readonly server: Server;
}

/** A primary that takes a moment for each request; `isHung` makes it silent. */
export async function startSoakPrimary(
  epoch: number,
  ledger: Ledger,
  isHung: () => boolean,
): Promise<SoakPrimary> {
  const server = createServer((incoming, response) => {
    const { method, url = '' } = incoming;
    incoming.resume().on('end', () => {
      if (isHung()) return;
      if (method === 'POST') ledger.done.set(url, (ledger.done.get(url) ?? 0) + 1);
      setImmediate(() => response.end(url));
    });
  });
  server.keepAliveTimeout = 1;
  const port = await listening(server);
  return { term: { node: 'n', epoch, target: `http://127.0.0.1:${String(port)}` }, server };
}

export interface SoakResult {
  safeLost: number;
  /** By the code that they were answered with; `none`: the connection broke. */
  readonly unsafeLost: Map<string, number>;
  answered: number;
  wrong: number;
}

/** Sends requests of both kinds, some at a time, until told to stop. */
export class Load {
  readonly result: SoakResult = { safeLost: 0, unsafeLost: new Map(), answered: 0, wrong: 0 };
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #port: number;
  #count = 0;
  #isOver = false;

  constructor(port: number) {
    this.#port = port;
  }

  /** How many were sent. */
  get count(): number {
    return this.#count;
  }

  /** Resolves when it is told to stop and every request has its answer. */
  async run(atATime: number): Promise<void> {
    const one = async (): Promise<void> => {
      while (!this.#isOver) await this.#send();
    };
    await Promise.all(Array.from({ length: atATime }, one));
    this.#agent.destroy();
  }

  stop(): void {
    this.#isOver = true;
  }

  #send(): Promise<void> {
    this.#count += 1;
    const isSafe = this.#count % 2 === 0;
    const path = `/${String(this.#count)}`;
    return new Promise((resolve) => {
      const end = (status: number, code: string, body: string): void => {
        if (status !== 200) this.#lost(isSafe, code);
        else if (body === path) this.result.answered += 1;
        else this.result.wrong += 1;
        resolve();
      };
      const method = isSafe ? 'GET' : 'POST';
      const sent = request({ port: this.#port, agent: this.#agent, path, method });
      sent.on('error', () => {
        end(0, 'none', '');
      });
      sent.on('response', (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('close', () => {
          const { statusCode = 0, complete, headers } = response;
          end(complete ? statusCode : 0, String(headers['x-failover-error'] ?? 'none'), body);
        });
      });
      sent.end(isSafe ? undefined : 'a body');
    });
  }

  #lost(isSafe: boolean, code: string): void {
    if (isSafe) this.result.safeLost += 1;
    else this.result.unsafeLost.set(code, (this.result.unsafeLost.get(code) ?? 0) + 1);
  }
}
