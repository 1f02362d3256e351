// The HTTP server of a node that runs a command: it takes heartbeats of its peers, and nothing else.
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { FailoverError } from '../errors.ts';
import { Callers } from './callers.ts';
import { answerHeartbeat, isHeartbeat } from './heartbeat-endpoint.ts';
import type { PeerNode } from './peer-node.ts';

export class PeerServer {
  readonly #address: URL;
  readonly #timeoutMs: number;
  #server: Server | null = null;

  /** @param address its own, as others reach it: it listens there */
  constructor(address: string, timeoutMs: number) {
    this.#address = new URL(address);
    this.#timeoutMs = timeoutMs;
  }

  /** @throws FAILOVER_ADDRESS_IN_USE, and FAILOVER_BAD_OPTION for an address that is none of this machine */
  async listen(node: PeerNode): Promise<void> {
    const callers = new Callers();
    const server = createServer((request, response) => {
      if (isHeartbeat(request)) {
        // No other answer than to what is signed is one.
        response.once('finish', () => {
          if (response.statusCode === 200) callers.heard(request.socket);
        });
        answerHeartbeat(node, { request, response }, this.#timeoutMs);
        return;
      }
      response.writeHead(404, { connection: 'close' }).end();
    });
    server.on('connection', (socket) => {
      callers.arrived(socket);
    });
    this.#server = server;
    const { hostname, port } = this.#address;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        reject(this.#refusal(error));
      });
      server.listen(Number(port || HTTP_PORT), hostname.replace(/^\[(.*)\]$/, '$1'), resolve);
    });
    // Of one connection: the next one may do better.
    server.on('error', () => undefined);
  }

  /** At once: who is asked after the good-bye has nothing to say. */
  async close(): Promise<void> {
    const server = this.#server;
    if (server?.listening !== true) return;
    await new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
      server.closeAllConnections();
    });
  }

  #refusal(error: NodeJS.ErrnoException): FailoverError {
    const { origin } = this.#address;
    if (error.code === 'EADDRINUSE') {
      const fact = `Cannot listen for peers on ${origin}: the address is in use`;
      return new FailoverError('FAILOVER_ADDRESS_IN_USE', fact, { cause: error });
    }
    const fact = `Cannot listen for peers on ${origin}: ${error.code ?? error.message}`;
    return new FailoverError('FAILOVER_BAD_OPTION', fact, {
      cause: error,
      details: { option: '--peer-address', expected: 'an address of this machine' },
    });
  }
}

const HTTP_PORT = 80;
