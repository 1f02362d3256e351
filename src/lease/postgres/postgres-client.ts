// Loads the client of PostgreSQL, which is installed beside failover only where it is used, and makes one connection.
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Client, ClientConfig } from 'pg';
import type { PostgresAddress } from '../../config/lease-url.ts';
import { FailoverError } from '../../errors.ts';
import { loadClient } from '../client-package.ts';
import type { ClientPackage } from '../client-package.ts';
import { textOf } from '../error-text.ts';
import type { StoreConnection } from '../store-link.ts';

/** Each value as the server writes it; null: none. */
export type Row = readonly (string | null)[];

export type Parameter = string | number | null;

export interface PostgresConnection extends StoreConnection {
  /** Runs one statement, as a transaction of its own. */
  query(text: string, values: readonly Parameter[]): Promise<readonly Row[]>;
  /** Several, as one transaction. */
  script(text: string): Promise<void>;
  /** Whether what answers is not the server itself: the next statement may be done by another of its processes. */
  isPooled(): Promise<boolean>;
}

interface ConnectionUse {
  /** How long the server works on a statement at most, ms: then nobody waits for it any more. */
  readonly statementTimeoutMs: number;
  /** What is listened to. */
  readonly channel: string;
}

/** What is used of the package. */
interface PostgresModule {
  readonly Client: new (config: ClientConfig) => Client;
}

/** Opens a connection; `use` null: for one statement, which nobody waits for any more when its asker has ended. */
export type OpenConnection = (use: ConnectionUse | null) => PostgresConnection;

/**
 * How to open connections to a server; nothing is opened yet.
 *
 * @throws FAILOVER_CLIENT_MISSING; FAILOVER_BAD_OPTION for a file of TLS that can't be read
 */
export async function connectionsTo(
  address: PostgresAddress,
  importClient: () => Promise<PostgresModule> = loadPackage,
): Promise<OpenConnection> {
  const { Client } = await loadClient(PACKAGE, importClient);
  const config = configOf(address);
  return (use) => {
    // Made here, so that it can be closed however far the client has come with it.
    const socket = new Socket();
    return new Connection(new Client({ ...config, stream: () => socket }), socket, use);
  };
}

const PACKAGE: ClientPackage = { store: 'PostgreSQL', name: 'pg', major: 8 };

class Connection implements PostgresConnection {
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #use: ConnectionUse | null;
  /** The statement that is under way: one at a time is sent, which every version of the client can do. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(client: Client, socket: Socket, use: ConnectionUse | null) {
    this.#client = client;
    this.#socket = socket;
    this.#use = use;
    client.on('error', () => undefined);
  }

  async connect(onChange: () => void): Promise<void> {
    this.#client.on('notification', onChange);
    await this.#client.connect();
    if (this.#use === null) return;
    // There is no session to be set up.
    if (await this.isPooled()) return;
    const { channel, statementTimeoutMs } = this.#use;
    await this.script(`${sessionOf(statementTimeoutMs)}LISTEN ${channel};`);
  }

  async isPooled(): Promise<boolean> {
    const [row] = await this.query('SELECT pg_backend_pid(), $1::text', [null]);
    return row?.[0] !== String(Reflect.get(this.#client, 'processID'));
  }

  query(text: string, values: readonly Parameter[]): Promise<readonly Row[]> {
    return this.#inTurn(async () => {
      const { rows } = await this.#client.query<(string | null)[]>({
        text,
        values: values.map((value) => (value === null ? null : String(value))),
        rowMode: 'array',
      });
      return rows;
    });
  }

  async script(text: string): Promise<void> {
    await this.#inTurn(() => this.#client.query(text));
  }

  destroy(): void {
    // The client says goodbye where it can; a server that stands still hears nothing, and keeps no process from
    // ending.
    this.#client.end().catch(() => undefined);
    this.#socket.unref();
    setTimeout(() => {
      this.#socket.destroy();
    }, GOODBYE_MS).unref();
  }

  onEnd(listener: (error: unknown) => void): void {
    this.#client.on('error', listener);
    this.#client.on('end', () => {
      listener(new Error('the connection was closed'));
    });
  }

  #inTurn<Answer>(act: () => Promise<Answer>): Promise<Answer> {
    const turn = this.#last.then(act);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

const GOODBYE_MS = 50;

/**
 * What makes a session of one's own safer; nothing relies on it. A statement that nobody waits for any more ends, also
 * one that waits for a lock of others, and so does one whose client is gone.
 */
function sessionOf(statementTimeoutMs: number): string {
  return `SET statement_timeout = ${String(Math.ceil(statementTimeoutMs))};
SET default_transaction_isolation = 'read committed';
SELECT set_config(name, '1s', false) FROM pg_settings WHERE name = 'client_connection_check_interval';`;
}

function configOf(address: PostgresAddress): ClientConfig {
  const { host, port, username, password, database } = address;
  return {
    host,
    port,
    // What is left out, the client takes from PGUSER, PGPASSWORD, PGDATABASE and PGSSLMODE.
    ...(username === null ? {} : { user: username }),
    ...(password === null ? {} : { password }),
    ...(database === null ? {} : { database }),
    ...secured(address),
    application_name: 'failover',
    keepAlive: true,
    types: AS_TEXT,
  };
}

/** Nothing is made of a value but text, whatever an application has set for all clients in its process. */
const AS_TEXT: NonNullable<ClientConfig['types']> = {
  getTypeParser: () => (value: unknown) => value,
};

/** TLS as the client understands `sslmode`: all but two of them verify the certificate and the name. */
function secured({ tls }: PostgresAddress): Pick<ClientConfig, 'ssl'> {
  if (tls === null) return {};
  if (tls.mode === 'disable') return { ssl: false };
  return {
    ssl: {
      rejectUnauthorized: tls.mode !== 'no-verify',
      ...(tls.rootCertificate === null
        ? {}
        : { ca: contentOf('sslrootcert', tls.rootCertificate) }),
      ...(tls.certificate === null ? {} : { cert: contentOf('sslcert', tls.certificate) }),
      ...(tls.key === null ? {} : { key: contentOf('sslkey', tls.key) }),
    },
  };
}

function contentOf(parameter: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new FailoverError(
      'FAILOVER_BAD_OPTION',
      `Cannot use --lease: its ${parameter} cannot be read: ${textOf(cause)}`,
      {
        cause,
        details: { option: '--lease', expected: `a readable file for ${parameter}` },
      },
    );
  }
}

async function loadPackage(): Promise<PostgresModule> {
  // Older versions have all of it as the default only.
  const { default: client } = await import('pg');
  return client;
}
