// Reads what nodes leave in a store, of any kind: it may be another version's, or nobody's.
import type { LeaseHolder } from '../core/state.ts';
import { targetField } from '../transport/checks.ts';
import {
  endpoints,
  fieldsOf,
  finite,
  name,
  processIdentity,
  runName,
  text,
} from './file/record-fields.ts';
import type { Rival } from './join-alone.ts';
import { STORE_ACTIONS } from './remote-store.ts';
import type { StoredSight, StoredNode, StoreEvent } from './remote-store.ts';

/** What a node says of itself; null: this version does not understand it. */
export function readStoredNode(value: unknown): (StoredNode & Pick<StoredSight, 'pid'>) | null {
  const holder = readLeaseHolder(value);
  const fields = fieldsOf(value);
  const host = text(fields?.['host']);
  const version = text(fields?.['version']);
  const standby = fields?.['standby'];
  const priority = finite(fields?.['priority']);
  const startedAt = text(fields?.['startedAt']);
  if (holder === null || host === null || version === null || startedAt === null) return null;
  if (standby !== 'cold' && standby !== 'armed' && standby !== 'hot') return null;
  if (priority === null) return null;
  const pid = finite(fieldsOf(fields?.['supervisor'])?.['pid']);
  const target = targetField(fields?.['target']);
  return { ...holder, ...target, host, version, standby, priority, startedAt, pid };
}

/** What it says of itself to a node of the same id; null: this version does not understand it. */
export function readRival(value: unknown): Omit<Rival, 'seenAgoMs'> | null {
  const fields = fieldsOf(value);
  const run = runName(fields?.['run']);
  if (run === null) return null;
  const startedAt = text(fields?.['startedAt']);
  return {
    run,
    host: name(fields?.['host']),
    startedAt: startedAt !== null && ISO_TIME.test(startedAt) ? startedAt : null,
    supervisor: processIdentity(fields?.['supervisor']),
    quietMs: finite(fields?.['quietMs']),
  };
}

/** A time as it may go into a message: nothing else is taken for one. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

export function readLeaseHolder(value: unknown): LeaseHolder | null {
  const fields = fieldsOf(value);
  const node = name(fields?.['node']);
  const run = runName(fields?.['run']);
  const addresses = endpoints(fields?.['endpoints']);
  if (node === null || run === null || addresses === null) return null;
  return { node, run, endpoints: addresses };
}

/** The epoch may be a text: not every store has numbers. */
export function readStoreEvent(value: unknown): StoreEvent | null {
  const fields = fieldsOf(value);
  const node = name(fields?.['node']);
  const action = STORE_ACTIONS.find((known) => known === fields?.['action']);
  const epoch = Number(fields?.['epoch']);
  const atMs = finite(fields?.['at']);
  if (node === null || action === undefined || atMs === null) return null;
  // Past what a date can say it is nobody's clock.
  if (Number.isNaN(new Date(atMs).getTime())) return null;
  return Number.isSafeInteger(epoch) ? { node, action, epoch, atMs } : null;
}
