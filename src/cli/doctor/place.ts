// What `failover doctor` looks at, and the one look at the group that its checks share.
import type { LeaseAddress } from '../../config/lease-url.ts';
import type { GroupSnapshot } from '../client.ts';
import type { Workshop } from './workshop.ts';

export interface Place {
  readonly group: string;
  readonly stateDir: string;
  /** Whether nobody named another. */
  readonly isDefaultStateDir: boolean;
  readonly runtimeDir: string;
  readonly lease: LeaseAddress;
  /** As it was given, perhaps with a password: never shown. */
  readonly leaseText: string;
  /** How long each check may take, ms. */
  readonly limitMs: number;
  /** As they would be given to `run`; null: not given. */
  readonly files: {
    readonly keyFile: string | null;
    readonly authorizedKeys: string | null;
    readonly secretFile: string | null;
  };
  readonly workshop: Workshop;
  /** The nodes of this machine; the same look for all who ask. */
  readonly look: () => Promise<GroupSnapshot>;
}
