// Reads `--target`: where the command of a node is reached once it leads, over HTTP or TCP.
import { FailoverError } from '../errors.ts';
import { quoted } from './quoted.ts';

export interface Target {
  readonly kind: 'http' | 'tcp';
  /** A name, or a numeric address without brackets. */
  readonly host: string;
  readonly port: number;
  /** As it is said to others: `http://host:port` or `tcp://host:port`. */
  readonly text: string;
}

/** Null: it is no target. Total, for what comes from other processes. */
export function targetOf(text: string): Target | null {
  const match = FORM.exec(text);
  const kind = match?.[1]?.toLowerCase();
  const [bracketed, name, port] = [match?.[2], match?.[3], Number(match?.[4])];
  const host = bracketed ?? name;
  if (host === undefined || host.length > HOST_LIMIT || port < 1 || port > LAST_PORT) return null;
  if (kind !== 'http' && kind !== 'tcp') return null;
  const shown = bracketed === undefined ? host : `[${host}]`;
  return { kind, host, port, text: `${kind}://${shown}:${String(port)}` };
}

/**
 * @param source what to call it in a message: the flag, or the variable
 * @throws FAILOVER_BAD_OPTION
 */
export function parseTarget(text: string, source = '--target'): Target {
  const target = targetOf(text);
  if (target !== null) return target;
  const message = `Cannot use ${source}: ${quoted(text)} is no address that a proxy could forward to`;
  throw new FailoverError('FAILOVER_BAD_OPTION', message, {
    details: { option: source, expected: 'http://HOST:PORT or tcp://HOST:PORT, without a path' },
  });
}

const FORM =
  /^(http|tcp):\/\/(?:\[([0-9a-f:.]+)\]|([a-z0-9](?:[a-z0-9._-]*[a-z0-9.])?)):(\d{1,5})\/?$/i;

const HOST_LIMIT = 253;
const LAST_PORT = 65_535;
