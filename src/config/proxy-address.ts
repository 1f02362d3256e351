// Reads where a proxy listens, and where it goes to.
import { isIP } from 'node:net';
import { FailoverError } from '../errors.ts';
import { quoted } from './quoted.ts';
import { refuseUrl } from './refused-url.ts';
import { LAST_PORT, hostOf, portOf, urlOf } from './url-parts.ts';

export interface ListenAddress {
  /** A name or an address; null: all of this machine. */
  readonly host: string | null;
  /** 0: the system chooses one. */
  readonly port: number;
}

/** Where a primary is reached. */
export interface Target {
  readonly kind: 'http' | 'tcp';
  /** Without the brackets of IPv6. */
  readonly host: string;
  readonly port: number;
  /** `http://HOST:PORT` or `tcp://HOST:PORT`. */
  readonly url: string;
}

/** A port alone is one of this machine only. @throws FAILOVER_BAD_OPTION */
export function parseHttpAddress(text: string, source = '--http'): ListenAddress {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
  return port > LAST_PORT ? parseListen(text, source) : { host: '127.0.0.1', port };
}

/** @throws FAILOVER_BAD_OPTION */
export function parseListen(text: string, source = '--listen'): ListenAddress {
  const [, bracketed, name, digits] =
    /^(?:\[([0-9a-f:.]+)\]|([a-z0-9*][a-z0-9._-]*))?:(\d{1,5})$/i.exec(text) ?? [];
  const port = Number(digits ?? 'none');
  const isHost = bracketed === undefined || isIP(bracketed) === 6;
  if (Number.isNaN(port) || port > LAST_PORT || !isHost) {
    const message = `Cannot use ${source}: ${quoted(text)} is not an address to listen on`;
    throw new FailoverError('FAILOVER_BAD_OPTION', message, {
      details: {
        option: source,
        expected: 'HOST:PORT or :PORT, such as 127.0.0.1:8080 or [::1]:80',
      },
    });
  }
  const host = bracketed ?? name ?? null;
  return { host: host === '*' ? null : host, port };
}

/** Several, with commas. @throws FAILOVER_BAD_OPTION */
export function parseTargets(text: string, source = '--to'): readonly Target[] {
  return text.split(',').map((part) => parseTarget(part.trim(), source));
}

/** @throws FAILOVER_BAD_OPTION */
export function parseTarget(text: string, source = '--target'): Target {
  const url = urlOf(text);
  const scheme = url?.protocol;
  if (url === null || (scheme !== 'http:' && scheme !== 'tcp:')) {
    throw refuseUrl(text, source, { fact: 'is neither http:// nor tcp://', expected: TARGET_FORM });
  }
  const kind = scheme === 'http:' ? 'http' : 'tcp';
  // What is asked for comes from the client, and so do users and passwords.
  const isBare =
    /^\/?$/.test(url.pathname) && `${url.search}${url.hash}${url.username}${url.password}` === '';
  if (!isBare) {
    throw refuseUrl(text, source, {
      fact: 'has more than a host and a port',
      expected: TARGET_FORM,
    });
  }
  const port = portOf(url, kind === 'http' ? 80 : 0);
  const host = hostOf(url);
  if (port === null || host === '' || !/^[^\s%]+$/.test(host)) {
    throw refuseUrl(text, source, { fact: 'has no port to connect to', expected: TARGET_FORM });
  }
  const shownHost = isIP(host) === 6 ? `[${host}]` : host;
  return { kind, host, port, url: `${kind}://${shownHost}:${String(port)}` };
}

/** The same, of what another process says; null: it is none. */
export function targetIn(text: string): Target | null {
  try {
    return parseTarget(text);
  } catch {
    return null;
  }
}

const TARGET_FORM = 'http://HOST:PORT or tcp://HOST:PORT';
