// Reads what `--lease` names: what decides who leads. A URL may carry a password, which no message repeats.
import { FailoverError } from '../errors.ts';
import { validateNodeId } from './names.ts';
import { shortened } from './quoted.ts';

/** `shown` is its address without user and password. */
export interface RedisAddress {
  readonly kind: 'redis';
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Null: none is given, and the server's default user is meant. */
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  readonly shown: string;
}

/** One or more members of a cluster; `shown` is their addresses without user and password. */
export interface EtcdAddress {
  readonly kind: 'etcd';
  readonly endpoints: readonly { readonly host: string; readonly port: number }[];
  /** Null: it is not encrypted. Files; null: what the system trusts, and no certificate of our own. */
  readonly tls: {
    readonly ca: string | null;
    readonly own: { readonly cert: string; readonly key: string } | null;
  } | null;
  readonly user: { readonly name: string; readonly password: string } | null;
  readonly shown: string;
}

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

/** A server that keeps the lease. */
export type StoreAddress = RedisAddress | EtcdAddress | PostgresAddress;

/** One node alone may lead. */
interface StaticAddress {
  readonly kind: 'static';
  readonly node: string;
  readonly shown: string;
}

export type LeaseAddress =
  { readonly kind: 'file'; readonly shown: 'file' } | StaticAddress | StoreAddress;

/** Whether a server keeps it, and it ends by itself. */
export function isOnServer(address: LeaseAddress): address is StoreAddress {
  return address.kind !== 'file' && address.kind !== 'static';
}

/**
 * @param source what to call it in a message: the flag, or the variable
 * @throws FAILOVER_BAD_OPTION, FAILOVER_BAD_NODE_ID, with neither user nor password
 */
export function parseLease(text: string, source = '--lease'): LeaseAddress {
  if (text === 'file' || text === 'file:') return { kind: 'file', shown: 'file' };
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'redis':
    case 'rediss':
      return parseRedis(text, scheme === 'rediss', source);
    case 'etcd':
    case 'etcds':
      return parseEtcd(text, scheme === 'etcds', source);
    case 'postgres':
    case 'postgresql':
      return parsePostgres(text, source);
    case 'static': {
      const node = validateNodeId(text.slice('static:'.length), `the node of ${source}`);
      return { kind: 'static', node, shown: `static:${node}` };
    }
    case 'file':
      throw refuse(text, source, {
        fact: 'names a directory, and that of the lease is the state directory',
        expected: '`file`, and the directory with --state-dir',
      });
    default:
      throw refuse(text, source, { fact: 'is no lease that this version has', expected: EXPECTED });
  }
}

/**
 * A URL without user, password and all that follows its path. What stands before an `@` may be a password, also where
 * it makes another URL of it, or none.
 */
export function redactUrl(text: string): string {
  const open = text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/isu, '$1***@');
  return shortened(open.replace(CUT_PASSWORD, '$1:***').replace(/[?#].*$/su, ''));
}

/** What stands where a port would and is none: a password, of a URL that a shell has cut before its `@`. */
const CUT_PASSWORD = /^([a-z][a-z0-9+.-]*:\/\/[^/?#:@[]*):(?!\d{1,5}(?:[,/?#]|$)).*$/isu;

const EXPECTED =
  '`file`, `static:NODE`, `redis://HOST:PORT`, `etcd://HOST:PORT`, encrypted `rediss://` and `etcds://`, or ' +
  '`postgres://HOST:PORT/DATABASE`';

const REDIS_PORT = 6379;

function parseRedis(text: string, tls: boolean, source: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  const expected = `${tls ? 'rediss' : 'redis'}://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`;
  if (url === null) throw refuse(text, source, { fact: 'is no URL', expected });
  const { hostname, port, pathname, search, hash } = url;
  if (hostname === '') throw refuse(text, source, { fact: 'names no host', expected });
  const database = /^\/?(\d{0,5})$/.exec(pathname)?.[1];
  if (database === undefined) {
    throw refuse(text, source, { fact: 'has a path that is no number of a database', expected });
  }
  if (search !== '' || hash !== '') {
    throw refuse(text, source, { fact: 'has something after its path', expected });
  }
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const number = port === '' ? REDIS_PORT : Number(port);
  if (number === 0) throw refuse(text, source, { fact: 'has no port to connect to', expected });
  return {
    kind: 'redis',
    ...{ host, port: number, tls },
    username: decoded(url.username),
    password: decoded(url.password),
    database: database === '' ? 0 : Number(database),
    shown: `${url.protocol}//${hostname}:${String(number)}/${database === '' ? '0' : database}`,
  };
}

const ETCD_PORT = 2379;

/** Several hosts make no URL: each is read as one of its own. */
function parseEtcd(text: string, tls: boolean, source: string): EtcdAddress {
  const scheme = tls ? 'etcds' : 'etcd';
  const files = tls ? '[?ca=FILE&cert=FILE&key=FILE]' : '';
  const expected = `${scheme}://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]]…${files}`;
  const fail = (fact: string): FailoverError => refuse(text, source, { fact, expected });
  const parts = /^[a-z]+:\/\/(?:([^/?#]*)@)?([^/?#@]*)\/?(?:\?([^#]*))?$/i.exec(text);
  if (parts === null) throw fail('is no list of hosts');
  const [, credentials, hosts = '', query = ''] = parts;
  const endpoints = hosts.split(',').map((host) => {
    const url = URL.canParse(`etcd://${host}`) ? new URL(`etcd://${host}`) : null;
    if (url === null || url.hostname === '') throw fail('names no host, or not all of them');
    const port = url.port === '' ? ETCD_PORT : Number(url.port);
    if (port === 0) throw fail('has no port to connect to');
    return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port };
  });
  const [name, ...rest] = (credentials ?? '').split(':');
  const [username, password] = [decoded(name ?? ''), decoded(rest.join(':'))];
  if ((username === null) !== (password === null)) throw fail('has not both user and password');
  const shown = endpoints.map(({ host, port }) => `${bracketed(host)}:${String(port)}`).join(',');
  return {
    kind: 'etcd',
    endpoints,
    tls: tlsFiles(query, tls, fail),
    user: username === null || password === null ? null : { name: username, password },
    shown: `${scheme}://${shown}`,
  };
}

function tlsFiles(
  query: string,
  tls: boolean,
  fail: (fact: string) => FailoverError,
): EtcdAddress['tls'] {
  const given = new URLSearchParams(query);
  const known = tls ? ['ca', 'cert', 'key'] : [];
  if ([...given.keys()].some((key) => !known.includes(key))) {
    throw fail('has something after its hosts that is not known');
  }
  const [cert, key] = [given.get('cert'), given.get('key')];
  if ((cert === null) !== (key === null)) throw fail('has not both `cert` and `key`');
  if (!tls) return null;
  return { ca: given.get('ca'), own: cert === null || key === null ? null : { cert, key } };
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

const POSTGRES_PORT = 5432;

/** As the client has them: all but the first two ask for a certificate that is valid for the name of the host. */
type SslMode = 'disable' | 'no-verify' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
const SSL_MODES: readonly SslMode[] = [
  ...(['disable', 'no-verify'] as const),
  ...(['prefer', 'require', 'verify-ca', 'verify-full'] as const),
];

const POSTGRES_FORM =
  'postgres://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE[?sslmode=MODE&sslrootcert=FILE&sslcert=FILE&sslkey=FILE]';

function parsePostgres(text: string, source: string): PostgresAddress {
  const no = (fact: string, expected: string = POSTGRES_FORM): FailoverError =>
    refuse(text, source, { fact, expected });
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw no('is no URL');
  const { hostname, port, searchParams } = url;
  if (url.hash !== '') throw no('has something after its parameters');
  const database = /^\/?([^/]*)$/.exec(url.pathname)?.[1];
  if (database === undefined) throw no('has a path that is no name of a database');
  const given = new Map(searchParams);
  const unknown = [...given.keys()].find((name) => !POSTGRES_PARAMETERS.includes(name));
  if (unknown !== undefined) throw no('has a parameter that is none of those that are known');
  const asked = given.get('sslmode');
  const mode = SSL_MODES.find((known) => known === asked);
  if (asked !== undefined && mode === undefined) {
    throw no('has an sslmode that its client does not have', `sslmode=${SSL_MODES.join('|')}`);
  }
  const file = (name: string): string | null => given.get(name) ?? null;
  const tls = {
    mode: mode ?? 'verify-full',
    ...{ rootCertificate: file('sslrootcert'), certificate: file('sslcert'), key: file('sslkey') },
  };
  const host = decoded(hostname.replace(/^\[(.*)\]$/, '$1')) ?? given.get('host') ?? '';
  if (host === '') throw no('names no host');
  const number = port === '' ? POSTGRES_PORT : Number(port);
  if (number === 0) throw no('has no port to connect to');
  const shownHost = hostname === '' ? host : hostname;
  return {
    kind: 'postgres',
    ...{ host, port: number, tls: [...given.keys()].some(isOfTls) ? tls : null },
    username: decoded(url.username),
    password: decoded(url.password),
    database: decoded(database),
    shown: `postgres://${shownHost}:${String(number)}/${database}`,
  };
}

const POSTGRES_PARAMETERS = ['host', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'];

function isOfTls(parameter: string): boolean {
  return parameter.startsWith('ssl');
}

/** A `%` that begins no escape is meant as it stands. */
function decoded(part: string): string | null {
  if (part === '') return null;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function refuse(
  text: string,
  source: string,
  { fact, expected }: { readonly fact: string; readonly expected: string },
): FailoverError {
  const message = `Cannot use ${source}: "${redactUrl(text)}" ${fact}`;
  return new FailoverError('FAILOVER_BAD_OPTION', message, {
    details: { option: source, expected },
  });
}
