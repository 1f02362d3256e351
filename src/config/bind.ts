// Reads where a node listens for others: sockets of its machine alone, or TCP as well.
import { isIP } from 'node:net';
import { FailoverError } from '../errors.ts';
import { quoted } from './quoted.ts';
import { LAST_PORT } from './url-parts.ts';

/** A port of 0: the system chooses two that are free. Else requests have the next one. */
export interface TcpBind {
  readonly kind: 'tcp';
  /** A numeric address, or `*`: all of this machine. */
  readonly host: string;
  readonly port: number;
}

export type Bind = { readonly kind: 'ipc' } | TcpBind;

/** Where others reach a node that listens at `*`, or behind a translation of addresses. */
export interface Advertised {
  /** A name, or a numeric address. */
  readonly host: string;
  /** Null: that at which it listens. */
  readonly port: number | null;
}

/**
 * @param source what to call it in a message: the flag, or the variable
 * @throws FAILOVER_BAD_OPTION
 */
export function parseBind(text: string, source = '--bind'): Bind {
  if (text === 'ipc') return { kind: 'ipc' };
  const [, host, portText] = /^tcp:\/\/(.+):(\d{1,5}|\*)$/i.exec(text) ?? [];
  if (host === undefined || portText === undefined) {
    throw refuse(source, text, { fact: 'is not an address to listen on', expected: BIND_FORM });
  }
  const address = host === 'localhost' ? '127.0.0.1' : withoutBrackets(host);
  if (address !== '*' && (isIP(address) === 0 || (isIP(address) === 6) !== host.startsWith('['))) {
    const fact = 'is not a numeric address; use --advertise to publish a name';
    throw refuse(source, text, { fact, expected: BIND_FORM });
  }
  const port = portText === '*' ? 0 : Number(portText);
  // Requests come in at the next one.
  if (port >= LAST_PORT) {
    const fact = 'leaves no port for requests, which use the next one';
    throw refuse(source, text, { fact, expected: `a port below ${String(LAST_PORT)}` });
  }
  return { kind: 'tcp', host: address, port };
}

/** @throws FAILOVER_BAD_OPTION */
export function parseAdvertise(text: string, source = '--advertise'): Advertised {
  const [, bracketed, name, port] =
    /^(?:\[([0-9a-f:.]+)\]|([a-z0-9](?:[a-z0-9._-]*[a-z0-9.])?))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const host = bracketed ?? name;
  const isAddress = bracketed === undefined || isIP(bracketed) === 6;
  const number = port === undefined ? null : Number(port);
  const isPort = number === null || (number > 0 && number < LAST_PORT);
  if (host === undefined || host.length > HOST_LIMIT || !isAddress || !isPort) {
    const fact = 'is not a host that others can connect to';
    throw refuse(source, text, { fact, expected: 'HOST or HOST:PORT, such as db1.example:7400' });
  }
  return { host, port: number };
}

const HOST_LIMIT = 253;

const BIND_FORM = '`ipc` or tcp://ADDRESS:PORT, such as tcp://10.0.0.5:7400 or tcp://[::1]:7400';

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

function refuse(
  source: string,
  text: string,
  { fact, expected }: { readonly fact: string; readonly expected: string },
): FailoverError {
  const message = `Cannot use ${source}: ${quoted(text)} ${fact}`;
  return new FailoverError('FAILOVER_BAD_OPTION', message, {
    details: { option: source, expected },
  });
}
