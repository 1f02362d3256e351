// A claim: a look and a lease of etcd at once, and a transaction that takes the group's lease if nothing has changed.
import type { Granted } from '../../core/lease-term.ts';
import { FailoverError } from '../../errors.ts';
import type { StoredNode } from '../remote-store.ts';
import type { EventLog } from './event-log.ts';
import type { GroupKeys } from './keys.ts';
import { readLead } from './lead.ts';
import type { GroupState, Lead } from './lead.ts';
import * as requests from './requests.ts';
import type { Ask } from './requests.ts';
import { isYounger } from './store-age.ts';

export interface ClaimParts {
  readonly ask: Ask;
  readonly keys: GroupKeys;
  readonly events: EventLog;
  readonly record: StoredNode;
  readonly ttlMs: number;
}

export interface Claimant {
  /** The lease of etcd that this claim is to have, and how it is asked for unless it was before. */
  readonly token: string;
  readonly grant: () => Promise<Granted>;
  /** The lead by all that the watch told: the transaction fails where that is out of date. Null: not known. */
  readonly told: Lead | null;
  readonly floor: number;
  /** The revision at which the claimant had started. */
  readonly start: number;
}

export type Claim =
  | {
      readonly type: 'granted';
      readonly lead: Lead;
      readonly epoch: number;
      readonly previous: string | null;
      readonly granted: Granted;
    }
  | {
      readonly type: 'denied';
      readonly cause: 'held' | 'completed' | 'lost-race';
      readonly lead: Lead;
    };

type Denial = Extract<Claim, { type: 'denied' }>;

/** How often another change may come between: each is a claim, or an epoch that was put back. */
const ATTEMPTS = 4;

export async function claim(parts: ClaimParts, claimant: Claimant): Promise<Claim> {
  const { ask, keys, events } = parts;
  const { token, floor } = claimant;
  // It takes the disk of each member: also a claim that is denied is most often followed by another.
  const granting = claimant.grant();
  let lead = isFree(claimant) ? claimant.told : await look(parts);
  const denied = denial(lead, claimant);
  if (denied !== null) return denied;
  if (await mayHaveForgotten(parts, lead, floor)) {
    await holdBack(parts, lead, floor);
    return { type: 'denied', cause: 'held', lead };
  }
  const granted = await granting;
  let overtaken: Denial | null = null;
  for (let attempt = 0; attempt < ATTEMPTS && overtaken === null; attempt += 1) {
    const state = nextState(parts, lead, floor);
    const event = events.note('granted', state.epoch);
    const request = requests.claim(keys, { lead, token, state }, event);
    const { succeeded, header, responses } = await ask((connection) => connection.txn(request));
    // What was told was of another cluster: this one may have forgotten a lease.
    if (succeeded && header.cluster_id !== lead.cluster) break;
    if (succeeded) {
      const { revision } = header;
      const after = { ...lead, state, leaseId: token, revision: Number(revision) };
      return {
        type: 'granted',
        lead: { ...after, stateRevision: revision },
        epoch: state.epoch,
        previous: lead.state?.node ?? null,
        granted,
      };
    }
    lead = readLead(keys, { header, kvs: responses[0]?.response_range.kvs ?? [] });
    overtaken = denial(lead, claimant);
  }
  if (overtaken !== null) return overtaken;
  await ask((connection) => connection.revoke(token));
  return { type: 'denied', cause: 'lost-race', lead: await look(parts) };
}

/** The next epoch above all that is known. @throws FAILOVER_STORE_REFUSED when there is none */
export function nextEpoch(state: GroupState | null, floor: number): number {
  const epoch = Math.max(state?.epoch ?? 0, floor) + 1;
  if (Number.isSafeInteger(epoch)) return epoch;
  throw new FailoverError(
    'FAILOVER_STORE_REFUSED',
    `Cannot use the lease store: there is no epoch above ${String(floor)}`,
  );
}

async function look({ ask, keys }: ClaimParts): Promise<Lead> {
  return readLead(keys, await ask((connection) => connection.range(keys.lead)));
}

/** By what was told of a cluster that has forgotten nothing. */
function isFree(claimant: Claimant): claimant is Claimant & { readonly told: Lead } {
  const { told } = claimant;
  if (told === null || told.state?.cluster !== told.cluster) return false;
  return denial(told, claimant) === null;
}

function denial(lead: Lead, { start }: Claimant): Denial | null {
  if (start <= Number(lead.completedRevision)) return { type: 'denied', cause: 'completed', lead };
  return lead.leaseId === null ? null : { type: 'denied', cause: 'held', lead };
}

/** Another cluster than that of the last lease, or one that has lost what it knew. */
async function mayHaveForgotten(
  { ask, ttlMs }: ClaimParts,
  { state, cluster }: Lead,
  floor: number,
): Promise<boolean> {
  if (state?.cluster === cluster) return false;
  return state !== null || floor > 0 || (await isYounger(ask, ttlMs));
}

/**
 * Nobody gets the lease for as long as one could last that somebody still holds. The claimant may be the last that
 * knows of its epoch.
 */
async function holdBack(
  { ask, keys, ttlMs }: ClaimParts,
  lead: Lead,
  floor: number,
): Promise<void> {
  const token = requests.newLeaseId();
  const former = lead.state ?? NOTHING;
  await ask((connection) => connection.grant(token, Math.max(ttlMs, former.ttlMs)));
  const epoch = Math.max(former.epoch, floor);
  const state = { ...former, epoch, cluster: lead.cluster };
  const request = requests.holdBack(keys, { lead, token, state });
  const { succeeded } = await ask((connection) => connection.txn(request));
  if (!succeeded) await ask((connection) => connection.revoke(token));
}

const NOTHING = { epoch: 0, node: null, holder: null, ttlMs: 0 };

function nextState({ record, ttlMs }: ClaimParts, lead: Lead, floor: number): GroupState {
  const epoch = nextEpoch(lead.state, floor);
  const { cluster } = lead;
  return { epoch, cluster, node: record.node, holder: record, ttlMs };
}
