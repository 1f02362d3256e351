// Processes that reach each other over TCP, on the loopback of this machine.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { LeaseHolder } from '../../../src/core/state.ts';
import { AuthorizedKeys } from '../../../src/keys/authorized-keys.ts';
import { generateKeyPair } from '../../../src/keys/key-pair.ts';
import type { KeyPair } from '../../../src/keys/key-pair.ts';
import { Transport } from '../../../src/transport/bus.ts';
import type { TcpKeys, TcpOptions } from '../../../src/transport/tcp-door.ts';
import { openNode, temporaryDirectory } from './nodes.ts';
import type { TestNode } from './nodes.ts';

/** A node with sockets in a directory of its own, as if it were on a machine of its own. */
export interface RemoteNode extends TestNode {
  /** As nodes of other machines find it in the store. */
  readonly remote: LeaseHolder;
}

export function openRemote(
  nodeId: string,
  options: {
    readonly keys?: TcpKeys | null;
    readonly secret?: string;
    readonly run?: string;
  } & Partial<Omit<TcpOptions, 'keys'>> = {},
): RemoteNode {
  const { keys = null, secret, run, bind, advertise = null } = options;
  const transport = new Transport({
    directory: temporaryDirectory(),
    tcp: { bind: bind ?? { kind: 'tcp', host: '127.0.0.1', port: 0 }, advertise, keys },
    ...(secret === undefined ? {} : { secret: Buffer.from(secret) }),
  });
  onTestFinished(() => transport.close());
  const node = openNode(transport, nodeId, {
    reach: 'machines',
    ...(run === undefined ? {} : { run }),
  });
  const endpoints = transport.remoteEndpoints;
  if (endpoints === null) throw new Error('it listens at TCP');
  return { ...node, remote: { ...node.holder, endpoints } };
}

/** Keys of nodes that let each other in, by a list that each of them has. */
export function keyRing(count: number): {
  readonly keys: readonly TcpKeys[];
  readonly pairs: readonly KeyPair[];
  /** Replaces the list, for all of them. */
  readonly authorize: (pairs: readonly KeyPair[]) => void;
} {
  const pairs = Array.from({ length: count }, () => generateKeyPair());
  const path = join(temporaryDirectory(), 'authorized');
  const authorize = (listed: readonly KeyPair[]): void => {
    writeFileSync(path, listed.map(({ publicKey }) => `${publicKey}\n`).join(''), { mode: 0o600 });
  };
  authorize(pairs);
  const keys = pairs.map((own) => ({
    own,
    authorized: new AuthorizedKeys(own.publicKey, path),
  }));
  return { keys, pairs, authorize };
}

/** The one at this place. */
export function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new Error(`there is no ${String(index)}`);
  return value;
}
