// The record that a node keeps of itself, and the one it writes ahead of its claims, as text and back.
import type { LeaseHolder } from '../../core/state.ts';
import { targetField } from '../../transport/checks.ts';
import type { NodeRecord } from '../lease-store.ts';
import { parseJson } from './durable-file.ts';
import {
  endpoints,
  fieldsOf,
  finite,
  name,
  processIdentity,
  runName,
  sessionRecords,
  text,
} from './record-fields.ts';

/** One page: overwriting it is never seen half done after a kill, and it needs no new room. */
export const RECORD_BYTES = 4096;

/** No record is longer; what is read of a file is cut here. */
export const RECORD_LIMIT_BYTES = 8192;

/** The record in a text; null: none that this version understands. */
export function parseNodeRecord(content: string): NodeRecord | null {
  const fields = fieldsOf(parseJson(content));
  if (fields?.['v'] !== 1) return null;
  const node = name(fields['node']);
  const run = runName(fields['run']);
  const group = name(fields['group']);
  const version = text(fields['version']);
  const host = text(fields['host']);
  const supervisor = processIdentity(fields['supervisor']);
  const addresses = endpoints(fields['endpoints']);
  const standby = fields['standby'];
  const priority = finite(fields['priority']);
  const startedAt = text(fields['startedAt']);
  const startedAtMonotonicMs = finite(fields['startedAtMonotonicMs']);
  const sessions = sessionRecords(fields['sessions']);
  if (standby !== 'cold' && standby !== 'armed' && standby !== 'hot') return null;
  if (node === null || run === null || group === null || version === null) return null;
  if (host === null || supervisor === null || addresses === null || priority === null) return null;
  if (startedAt === null || startedAtMonotonicMs === null || sessions === null) return null;
  return {
    v: 1,
    node,
    run,
    group,
    version,
    host,
    supervisor,
    endsNamespace: fields['endsNamespace'] === true,
    ...(fields['sharesProcess'] === true ? { sharesProcess: true } : {}),
    endpoints: addresses,
    ...targetField(fields['target']),
    standby,
    priority,
    startedAt,
    startedAtMonotonicMs,
    sessions,
  };
}

/** What an epoch's file says: all but the sessions, which change. It holds no number: that is its name. */
export function claimText(record: NodeRecord): string {
  return JSON.stringify({ ...record, sessions: [] });
}

/** Whose claim it is; needs less than a whole record, so that other versions' claims can be read. */
export function parseClaim(content: string): LeaseHolder | null {
  const fields = fieldsOf(parseJson(content));
  const node = name(fields?.['node']);
  const run = runName(fields?.['run']);
  const addresses = endpoints(fields?.['endpoints']);
  if (node === null || run === null || addresses === null) return null;
  return { node, run, endpoints: addresses };
}
