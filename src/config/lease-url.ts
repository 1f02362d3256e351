// Reads what `--lease` names: what decides who leads.
import { parseDirectory } from './directory-url.ts';
import type { FileDirectory } from './directory-url.ts';
import { parseEtcd } from './etcd-url.ts';
import type { EtcdAddress } from './etcd-url.ts';
import { validateNodeId } from './names.ts';
import { parsePostgres } from './postgres-url.ts';
import type { PostgresAddress } from './postgres-url.ts';
import { parseRedis } from './redis-url.ts';
import type { RedisAddress } from './redis-url.ts';
import { refuseUrl } from './refused-url.ts';

export type { EtcdAddress, FileDirectory, PostgresAddress, RedisAddress };

/** What keeps a lease that ends by itself. */
export type StoreAddress = RedisAddress | EtcdAddress | PostgresAddress | FileDirectory;

/** One node alone may lead. */
interface StaticAddress {
  readonly kind: 'static';
  readonly node: string;
  readonly shown: string;
}

/** The nodes themselves, which `--peers` names. */
export interface PeersAddress {
  readonly kind: 'peers';
  readonly shown: 'peers';
}

export type LeaseAddress =
  { readonly kind: 'file'; readonly shown: 'file' } | StaticAddress | StoreAddress | PeersAddress;

/** Whether a server keeps it, or a directory of several machines, and it ends by itself. */
export function isOnServer(address: LeaseAddress): address is StoreAddress {
  return endsByItself(address) && address.kind !== 'peers';
}

/** Whether it ends by itself when nobody renews it. */
export function endsByItself(address: LeaseAddress): address is StoreAddress | PeersAddress {
  return address.kind !== 'file' && address.kind !== 'static';
}

/**
 * @param source what to call it in a message: the flag, or the variable
 * @throws FAILOVER_BAD_OPTION, FAILOVER_BAD_NODE_ID, with neither user nor password
 */
export function parseLease(text: string, source = '--lease'): LeaseAddress {
  if (text === 'file' || text === 'file:') return { kind: 'file', shown: 'file' };
  if (text === 'peers') return { kind: 'peers', shown: 'peers' };
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'redis':
    case 'rediss':
      return parseRedis(text, scheme === 'rediss', source);
    case 'etcd':
    case 'etcds':
      return parseEtcd(text, scheme === 'etcds', source);
    case 'postgres':
    case 'postgresql':
      return parsePostgres(text, source);
    case 'static': {
      const node = validateNodeId(text.slice('static:'.length), `the node of ${source}`);
      return { kind: 'static', node, shown: `static:${node}` };
    }
    case 'file':
      return parseDirectory(text, source);
    default:
      throw refuseUrl(text, source, {
        fact: 'is not a lease that this version supports',
        expected: EXPECTED,
      });
  }
}

const EXPECTED =
  '`file`, `static:NODE`, `peers`, `redis://HOST:PORT`, `etcd://HOST:PORT`, encrypted `rediss://` and `etcds://`, or ' +
  '`postgres://HOST:PORT/DATABASE`';
