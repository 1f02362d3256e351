// A Redis server of the test's own: a free loopback port, a directory of its own, gone afterwards.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { keysOf } from '../../../src/lease/redis/scripts.ts';
import { freePort } from '../../support/free-port.ts';
import { lackOf } from '../../support/lack.ts';
import { bringToStandstill } from '../../support/standstill.ts';
import { until } from '../../support/until.ts';

/** Why there is no server to test with; null: there is. */
export function lackOfRedis(): string | null {
  const isThere = spawnSync('redis-server', ['--version']).status === 0;
  const why = 'there is no redis-server here (Debian: apt-get install redis-server)';
  return lackOf('redis', isThere, why);
}

export class RedisServer {
  readonly port: number;
  readonly #directory: string;
  readonly #options: readonly string[];
  #process: ChildProcess | null = null;

  private constructor(port: number, options: readonly string[]) {
    this.port = port;
    this.#options = options;
    this.#directory = mkdtempSync(join(tmpdir(), 'failover-redis-'));
  }

  /** `options`: on top of those by which nothing is written that is not asked for. */
  static async start(options: readonly string[] = []): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), options);
    await server.begin();
    return server;
  }

  async begin(): Promise<void> {
    const place = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#directory];
    const many = ['--databases', '64'];
    const quiet = ['--save', '', '--appendonly', 'no', '--loglevel', 'warning'];
    const child = spawn('redis-server', [...place, ...many, ...quiet, ...this.#options], {
      stdio: 'ignore',
    });
    this.#process = child;
    for (;;) {
      if (child.exitCode !== null) throw new Error('the server has ended');
      try {
        await this.command(['PING']);
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  /** SIGKILL: what it has not written it has lost. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await until('the server to end', () => child.exitCode !== null || child.signalCode !== null);
  }

  /** When it returns, it answers nobody. */
  freeze(): void {
    if (this.#process?.pid !== undefined) bringToStandstill(this.#process.pid);
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Past any own client of a test. */
  async command(args: string[], database = 0): Promise<unknown> {
    const password = this.#options[this.#options.indexOf('--requirepass') + 1];
    const client = createClient({
      socket: { host: '127.0.0.1', port: this.port, reconnectStrategy: false },
      database,
      ...(this.#options.includes('--requirepass') && password !== undefined ? { password } : {}),
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await client.sendCommand(args);
    } finally {
      client.destroy();
    }
  }

  /** Old enough not to be taken for one that may have lost a lease of this time to live. */
  async grownOld(ttlMs: number): Promise<void> {
    for (;;) {
      if (((await this.uptimeSeconds()) - 1) * 1000 >= ttlMs) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** As one that has been in use for long: what it knows of this group is all that there is. */
  async growOld(group: string, database = 0): Promise<void> {
    const information = String(await this.command(['INFO', 'server']));
    const id = /run_id:([0-9a-f]+)/.exec(information)?.[1] ?? '';
    await this.command(['HSET', keysOf(group)[1] ?? '', 'v', '1', 'server', id], database);
  }

  /** The first of them may have been a moment. */
  async uptimeSeconds(): Promise<number> {
    const information = String(await this.command(['INFO', 'server']));
    return Number(/uptime_in_seconds:(\d+)/.exec(information)?.[1] ?? 0);
  }

  async stop(): Promise<void> {
    await this.end();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
