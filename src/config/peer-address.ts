// Reads the address of a peer or of a leader: http or https, a host, perhaps a port and a path to put before all others.
import type { FailoverError } from '../errors.ts';
import { refuseUrl } from './refused-url.ts';

/** The longest address, characters. */
const ADDRESS_LIMIT = 1024;

/**
 * The address without a slash at its end.
 *
 * @param source what it was given as, named by the error
 * @throws FAILOVER_BAD_OPTION
 */
export function parsePeerAddress(text: string, source: string): string {
  if (text.length > ADDRESS_LIMIT || !URL.canParse(text)) throw refuse(text, source, 'is no URL');
  const { protocol, hostname, username, password, search, hash, pathname, host, port } = new URL(
    text,
  );
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw refuse(text, source, 'is neither http nor https');
  }
  if (hostname === '') throw refuse(text, source, 'names no host');
  if (port === '0') throw refuse(text, source, 'has no port to connect to');
  if (username !== '' || password !== '') {
    throw refuse(text, source, 'has a user or a password, which everyone could see');
  }
  if (search !== '' || hash !== '') throw refuse(text, source, 'has unknown parts after its path');
  const address = `${protocol}//${host}${pathname.replace(/\/+$/, '')}`;
  // It is longer than what was given where that had characters which are no part of a URL.
  if (address.length > ADDRESS_LIMIT) throw refuse(text, source, 'is too long');
  return address;
}

/** The addresses of a list with commas; empty ones are left out. */
export function parsePeerAddresses(text: string, source: string): readonly string[] {
  const parts = text.split(',').map((part) => part.trim());
  return parts.filter((part) => part !== '').map((part) => parsePeerAddress(part, source));
}

/**
 * The address at which a node itself listens for its peers.
 *
 * @throws FAILOVER_BAD_OPTION
 */
export function parseOwnAddress(text: string, source: string): string {
  const address = parsePeerAddress(text, source);
  const { protocol, pathname } = new URL(address);
  const own = (fact: string): FailoverError =>
    refuseUrl(text, source, { fact, expected: 'http://HOST[:PORT]' });
  if (protocol !== 'http:') throw own('uses https, but this node serves http');
  if (pathname !== '/') throw own('has a path, but this node listens on a port');
  return address;
}

/**
 * Whether two addresses lead to one place, as far as their text tells. The usual names of this machine are one; its other
 * addresses, as 127.0.0.2, are as many places as there are of them.
 */
export function isSamePlace(one: string, other: string): boolean {
  const [a, b] = [new URL(one), new URL(other)];
  return (
    a.protocol === b.protocol &&
    hostOf(a) === hostOf(b) &&
    a.port === b.port &&
    a.pathname.replace(/\/+$/, '') === b.pathname.replace(/\/+$/, '')
  );
}

function hostOf({ hostname }: URL): string {
  const host = hostname.replace(/\.$/, '');
  return LOCAL_HOSTS.has(host) ? 'localhost' : host;
}

const LOCAL_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

function refuse(text: string, source: string, fact: string): FailoverError {
  const expected = 'http://HOST[:PORT] or https://HOST[:PORT]';
  return refuseUrl(text, source, { fact, expected });
}
