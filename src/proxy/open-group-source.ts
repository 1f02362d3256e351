// The source of a proxy that follows a group: what it looks at, and how it reaches the nodes.
import type { HttpProxyOptions, ProxyOptions } from '../config/load-proxy.ts';
import { defaultStateDir } from '../config/state-dir.ts';
import { openStore } from '../cli/store-sight.ts';
import { systemClock } from '../runtime/clock.ts';
import { dialOf } from '../runtime/network.ts';
import { FileSight, StoreSight } from './group-sight.ts';
import { GroupSource } from './group-source.ts';

/** @throws FAILOVER_CLIENT_MISSING, FAILOVER_STORE_REFUSED where a server keeps the lease, FAILOVER_BAD_KEY_FILE */
export async function openGroupSource(
  options: Omit<
    ProxyOptions,
    keyof HttpProxyOptions | 'listen' | 'to' | 'mode' | 'logFormat' | 'quiet'
  >,
  warn: (message: string) => void,
): Promise<GroupSource> {
  const { group, stateDir } = options;
  const store = await openStore(options);
  const sight =
    store === null ? new FileSight(stateDir ?? defaultStateDir(), group) : new StoreSight(store);
  return new GroupSource({ group, sight, clock: systemClock, ...dialOf(options), warn });
}
