// Loads the client of Redis, which is installed beside failover only where it is used, and makes one connection.
import { isIP } from 'node:net';
import type * as redis from 'redis';
import type { RedisAddress } from '../../config/lease-url.ts';
import { loadClient } from '../client-package.ts';
import type { ClientPackage } from '../client-package.ts';
import type { StoreConnection } from '../store-link.ts';

export interface RedisConnection extends StoreConnection {
  sendCommand(args: string[]): Promise<unknown>;
}

/** What is used of the package. */
type RedisModule = Pick<typeof redis, 'createClient'>;

/** A connection that tells of what is published in a channel. */
export type OpenConnection = (channel: string) => RedisConnection;

/**
 * How to open connections to a server; nothing is opened yet.
 *
 * @throws FAILOVER_CLIENT_MISSING
 */
export async function connectionsTo(
  address: RedisAddress,
  connectTimeoutMs: number,
  importClient: () => Promise<RedisModule> = () => import('redis'),
): Promise<OpenConnection> {
  const { createClient } = await loadClient(PACKAGE, importClient);
  const { host, port, tls, username, password, database } = address;
  const common = {
    host,
    port,
    connectTimeout: connectTimeoutMs,
    reconnectStrategy: false,
  } as const;
  // An address is no name of a server, and Node by itself asks for none.
  const named = isIP(host) === 0 ? { servername: host } : {};
  return (channel) => {
    const client = createClient({
      socket: tls ? { ...common, tls: true, ...named } : common,
      ...(username === null ? {} : { username }),
      ...(password === null ? {} : { password }),
      database,
      // With it one connection is enough: messages come beside the answers.
      RESP: 3,
      commandsQueueMaxLength: QUEUE_LIMIT,
      disableOfflineQueue: true,
      disableClientInfo: true,
      maintNotifications: 'disabled',
    });
    let isDestroyed = false;
    client.on('connect', () => {
      // The client does not know its socket before that, and would keep one that nobody wants any more.
      if (isDestroyed) client.destroy();
    });
    return {
      connect: (onChange) => client.connect().then(() => client.subscribe(channel, onChange)),
      sendCommand: (args) => client.sendCommand(args),
      destroy: () => {
        isDestroyed = true;
        // A client that has not connected yet, or has ended, has nothing to close and throws.
        if (client.isOpen) client.destroy();
      },
      onEnd: (listener) => {
        client.on('error', listener);
        client.on('end', listener);
      },
    };
  };
}

const PACKAGE: ClientPackage = { store: 'Redis', name: 'redis', major: 6 };

/** Far more than a node asks at a time. */
const QUEUE_LIMIT = 64;
