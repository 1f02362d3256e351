// Reads the URL of a lease in Redis.
import type { FailoverError } from '../errors.ts';
import { refuseUrl } from './refused-url.ts';
import { decoded, hostOf, portOf, urlOf } from './url-parts.ts';

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

/** @throws FAILOVER_BAD_OPTION */
export function parseRedis(text: string, tls: boolean, source: string): RedisAddress {
  const expected = `${tls ? 'rediss' : 'redis'}://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`;
  const no = (fact: string): FailoverError => refuseUrl(text, source, { fact, expected });
  const url = urlOf(text);
  if (url === null) throw no('is no URL');
  const { hostname, pathname, search, hash } = url;
  if (hostname === '') throw no('names no host');
  const database = /^\/?(\d{0,5})$/.exec(pathname)?.[1];
  if (database === undefined) throw no('has a path that is not a database number');
  if (search !== '' || hash !== '') throw no('has unknown parts after its path');
  const port = portOf(url, USUAL_PORT);
  if (port === null) throw no('has no port to connect to');
  return {
    kind: 'redis',
    ...{ host: hostOf(url), port, tls },
    username: decoded(url.username),
    password: decoded(url.password),
    database: database === '' ? 0 : Number(database),
    shown: `${url.protocol}//${hostname}:${String(port)}/${database === '' ? '0' : database}`,
  };
}

const USUAL_PORT = 6379;
