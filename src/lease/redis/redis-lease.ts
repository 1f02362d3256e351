// The lease in Redis: a key with a time to live, a random token for each acquisition, and an epoch that stays.
import type { RedisAddress } from '../../config/lease-url.ts';
import { ChangeWatch } from '../change-watch.ts';
import type { RemoteStore, RemoteStoreOptions } from '../remote-store.ts';
import { StoreLink } from '../store-link.ts';
import { TokenLease } from '../token-lease.ts';
import { connectionsTo } from './redis-client.ts';
import type { OpenConnection } from './redis-client.ts';
import { RedisDriver } from './redis-driver.ts';
import { isOfReplica, refusalOf, wordsFor } from './redis-errors.ts';
import { channelOf } from './scripts.ts';

export interface RedisLeaseOptions extends RemoteStoreOptions {
  readonly address: RedisAddress;
}

/**
 * Loads the client, connects and registers.
 *
 * @throws FAILOVER_CLIENT_MISSING, FAILOVER_STORE_REFUSED; nothing is left open then
 */
export async function openRedisLease(options: RedisLeaseOptions): Promise<RemoteStore> {
  const { address, requestTimeoutMs } = options;
  const lease = redisLease(options, await connectionsTo(address, requestTimeoutMs));
  try {
    await lease.begin();
  } catch (error) {
    await lease.close();
    throw error;
  }
  return lease;
}

/** Nothing is opened yet. */
export function redisLease(options: RedisLeaseOptions, open: OpenConnection): RemoteStore {
  const { address, group, requestTimeoutMs } = options;
  const { shown } = address;
  const watch = new ChangeWatch();
  const channel = channelOf(group);
  const connectTimeoutMs = Math.max(requestTimeoutMs, LEAST_CONNECT_MS);
  const link = new StoreLink({
    open: () => open(channel),
    shown,
    connectTimeoutMs,
    onChange: () => {
      watch.changed();
    },
    refusalOf: (error) => refusalOf(shown, error),
    isMisled: isOfReplica,
    wordsFor,
  });
  const parts = { address, group, requestTimeoutMs, returnTimeoutMs: connectTimeoutMs, link };
  return new TokenLease({ kind: 'redis', options, driver: new RedisDriver(parts), watch });
}

/** A connection takes more than an answer: name, handshake, perhaps encryption. */
const LEAST_CONNECT_MS = 250;
