// TCP as ZeroMQ sockets are to use it: addresses, limits, and options that notice a machine that is gone.
import { isIP } from 'node:net';
import { LAST_PORT } from '../config/url-parts.ts';
import type { Endpoints } from '../core/state.ts';

/** The address of a host; of IPv6 in brackets. */
export function tcpAddress(host: string, port: number | '*'): string {
  return `tcp://${isIP(host) === 6 ? `[${host}]` : host}:${String(port)}`;
}

export function isOverTcp({ bus, rpc }: Endpoints): boolean {
  return isTcpAddress(bus) && isTcpAddress(rpc);
}

/** One that can be connected to: libzmq would also take a source address, a wildcard or the name of a device. */
function isTcpAddress(address: string): boolean {
  const [, bracketed, host, port] = ADDRESS.exec(address) ?? [];
  if (port === undefined || Number(port) === 0 || Number(port) > LAST_PORT) return false;
  return bracketed === undefined ? host !== undefined : isIP(bracketed) === 6;
}

const ADDRESS =
  /^tcp:\/\/(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}))):(\d{1,5})$/;

/** A name may have addresses of either kind. */
export function mayBeIpv6(address: string): boolean {
  const host = /^tcp:\/\/(.*):/.exec(address)?.[1] ?? '';
  return isIP(host) !== 4;
}

/**
 * Of a machine that has lost its power no word comes: without these a connection to it stands for a quarter of an
 * hour, and takes none up again that was cut off for a while.
 */
export const TCP_OPTIONS = {
  heartbeatInterval: 2_000,
  heartbeatTimeout: 6_000,
  /** A stranger that connects and says nothing holds a descriptor for so long. */
  handshakeInterval: 3_000,
} as const;

/** How long a host that does not answer is waited for, ms. */
export const TCP_CONNECT_TIMEOUT_MS = 3_000;
