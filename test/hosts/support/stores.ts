// The stores that several hosts share: each is one entry, which says how a host runs its server.
import { lackOfRedis } from '../../contracts/support/redis-server.ts';
import type { Place } from './lan.ts';

/** A store whose server runs on a host of its own. */
export interface SharedStore {
  readonly name: string;
  /** Why there is no server to test with; null: there is. */
  readonly lack: () => string | null;
  /** What `--lease` of the nodes is. */
  readonly url: (place: Place) => string;
  /** A script for `sh` that becomes the server; `$1` is a directory of its own, which outlives it. */
  readonly server: (place: Place) => string;
}

export const SHARED_STORES: readonly SharedStore[] = [
  {
    name: 'redis',
    lack: lackOfRedis,
    url: ({ address }) => `redis://${address}:6379`,
    // It writes nothing: with its host all that it knew is lost.
    server: ({ address }) =>
      `exec redis-server --bind ${address} --port 6379 --protected-mode no --dir "$1" ` +
      "--save '' --appendonly no --loglevel warning",
  },
];
