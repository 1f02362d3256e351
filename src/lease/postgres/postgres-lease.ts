// The lease in PostgreSQL: a row with a token and an expiry by the server's clock, and an epoch that stays.
import type { PostgresAddress } from '../../config/lease-url.ts';
import { ChangeWatch } from '../change-watch.ts';
import type { RemoteStore, RemoteStoreOptions } from '../remote-store.ts';
import { StoreLink } from '../store-link.ts';
import { TokenLease } from '../token-lease.ts';
import type { OpenConnection } from './postgres-client.ts';
import { PostgresDriver } from './postgres-driver.ts';
import { isOfReplica, refusalOf, wordsFor } from './postgres-errors.ts';
import { channelOf } from './statements.ts';

/** Nothing is opened yet. */
export function postgresLease(
  options: RemoteStoreOptions & { readonly address: PostgresAddress },
  open: OpenConnection,
): RemoteStore {
  const { address, group, requestTimeoutMs } = options;
  const watch = new ChangeWatch();
  const changed = (): void => {
    watch.changed();
  };
  const connectTimeoutMs = Math.max(requestTimeoutMs, LEAST_CONNECT_MS);
  const link = new StoreLink({
    open: () =>
      // By this time the asker was told that the server does not answer.
      open({ channel: channelOf(group), statementTimeoutMs: 2 * connectTimeoutMs }),
    shown: address.shown,
    connectTimeoutMs,
    onChange: changed,
    refusalOf: (error) => refusalOf(address.shown, error),
    isMisled: isOfReplica,
    wordsFor,
  });
  const parts = { address, group, requestTimeoutMs, returnTimeoutMs: connectTimeoutMs, link };
  return new TokenLease({ kind: 'postgres', options, driver: new PostgresDriver(parts), watch });
}

/** A connection takes more than an answer: name, handshake, password, perhaps encryption. */
const LEAST_CONNECT_MS = 500;
