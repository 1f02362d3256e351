// What a member of etcd tells of itself.
import type { EtcdAddress } from '../../../config/lease-url.ts';
import { connectionsTo } from '../../../lease/etcd/etcd-client.ts';
import { refusalOf } from '../../../lease/etcd/etcd-errors.ts';
import { keysOf } from '../../../lease/etcd/keys.ts';
import { StoreLink } from '../../../lease/store-link.ts';
import { counted } from '../../../core/counted.ts';
import { failure, ok, warning } from '../check.ts';
import type { Finding } from '../check.ts';
import { roundTripOf } from './store-facts.ts';
import type { StoreFacts } from './store-facts.ts';

/** @throws FAILOVER_CLIENT_MISSING, FAILOVER_STORE_UNREACHABLE, FAILOVER_STORE_REFUSED */
export async function etcdFacts(
  address: EtcdAddress,
  group: string,
  limitMs: number,
): Promise<StoreFacts> {
  const { shown, endpoints } = address;
  const open = await connectionsTo(address);
  const { lead } = keysOf(group);
  const link = new StoreLink({
    open: () => open({ key: lead.key, rangeEnd: lead.range_end, onEvents: () => undefined }),
    shown,
    connectTimeoutMs: limitMs,
    onChange: () => undefined,
    refusalOf: (error) => refusalOf(shown, error),
  });
  try {
    const status = await link.within(limitMs, (connection) => connection.status());
    // Through the leader, as a claim is.
    const roundTripMs = await roundTripOf(() =>
      link.within(limitMs, (connection) => connection.range({ key: lead.key, limit: 1 })),
    );
    const settings = judgeEtcd(status, endpoints.length);
    return { version: `etcd ${status.version}`, roundTripMs, aheadMs: null, settings };
  } finally {
    link.close();
  }
}

interface EtcdStatus {
  readonly version: string;
  readonly leader: string;
  /** Left out where there are none. */
  readonly errors?: readonly string[];
}

/** Exported for its tests. */
export function judgeEtcd({ version, leader, errors }: EtcdStatus, members: number): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 3 || (major === 3 && minor < 4)) {
    return failure(`It is etcd ${version}`, 'Upgrade the cluster to etcd 3.4 or later.');
  }
  if (leader === '0') {
    return failure(
      'The member that answered knows no leader: nothing can be claimed',
      'Bring back a majority of the members.',
    );
  }
  const [alarm] = errors ?? [];
  if (alarm !== undefined) {
    return failure(
      `It reports ${alarm}: nothing can be claimed while it has no room`,
      'Compact and defragment it, and then end the alarm with `etcdctl alarm disarm`.',
    );
  }
  if (members > 1) return ok(`It has a leader; ${counted(members, 'member')} are named`);
  return warning(
    'One member is named: while it is down, no node can lead',
    'Name all members, as in etcd://A:2379,B:2379,C:2379.',
  );
}
