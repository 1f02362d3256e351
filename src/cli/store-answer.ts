// The answer to `instance.store` as a client believes it: from another process, which passes on what others wrote.
import type { StoredSight, StoreEvent } from '../lease/remote-store.ts';
import { STORE_ACTIONS } from '../lease/remote-store.ts';
import {
  isCount,
  isDurationMs,
  isFields,
  isName,
  isText,
  targetField,
} from '../transport/checks.ts';

export interface StoreAnswer {
  readonly nodes: readonly StoredSight[];
  readonly events: readonly StoreEvent[];
}

/** What is not as it should be is left out. Never throws. */
export function readStoreAnswer(value: unknown): StoreAnswer {
  const fields = isFields(value) ? value : {};
  return {
    nodes: listIn(fields['nodes']).flatMap((entry) => readNode(entry) ?? []),
    events: listIn(fields['events']).flatMap((entry) => readEvent(entry) ?? []),
  };
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function readNode(value: unknown): StoredSight | null {
  if (!isFields(value)) return null;
  const { node, run, host, version, endpoints, standby, priority, startedAt, seenAgoMs, pid } =
    value;
  if (!isName(node) || !isName(run) || !isText(host) || !isText(version)) return null;
  if (standby !== 'cold' && standby !== 'armed' && standby !== 'hot') return null;
  if (!isFields(endpoints) || !isText(endpoints['bus']) || !isText(endpoints['rpc'])) return null;
  if (!isDurationMs(priority) || !isText(startedAt) || !isDurationMs(seenAgoMs)) return null;
  return {
    ...{ node, run, host, version, standby, priority, startedAt, seenAgoMs },
    endpoints: { bus: endpoints['bus'], rpc: endpoints['rpc'] },
    ...targetField(value['target']),
    pid: isCount(pid) ? pid : null,
  };
}

function readEvent(value: unknown): StoreEvent | null {
  if (!isFields(value)) return null;
  const { node, epoch, atMs } = value;
  const action = STORE_ACTIONS.find((known) => known === value['action']);
  if (!isName(node) || action === undefined || !isCount(epoch) || !isDurationMs(atMs)) return null;
  return atMs <= LATEST_DATE_MS ? { node, action, epoch, atMs } : null;
}

/** The last instant that a date can say. */
const LATEST_DATE_MS = 8.64e15;
