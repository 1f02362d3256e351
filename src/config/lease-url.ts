// Reads what `--lease` names: what decides who leads. A URL may carry a password, which no message repeats.
import { FailoverError } from '../errors.ts';
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

/** A server that keeps the lease. */
export type StoreAddress = RedisAddress | EtcdAddress;

export type LeaseAddress = { readonly kind: 'file'; readonly shown: 'file' } | StoreAddress;

/**
 * @param source what to call it in a message: the flag, or the variable
 * @throws FAILOVER_BAD_OPTION, with neither user nor password
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
  return shortened(open.replace(/[?#].*$/su, ''));
}

const EXPECTED =
  '`file`, `redis://HOST:PORT` or `etcd://HOST:PORT`, encrypted `rediss://` and `etcds://`';

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
