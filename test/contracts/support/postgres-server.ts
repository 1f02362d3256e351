// A PostgreSQL server of the test's own: a free loopback port, a directory of its own, gone afterwards.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { ANOTHER_USER } from '../../support/another-user.ts';
import { freePort } from '../../support/free-port.ts';
import { lackOf } from '../../support/lack.ts';
import { bringToStandstill, signalIfThere } from '../../support/standstill.ts';
import { until } from '../../support/until.ts';

/** Where Debian has the programs, each version in a directory of its own; elsewhere they are on the path. */
const VERSIONS = '/usr/lib/postgresql';

/** Why there is no server to test with; null: there is. */
export function lackOfPostgres(): string | null {
  const why = 'there is no PostgreSQL here (Debian: apt-get install postgresql)';
  return lackOf('postgres', postgresPrograms() !== null, why);
}

export class PostgresServer {
  readonly port: number;
  readonly #directory: string;
  readonly #options: readonly string[];
  #process: ChildProcess | null = null;

  private constructor(port: number, options: readonly string[]) {
    this.port = port;
    this.#options = options;
    this.#directory = privateDirectory();
  }

  /** `options`: on top of those by which it writes no more than it has to. */
  static async start(options: readonly string[] = []): Promise<PostgresServer> {
    const server = new PostgresServer(await freePort(), options);
    makeData(server.#data);
    await server.begin();
    return server;
  }

  get url(): string {
    return `postgres://${SUPERUSER}@${this.host}/postgres`;
  }

  /** With its port. Others than the superuser need a password. */
  get host(): string {
    return `127.0.0.1:${String(this.port)}`;
  }

  /** A database of its own, without any table as yet. */
  async database(name: string): Promise<string> {
    await this.query(`CREATE DATABASE ${name}`);
    return `postgres://${SUPERUSER}@${this.host}/${name}`;
  }

  async begin(): Promise<void> {
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(this.port),
      unix_socket_directories: this.#directory,
      fsync: 'off',
      shared_buffers: '16MB',
      max_connections: '100',
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const all = ['-D', this.#data, ...flags, ...this.#options];
    this.#process = spawn(program('postgres'), all, AS_SERVER);
    await this.#answers();
  }

  async #answers(): Promise<void> {
    for (;;) {
      if (this.#process?.exitCode !== null) throw new Error('the server has ended');
      try {
        await this.query('SELECT 1');
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  /** At once, as in a crash: what it has not written it has lost. */
  async end(): Promise<void> {
    const child = this.#process;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    this.thaw();
    child.kill('SIGQUIT');
    await until('the server to end', () => child.exitCode !== null || child.signalCode !== null);
  }

  /** One of its processes dies: it ends all others, recovers by itself, and goes on as the same server. */
  async crash(): Promise<void> {
    const clients = [this.url, this.url].map((url) => new pg.Client({ connectionString: url }));
    for (const client of clients) {
      client.on('error', () => undefined);
      await client.connect();
    }
    // The end of the second is that of all: until then new ones are let in yet.
    const ended = clients.map((client) => new Promise((resolve) => client.once('end', resolve)));
    const found = await clients[0]?.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    signalIfThere(found?.rows[0]?.pid ?? 0, 'SIGKILL');
    await Promise.all(ended);
    await this.#answers();
  }

  /** For `beginAnew`, which is to take no longer than a start. */
  prepareAnother(): void {
    makeData(this.#spare);
  }

  /** As another server that knows nothing of what this one knew; once. */
  async beginAnew(): Promise<void> {
    await this.end();
    renameSync(this.#data, join(this.#directory, 'former'));
    renameSync(this.#spare, this.#data);
    await this.begin();
  }

  /** All of its processes, or some would still answer. */
  freeze(): void {
    for (const pid of this.#pids()) bringToStandstill(pid);
  }

  thaw(): void {
    for (const pid of this.#pids()) signalIfThere(pid, 'SIGCONT');
  }

  /** Past any own client of a test; the first column of each row, as text. */
  async query(text: string, url: string = this.url): Promise<readonly string[]> {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      const { rows } = await client.query<unknown[]>({ text, rowMode: 'array' });
      return rows.map(([first]) => String(first));
    } finally {
      await client.end();
    }
  }

  /** Old enough not to be taken for one that may have lost a lease of this time to live. */
  async grownOld(ttlMs: number): Promise<void> {
    const age = 'extract(epoch FROM clock_timestamp() - pg_postmaster_start_time()) * 1000';
    for (;;) {
      const [text] = await this.query(`SELECT ${age}`);
      if (Number(text) > ttlMs) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async stop(): Promise<void> {
    await this.end();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get #data(): string {
    return join(this.#directory, 'data');
  }

  get #spare(): string {
    return join(this.#directory, 'spare');
  }

  #pids(): readonly number[] {
    const pid = this.#process?.pid;
    if (pid === undefined || this.#process?.exitCode !== null) return [];
    const children = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8');
    return [pid, ...children.split(' ').filter(Boolean).map(Number)];
  }
}

const SUPERUSER = 'tester';

function makeData(directory: string): void {
  run('cp', ['-a', pristineData(), directory]);
  giveAway(directory);
}

const CACHE = join(import.meta.dirname, '..', '..', '..', 'node_modules', '.cache', 'postgres');

/** What a server begins with, made once for all tests: that takes longer than all else. */
function pristineData(): string {
  const version = spawnSync(program('postgres'), ['--version'], { encoding: 'utf8' }).stdout;
  const kept = join(CACHE, createHash('sha256').update(version).digest('hex').slice(0, 12));
  if (existsSync(kept)) return kept;
  const directory = privateDirectory();
  const data = join(directory, 'data');
  const how = ['-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', '--wal-segsize=1'];
  const made = spawnSync(program('initdb'), ['-D', data, '-U', SUPERUSER, ...how], AS_SERVER);
  if (made.status !== 0) throw new Error('initdb has failed');
  const others = 'host all all 127.0.0.1/32 scram-sha-256';
  writeFileSync(join(data, 'pg_hba.conf'), `host all ${SUPERUSER} 127.0.0.1/32 trust\n${others}\n`);
  mkdirSync(CACHE, { recursive: true });
  const copy = mkdtempSync(`${kept}-`);
  run('cp', ['-a', data, copy]);
  try {
    renameSync(join(copy, 'data'), kept);
  } catch (error) {
    // Another test was faster.
    if (!existsSync(kept)) throw error;
  }
  for (const rest of [directory, copy]) rmSync(rest, { recursive: true, force: true });
  return kept;
}

function run(command: string, args: readonly string[]): void {
  if (spawnSync(command, args).status !== 0) throw new Error(`${command} has failed`);
}

/** It refuses to run as root. */
const IS_ROOT = process.getuid?.() === 0;
const AS_SERVER: SpawnOptions = {
  stdio: 'ignore',
  cwd: '/',
  ...(IS_ROOT ? { uid: ANOTHER_USER, gid: ANOTHER_USER } : {}),
};

function privateDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'failover-postgres-'));
  giveAway(directory);
  return directory;
}

function giveAway(path: string): void {
  const user = String(ANOTHER_USER);
  if (IS_ROOT) run('chown', ['-R', `${user}:${user}`, path]);
}

function program(name: string): string {
  return join(postgresPrograms() ?? '', name);
}

/** Where the server's programs are; null: they are not installed. */
export function postgresPrograms(): string | null {
  const installed = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout;
  const newest = versions().map((version) => join(VERSIONS, version, 'bin'));
  const places = [...newest, ...(typeof installed === 'string' ? [installed.trim()] : [])];
  const hasAll = (place: string): boolean =>
    ['initdb', 'postgres'].every(
      (name) => spawnSync(join(place, name), ['--version']).status === 0,
    );
  return places.find(hasAll) ?? null;
}

function versions(): readonly string[] {
  try {
    return readdirSync(VERSIONS).sort((one, other) => Number(other) - Number(one));
  } catch {
    return [];
  }
}
