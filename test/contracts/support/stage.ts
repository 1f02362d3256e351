// What a contract needs of a store under test, and the nodes that use it.
import { randomBytes } from 'node:crypto';
import type { SoleNode } from '../../../src/lease/join-alone.ts';
import type { ProcessIdentity } from '../../../src/lease/lease-store.ts';
import type { RemoteStore, StoredNode } from '../../../src/lease/remote-store.ts';
import type { FaultProxy } from './fault-proxy.ts';

export interface OpenOptions {
  readonly node: string;
  readonly group: string;
  readonly ttlMs: number;
  readonly requestTimeoutMs: number;
  /** Left out: others may have the same id. */
  readonly sole?: SoleNode;
  /** Left out: it says nothing of its process. */
  readonly supervisor?: ProcessIdentity;
  /** Left out: it does not say how long it may leave the store alone. */
  readonly quietMs?: number;
  /** Through the proxy, where there are faults; else straight to the server. */
  readonly proxy?: FaultProxy;
}

/** A real server of the kind under test, private to the suite. */
export interface StoreUnderTest {
  /** Where a proxy has to lead to. */
  readonly port: number;
  open(options: OpenOptions): Promise<RemoteStore>;
  /** Loses the lease and nothing else, as if it had never been given. */
  loseLease(group: string): Promise<void>;
  /** Ends the server and starts it again; it has written nothing. */
  restart(): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** Longer than a case takes that needs it: it does not end by itself. */
export const LONG_TTL_MS = 6_000;

export function groupName(): string {
  return `g-${randomBytes(6).toString('hex')}`;
}

export function recordOf(
  node: string,
  supervisor?: ProcessIdentity,
  quietMs?: number,
): StoredNode & Pick<OpenOptions, 'supervisor'> {
  const run = randomBytes(6).toString('hex');
  const endpoints = { bus: `ipc:///tmp/${run}.bus`, rpc: `ipc:///tmp/${run}.rpc` };
  const about = { host: 'here', version: '0.0.0', standby: 'cold', priority: 100 } as const;
  const process = supervisor === undefined ? {} : { supervisor };
  const pause = quietMs === undefined ? {} : { quietMs };
  return {
    node,
    run,
    endpoints,
    ...about,
    ...process,
    ...pause,
    startedAt: new Date(0).toISOString(),
  };
}
