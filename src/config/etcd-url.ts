// Reads the URL of a lease in etcd.
import type { FailoverError } from '../errors.ts';
import { refuseUrl } from './refused-url.ts';
import { decoded, hostOf, portOf, urlOf } from './url-parts.ts';

/** One or more members of a cluster, and how they let one in. */
export interface EtcdMembers {
  readonly kind: 'etcd';
  readonly endpoints: readonly { readonly host: string; readonly port: number }[];
  /** Null: it is not encrypted. Files; null: what the system trusts, and no certificate of our own. */
  readonly tls: {
    readonly ca: string | null;
    readonly own: { readonly cert: string; readonly key: string } | null;
  } | null;
  readonly user: { readonly name: string; readonly password: string } | null;
}

/** `shown` is their addresses without user and password. */
export interface EtcdAddress extends EtcdMembers {
  readonly shown: string;
}

/**
 * Several hosts make no URL: each is read as one of its own.
 *
 * @throws FAILOVER_BAD_OPTION
 */
export function parseEtcd(text: string, tls: boolean, source: string): EtcdAddress {
  const scheme = tls ? 'etcds' : 'etcd';
  const files = tls ? '[?ca=FILE&cert=FILE&key=FILE]' : '';
  const expected = `${scheme}://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]]…${files}`;
  const no = (fact: string): FailoverError => refuseUrl(text, source, { fact, expected });
  const parts = /^[a-z]+:\/\/(?:([^/?#]*)@)?([^/?#@]*)\/?(?:\?([^#]*))?$/i.exec(text);
  if (parts === null) throw no('is not a list of hosts');
  const [, credentials, hosts = '', query = ''] = parts;
  const endpoints = hosts.split(',').map((host) => {
    const url = urlOf(`etcd://${host}`);
    if (url === null || url.hostname === '') throw no('is missing a host');
    const port = portOf(url, USUAL_PORT);
    if (port === null) throw no('has no port to connect to');
    return { host: hostOf(url), port };
  });
  const [name, ...rest] = (credentials ?? '').split(':');
  const [username, password] = [decoded(name ?? ''), decoded(rest.join(':'))];
  if ((username === null) !== (password === null))
    throw no('must have both user and password, or neither');
  const shown = endpoints.map(({ host, port }) => `${bracketed(host)}:${String(port)}`).join(',');
  return {
    kind: 'etcd',
    endpoints,
    tls: tlsFiles(query, tls, no),
    user: username === null || password === null ? null : { name: username, password },
    shown: `${scheme}://${shown}`,
  };
}

const USUAL_PORT = 2379;

function tlsFiles(
  query: string,
  tls: boolean,
  no: (fact: string) => FailoverError,
): EtcdAddress['tls'] {
  const given = new URLSearchParams(query);
  const known = tls ? ['ca', 'cert', 'key'] : [];
  if ([...given.keys()].some((key) => !known.includes(key))) {
    throw no('has unknown parts after its hosts');
  }
  const [cert, key] = [given.get('cert'), given.get('key')];
  if ((cert === null) !== (key === null)) throw no('must have both `cert` and `key`, or neither');
  if (!tls) return null;
  return { ca: given.get('ca'), own: cert === null || key === null ? null : { cert, key } };
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
