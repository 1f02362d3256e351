// PgBouncer in transaction mode before a server of a test: each statement may be done by another process there.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ANOTHER_USER } from '../../support/another-user.ts';
import { freePort } from '../../support/free-port.ts';
import { lackOf } from '../../support/lack.ts';
import { until } from '../../support/until.ts';
import type { PostgresServer } from './postgres-server.ts';

/** Why there is no pooler to test with; null: there is. */
export function lackOfPgbouncer(): string | null {
  const isThere = spawnSync('pgbouncer', ['--version']).status === 0;
  const why = 'there is no pgbouncer here (Debian: apt-get install pgbouncer)';
  return lackOf('pgbouncer', isThere, why);
}

export class Pgbouncer {
  readonly port: number;
  readonly #directory: string;
  readonly #process: ChildProcess;

  private constructor(port: number, directory: string, child: ChildProcess) {
    this.port = port;
    this.#directory = directory;
    this.#process = child;
  }

  static async before(server: PostgresServer): Promise<Pgbouncer> {
    const port = await freePort();
    const directory = mkdtempSync(join(tmpdir(), 'failover-pgbouncer-'));
    const file = join(directory, 'pgbouncer.ini');
    writeFileSync(file, configuration(port, server.port));
    const isRoot = process.getuid?.() === 0;
    if (isRoot) chownSync(directory, ANOTHER_USER, ANOTHER_USER);
    // As root it refuses to run.
    const user = isRoot ? { uid: ANOTHER_USER, gid: ANOTHER_USER } : {};
    const child = spawn('pgbouncer', ['-q', file], { stdio: 'ignore', cwd: directory, ...user });
    const pooler = new Pgbouncer(port, directory, child);
    for (;;) {
      if (child.exitCode !== null) throw new Error('pgbouncer has ended');
      if (await answers(port)) return pooler;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop(): Promise<void> {
    const child = this.#process;
    child.kill('SIGKILL');
    await until('its end', () => child.exitCode !== null || child.signalCode !== null);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Few connections to the server for many clients: who comes next gets another one. */
function configuration(port: number, serverPort: number): string {
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'any',
    pool_mode: 'transaction',
    default_pool_size: '4',
    server_round_robin: '1',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  const server = `host=127.0.0.1 port=${String(serverPort)} user=tester`;
  return `[databases]\n* = ${server}\n[pgbouncer]\n${lines.join('\n')}\n`;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    const done = (isThere: boolean) => () => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', done(true));
    socket.once('error', done(false));
  });
}
