// Stands between a client and a server on this machine, and does to their bytes what networks do.
import { createConnection, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/**
 * What becomes of what comes from a side: `late` waits for `heal`; `lost` is taken and never arrives, and since no
 * stream goes on with a gap its connection ends with `heal`.
 */
type Fate = 'passed' | 'lost' | 'late';

export class FaultProxy {
  requests: Fate = 'passed';
  answers: Fate = 'passed';
  /** Bytes that came from clients since the last look. */
  #taken = 0;
  #hasLost = false;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #late: (() => void)[] = [];

  private constructor(targetPort: () => number) {
    this.#server = createServer((client) => {
      const server = createConnection({ host: '127.0.0.1', port: targetPort() });
      const pair = [client, server] as const;
      this.#pairs.add(pair);
      for (const socket of pair) {
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#pairs.delete(pair);
          for (const other of pair) other.destroy();
        });
      }
      client.on('data', (bytes) => {
        this.#taken += bytes.length;
        this.#pass(this.requests, () => server.write(bytes));
      });
      server.on('data', (bytes) => {
        this.#pass(this.answers, () => client.write(bytes));
      });
    });
  }

  static async to(targetPort: () => number): Promise<FaultProxy> {
    const proxy = new FaultProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('it does not listen');
    return address.port;
  }

  /** Whether clients have sent something since the last call. */
  hasTaken(): boolean {
    const taken = this.#taken > 0;
    this.#taken = 0;
    return taken;
  }

  heal(): void {
    this.requests = 'passed';
    this.answers = 'passed';
    for (const act of this.#late.splice(0)) act();
    if (this.#hasLost) this.reset();
    this.#hasLost = false;
  }

  /** Ends every connection without a word to the other side's program. */
  reset(): void {
    for (const [client, server] of this.#pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(fate: Fate, act: () => void): void {
    if (fate === 'passed') act();
    else if (fate === 'late') this.#late.push(act);
    else this.#hasLost = true;
  }
}
