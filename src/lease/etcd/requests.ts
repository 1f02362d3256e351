// What is asked of etcd, each as one request. None counts: whoever changes a number has seen the one before.
import { randomBytes } from 'node:crypto';
import type * as etcd from 'etcd3';
import type { EtcdConnection } from './etcd-connection.ts';
import type { GroupKeys } from './keys.ts';
import { stateText } from './lead.ts';
import type { GroupState, Lead } from './lead.ts';

/** Asks over the connection that there is, within the time of a request if no other is given. */
export type Ask = <Answer>(
  act: (connection: EtcdConnection) => Promise<Answer>,
  timeoutMs?: number,
) => Promise<Answer>;

// The numbers of the protocol: the names are loaded with the client only.
const EQUAL = 0 as unknown as etcd.CompareResult.Equal;
const OF_CREATION = 1 as unknown as etcd.CompareTarget.Create;
const OF_CHANGE = 2 as unknown as etcd.CompareTarget.Mod;
const OF_VALUE = 3 as unknown as etcd.CompareTarget.Value;
const OF_LEASE = 4 as unknown as etcd.CompareTarget.Lease;

/** Names a lease of etcd before it is granted: so it can be ended also if no answer has come. */
export function newLeaseId(): string {
  // Positive, and none: what the server chooses itself is not less random.
  return String((randomBytes(8).readBigUInt64BE() >> 1n) | 1n);
}

/** Takes the lease where all is as it was seen; where not, tells how it is. */
export function claim(
  keys: GroupKeys,
  {
    lead,
    token,
    state,
  }: { readonly lead: Lead; readonly token: string; readonly state: GroupState },
  event: etcd.IRequestOp,
): etcd.ITxnRequest {
  const { stateRevision, completedRevision } = lead;
  return {
    compare: [
      absent(keys.lease),
      unchanged(keys.state, stateRevision),
      unchanged(keys.completed, completedRevision),
    ],
    success: [put(keys.lease, '', token), put(keys.state, stateText(state)), event],
    failure: [{ request_range: keys.lead }],
  };
}

/** Holds the lease back for as long as one may last that this store has forgotten. */
export function holdBack(
  keys: GroupKeys,
  {
    lead,
    token,
    state,
  }: { readonly lead: Lead; readonly token: string; readonly state: GroupState },
): etcd.ITxnRequest {
  return {
    compare: [absent(keys.lease), unchanged(keys.state, lead.stateRevision)],
    success: [put(keys.lease, 'forgotten', token), put(keys.state, stateText(state))],
  };
}

/** By the holder alone. */
export function advance(
  keys: GroupKeys,
  {
    lead,
    token,
    state,
  }: { readonly lead: Lead; readonly token: string; readonly state: GroupState },
  events: readonly etcd.IRequestOp[],
): etcd.ITxnRequest {
  return {
    compare: [ofLease(keys.lease, token), unchanged(keys.state, lead.stateRevision)],
    success: [put(keys.state, stateText(state)), ...events],
    failure: [{ request_range: keys.lead }],
  };
}

/** Releases the lease; with another token than the present one it changes nothing. */
export function release(keys: GroupKeys, token: string, event: etcd.IRequestOp): etcd.ITxnRequest {
  return {
    compare: [ofLease(keys.lease, token)],
    success: [remove(keys.lease), event],
  };
}

/** Puts back an epoch that the store does not know: of one that has lost its data nodes are what remembers. */
export function putBack(keys: GroupKeys, lead: Lead, state: GroupState): etcd.ITxnRequest {
  return {
    compare: [unchanged(keys.state, lead.stateRevision)],
    success: [put(keys.state, stateText(state))],
  };
}

export function all(...success: readonly etcd.IRequestOp[]): etcd.ITxnRequest {
  return { success: [...success] };
}

/** Registers a run under an id that `holder` has (null: nobody), and removes that one; where it has not, tells who has. */
export function join(
  keys: GroupKeys,
  {
    node,
    run,
    holder,
    lease,
  }: {
    readonly node: string;
    readonly run: string;
    readonly holder: string | null;
    readonly lease: string;
  },
  changes: readonly etcd.IRequestOp[],
): etcd.ITxnRequest {
  const key = keys.id(node);
  const isOther = holder !== null && holder !== run;
  const replaced = isOther
    ? [{ request_delete_range: { key: keys.node(holder), prev_kv: true } }]
    : [];
  return {
    compare: [holder === null ? absent(key) : ofValue(key, holder)],
    success: [put(key, run, lease), ...replaced, ...changes],
    failure: [{ request_range: { key } }],
  };
}

/** Removes a run from record, and from its id, where that is still its own. */
export function leave(
  keys: GroupKeys,
  { node, run }: { readonly node: string; readonly run: string },
  event: etcd.IRequestOp,
): etcd.ITxnRequest {
  const key = keys.id(node);
  const gone = [remove(keys.node(run)), event];
  return { compare: [ofValue(key, run)], success: [remove(key), ...gone], failure: gone };
}

export function put(key: Buffer, value: string, lease = '0'): etcd.IRequestOp {
  return { request_put: { key, value: Buffer.from(value), lease } };
}

export function remove(key: Buffer): etcd.IRequestOp {
  return { request_delete_range: { key } };
}

export function absent(key: Buffer): etcd.ICompare {
  return { key, target: OF_CREATION, result: EQUAL, create_revision: '0' };
}

function unchanged(key: Buffer, revision: string): etcd.ICompare {
  return { key, target: OF_CHANGE, result: EQUAL, mod_revision: revision };
}

function ofValue(key: Buffer, value: string): etcd.ICompare {
  return { key, target: OF_VALUE, result: EQUAL, value: Buffer.from(value) };
}

/** No key hangs on no lease: of one that is not there this is never true. */
function ofLease(key: Buffer, id: string): etcd.ICompare {
  return { key, target: OF_LEASE, result: EQUAL, lease: id };
}
