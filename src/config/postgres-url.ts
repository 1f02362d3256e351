// Reads the URL of a lease in PostgreSQL.
import type { FailoverError } from '../errors.ts';
import { refuseUrl } from './refused-url.ts';
import { decoded, hostOf, portOf, urlOf } from './url-parts.ts';

/** `shown` is its address without user and password. */
export interface PostgresAddress {
  readonly kind: 'postgres';
  /** A name, an address, or the directory of a socket. */
  readonly host: string;
  readonly port: number;
  /** Null: its client decides. */
  readonly tls: PostgresTls | null;
  /** Null, as of password and database: not given, and what the environment says is meant. */
  readonly username: string | null;
  readonly password: string | null;
  readonly database: string | null;
  readonly shown: string;
}

/** Files by their paths; null: none is given. */
interface PostgresTls {
  readonly mode: SslMode;
  readonly rootCertificate: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
}

/** @throws FAILOVER_BAD_OPTION */
export function parsePostgres(text: string, source: string): PostgresAddress {
  const no = (fact: string, expected: string = FORM): FailoverError =>
    refuseUrl(text, source, { fact, expected });
  const url = urlOf(text);
  if (url === null) throw no('is no URL');
  const { hostname, searchParams } = url;
  if (url.hash !== '') throw no('has unknown parts after its parameters');
  const database = /^\/?([^/]*)$/.exec(url.pathname)?.[1];
  if (database === undefined) throw no('has a path that is not a database name');
  const given = new Map(searchParams);
  const unknown = [...given.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined) throw no('has an unknown parameter');
  const asked = given.get('sslmode');
  const mode = SSL_MODES.find((known) => known === asked);
  if (asked !== undefined && mode === undefined) {
    throw no('has an sslmode that the client does not support', `sslmode=${SSL_MODES.join('|')}`);
  }
  const file = (name: string): string | null => given.get(name) ?? null;
  const tls = {
    mode: mode ?? 'verify-full',
    ...{ rootCertificate: file('sslrootcert'), certificate: file('sslcert'), key: file('sslkey') },
  };
  const host = decoded(hostOf(url)) ?? given.get('host') ?? '';
  if (host === '') throw no('names no host');
  const port = portOf(url, usualPort());
  if (port === null) throw no(NO_PORT);
  const shownHost = hostname === '' ? host : hostname;
  return {
    kind: 'postgres',
    ...{ host, port, tls: [...given.keys()].some(isOfTls) ? tls : null },
    username: decoded(url.username),
    password: decoded(url.password),
    database: decoded(database),
    shown: `postgres://${shownHost}:${String(port)}/${database}`,
  };
}

const USUAL_PORT = 5432;
const NO_PORT = 'has no port to connect to, and PGPORT is not valid';

/** As for every client of PostgreSQL, what the environment says goes before that. 0: it says no port. */
function usualPort(): number {
  const given = process.env['PGPORT'] ?? '';
  if (given === '') return USUAL_PORT;
  const port = /^\d{1,5}$/.test(given) ? Number(given) : 0;
  return port < 2 ** 16 ? port : 0;
}

/** As the client has them: all but the first two ask for a certificate that is valid for the name of the host. */
type SslMode = 'disable' | 'no-verify' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
const SSL_MODES: readonly SslMode[] = [
  ...(['disable', 'no-verify'] as const),
  ...(['prefer', 'require', 'verify-ca', 'verify-full'] as const),
];

const FORM =
  'postgres://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE[?sslmode=MODE&sslrootcert=FILE&sslcert=FILE&sslkey=FILE]';

const PARAMETERS = ['host', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'];

function isOfTls(parameter: string): boolean {
  return parameter.startsWith('ssl');
}
