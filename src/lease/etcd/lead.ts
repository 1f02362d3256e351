// What the keys that decide say: a server may be anything that listens there, and its data anybody's.
import type * as etcd from 'etcd3';
import type { LeaseObservation } from '../../core/state.ts';
import { FailoverError } from '../../errors.ts';
import { parseJson } from '../file/durable-file.ts';
import { fieldsOf, finite, name } from '../file/record-fields.ts';
import type { StoredNode } from '../remote-store.ts';
import { readStoredNode } from '../stored-records.ts';
import type { GroupKeys } from './keys.ts';

/** What stays: written as a whole, by whoever has seen what was there before. */
export interface GroupState {
  readonly epoch: number;
  /** The cluster in which the lease was taken last; null: this store has only heard of the epoch. */
  readonly cluster: string | null;
  /** The node that led last. */
  readonly node: string | null;
  readonly holder: StoredNode | null;
  /** How long its lease lasted, ms. */
  readonly ttlMs: number;
}

export interface Lead {
  readonly cluster: string;
  /** How often anything was changed in the store: it only rises. */
  readonly revision: number;
  /** The state of the group; null: nobody has led, or the store has lost it. */
  readonly state: GroupState | null;
  /** When it was changed, `0` for never: who changes it next must have seen this. */
  readonly stateRevision: string;
  readonly completedRevision: string;
  /** The lease of etcd on which that of the group hangs, `0` for none; null: the lease is free. */
  readonly leaseId: string | null;
  readonly isPaused: boolean;
}

/** @throws FAILOVER_STORE_REFUSED for what another version has left */
export function readLead(
  keys: GroupKeys,
  { header, kvs }: Pick<etcd.IRangeResponse, 'header' | 'kvs'>,
): Lead {
  const at = (key: Buffer): etcd.IKeyValue | undefined =>
    kvs.find((candidate) => candidate.key.equals(key));
  const state = at(keys.state);
  return {
    cluster: header.cluster_id,
    revision: Number(header.revision),
    state: state === undefined ? null : readState(state.value.toString()),
    stateRevision: state?.mod_revision ?? '0',
    completedRevision: at(keys.completed)?.mod_revision ?? '0',
    leaseId: at(keys.lease)?.lease ?? null,
    isPaused: at(keys.paused) !== undefined,
  };
}

export function observationOf({ state, leaseId, isPaused }: Lead): LeaseObservation {
  const holder = state?.holder ?? null;
  return {
    epoch: state?.epoch ?? 0,
    held: leaseId !== null,
    holder:
      holder === null ? null : { node: holder.node, run: holder.run, endpoints: holder.endpoints },
    // A store that has lost its data knows an epoch from its nodes, and no holder: nothing to be read.
    recordUnreadable: false,
    touch: null,
    paused: isPaused,
  };
}

/** The lead after what a watch tells; null: it has become something that this version does not know. */
export function leadAfter(
  keys: GroupKeys,
  before: Lead,
  events: readonly etcd.IEvent[],
): Lead | null {
  let lead = before;
  for (const { type, kv } of events) {
    // Told late: it was seen already.
    if (Number(kv.mod_revision) <= before.revision) continue;
    const isThere = type === 'Put';
    const revision = isThere ? kv.mod_revision : '0';
    if (kv.key.equals(keys.lease)) lead = { ...lead, leaseId: isThere ? kv.lease : null };
    else if (kv.key.equals(keys.paused)) lead = { ...lead, isPaused: isThere };
    else if (kv.key.equals(keys.completed)) lead = { ...lead, completedRevision: revision };
    else if (kv.key.equals(keys.state)) {
      try {
        const state = isThere ? readState(kv.value.toString()) : null;
        lead = { ...lead, state, stateRevision: revision };
      } catch {
        return null;
      }
    }
  }
  return lead;
}

const VERSION = 1;

export function stateText(state: GroupState): string {
  return JSON.stringify({ v: VERSION, ...state });
}

function readState(content: string): GroupState {
  const fields = fieldsOf(parseJson(content));
  const epoch = finite(fields?.['epoch']);
  if (fields?.['v'] !== VERSION || epoch === null || !Number.isSafeInteger(epoch)) throw strange();
  const { cluster } = fields;
  return {
    epoch,
    cluster: typeof cluster === 'string' ? cluster : null,
    node: name(fields['node']),
    holder: readStoredNode(fields['holder']),
    ttlMs: finite(fields['ttlMs']) ?? 0,
  };
}

function strange(): FailoverError {
  return new FailoverError(
    'FAILOVER_STORE_REFUSED',
    'Cannot use the lease store: it has data of another version of failover that this one does not know',
    { hint: 'Run the same version of failover on every node of the group.' },
  );
}
