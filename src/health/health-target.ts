// What the library checks: an address over HTTP, or a port.
import { isIPv6 } from 'node:net';
import { parsePolledForm } from '../config/polled-check.ts';
import type { NetworkCheck } from '../config/polled-check.ts';
import { refuseUrl } from '../config/refused-url.ts';
import type { FailoverError } from '../errors.ts';

export interface HealthTarget {
  /** What it is known by, unique among those that are checked together. */
  readonly id: string;
  readonly address: HealthAddress;
}

/** `http://HOST[:PORT]/PATH`, `https://…`, `tcp://HOST:PORT`, or the same in parts. */
export type HealthAddress = string | AddressParts;

export interface AddressParts {
  /** By default `http`. */
  readonly protocol?: 'http' | 'https' | 'tcp';
  /** A name or an address; one of IPv6 with or without brackets. */
  readonly host: string;
  readonly port: number;
  /** With its query; by default `/`. A port alone has none. */
  readonly path?: string;
}

/**
 * The check of an address.
 *
 * @param source what it was given as, named by the error
 * @param only the one kind that it may be
 * @throws FAILOVER_BAD_OPTION when it has none of the forms; a command is none: an address is often data
 */
export function networkCheckOf(
  address: HealthAddress,
  source: string,
  only?: NetworkCheck['kind'],
): NetworkCheck {
  const text = addressText(address);
  if (typeof address !== 'string') {
    const fault = faultOfParts(address);
    if (fault !== null) throw refuse(text, source, fault);
  }
  const check = parsePolledForm(text);
  if (typeof check === 'string') throw refuse(text, source, check);
  if (check.kind === 'exec') throw refuse('exec:…', source, 'is a command, not an address');
  if (only === 'http' && check.kind !== only) throw refuse(text, source, 'is not an HTTP address');
  return check;
}

/** An address as one text, so that two can be compared. */
export function addressText(address: HealthAddress): string {
  if (typeof address === 'string') return address;
  const { protocol = 'http', host, port, path = protocol === 'tcp' ? '' : '/' } = address;
  return `${protocol}://${isIPv6(host) ? `[${host}]` : host}:${String(port)}${path}`;
}

/** Parts are checked before they become one text, in which one could pass for another. */
function faultOfParts({ protocol, host, port, path }: AddressParts): string | null {
  const bare = /^\[(.*)\]$/.exec(host)?.[1];
  const isHost = bare === undefined ? isIPv6(host) || HOST.test(host) : isIPv6(bare);
  if (!isHost) return 'has no valid host';
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    return `has the port ${String(port)}, not 1 to 65535`;
  }
  if (path === undefined) return null;
  if (protocol === 'tcp') return 'has a path, but a TCP port has none';
  return path.startsWith('/') ? null : 'has a path that does not begin with a slash';
}

/** Nothing in it ends the host of a URL, or begins another part. */
const HOST = /^[^\s/\\?#@:%[\]]+$/;

function refuse(text: string, source: string, fact: string): FailoverError {
  const expected = 'an address such as http://HOST:PORT/PATH, https://HOST/PATH or tcp://HOST:PORT';
  return refuseUrl(text, source, { fact, expected });
}
