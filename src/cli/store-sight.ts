// What the server of a lease shows of a group, whichever machines its nodes are on: asked directly, or through a node.
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import type { ClientOptions } from '../config/load.ts';
import { isOnServer, parseLease } from '../config/lease-url.ts';
import type { LeaseObservation } from '../core/state.ts';
import { FailoverError } from '../errors.ts';
import { journalPaths } from '../journal/journal-file.ts';
import type { LeaseKind } from '../lease/lease-store.ts';
import type { RemoteStore, StoredSight, StoredNode, StoreEvent } from '../lease/remote-store.ts';
import { monotonicNow } from '../runtime/clock.ts';
import { packageVersion } from '../version.ts';
import { ask, endedBy, livingNodes, lookAtGroup } from './client.ts';
import type { GroupSnapshot } from './client.ts';
import { readStoreAnswer } from './store-answer.ts';

/** How long a server may take, ms: it may be far away, and a connection has to be made first. */
const SERVER_LIMIT_MS = 2_000;

export interface StoreSight {
  /** Null: not known, as no server answered. */
  readonly kind: LeaseKind | null;
  readonly guards: readonly string[];
  /** The address without user and password; null: a node was asked, which does not say it. */
  readonly shown: string | null;
  /** Null: what the nodes of this machine have seen of it is all there is. */
  readonly observation: LeaseObservation | null;
  readonly nodes: readonly StoredSight[];
  /** The latest first. */
  readonly events: readonly StoreEvent[];
  /** Why it could not be asked; null: it was. */
  readonly problem: string | null;
}

/**
 * Looks at a group on this machine, and at the server of its lease for what is elsewhere.
 *
 * @param storeAgeMs How old what a node knows of the server may be, for callers that look again and again
 * @throws FAILOVER_STATE_DIR_* when the directory can't be looked at, FAILOVER_STORE_REFUSED,
 *   FAILOVER_CLIENT_MISSING
 */
export async function lookEverywhere(
  options: ClientOptions,
  storeAgeMs = 0,
): Promise<GroupSnapshot> {
  const [local, asked] = await Promise.all([lookAtGroup(options), askServer(options)]);
  const store = asked ?? (await askNodes(local, storeAgeMs, options.signal));
  if (store === null) return local;
  // Where its nodes keep the lease in files, a server knows of others at most.
  const isOfFiles = livingNodes(local).some(({ status }) =>
    KINDS_OF_FILES.has(status?.lease.kind ?? ''),
  );
  const observation = isOfFiles ? null : store.observation;
  const nodes = isOfFiles ? [] : store.nodes.filter((node) => !hasEndedHere(node, local));
  return {
    ...local,
    observation: observation ?? local.observation,
    pause: observation === null ? local.pause : null,
    store: { ...store, nodes, problem: isOfFiles ? othersLease(store) : store.problem },
  };
}

/** The same, as far as the server lets: what is known here is known without it, and is done without it. */
export async function lookFurther(options: ClientOptions): Promise<GroupSnapshot> {
  try {
    return await lookEverywhere(options);
  } catch (error) {
    if (error instanceof FailoverError) return lookAtGroup(options);
    throw error;
  }
}

/** What decides in them is on this machine. */
const KINDS_OF_FILES: ReadonlySet<string> = new Set(['file', 'static']);

/** Opens the store that the options name, only to look or to write a pause; null: they name none. */
export async function openStore({ group, lease }: ClientOptions): Promise<RemoteStore | null> {
  const address = lease === undefined ? null : parseLease(lease);
  if (address === null || !isOnServer(address)) return null;
  const { loadStore } = await import('../runtime/node-lease.ts');
  const open = await loadStore(address, SERVER_LIMIT_MS);
  const record: StoredNode = {
    ...{ node: 'client', run: 'client', host: '', version: packageVersion() },
    ...{ endpoints: { bus: '', rpc: '' }, priority: 0, startedAt: '' },
    standby: 'cold',
  };
  const times = { ttlMs: SERVER_LIMIT_MS, requestTimeoutMs: SERVER_LIMIT_MS, now: monotonicNow };
  return open({ group, record, ...times });
}

/**
 * Whether a node that its server has seen ran on this machine, in this directory, and lives no more: a server knows
 * one that was killed for a while, and its record is gone once another has started.
 */
function hasEndedHere({ host, run }: StoredSight, { paths, nodes }: GroupSnapshot): boolean {
  if (paths === null || host !== hostname()) return false;
  if (nodes.some(({ record }) => record.run === run)) return false;
  const { current, former } = journalPaths(paths.journal, run);
  return existsSync(current) || existsSync(former);
}

/** Why nobody on this machine knows who leads; null: somebody does, or the server was asked. */
export function unknownBecause(snapshot: GroupSnapshot): string | null {
  return livingNodes(snapshot).length === 0 ? (snapshot.store?.problem ?? null) : null;
}

/** The nodes that no record of this machine tells of, and that have not come back under their id since. */
export function nodesElsewhere(snapshot: GroupSnapshot): readonly StoredSight[] {
  const { nodes, store, observation } = snapshot;
  const here = new Set(nodes.map(({ record }) => record.run));
  const leads = observation.held ? observation.holder?.run : null;
  return (store?.nodes ?? []).filter((node) => {
    return !here.has(node.run) && (node.run === leads || !isBack(node, snapshot));
  });
}

/** Whether one with its id has started since it was seen: its own entry stays until it is too old. */
function isBack(left: StoredSight, { nodes, store, takenAtMs }: GroupSnapshot): boolean {
  const seenAtMs = takenAtMs - left.seenAgoMs;
  const others = [...(store?.nodes ?? []), ...nodes.map(({ record }) => record)];
  return others.some(({ node, run, startedAt }) => {
    return node === left.node && run !== left.run && Date.parse(startedAt) > seenAtMs;
  });
}

/** Who holds the lease on another machine; null: nobody does, or one of this machine. */
export function holderElsewhere(snapshot: GroupSnapshot): StoredSight | null {
  const { held, holder } = snapshot.observation;
  if (!held || holder === null) return null;
  return nodesElsewhere(snapshot).find(({ run }) => run === holder.run) ?? null;
}

async function askServer(options: ClientOptions): Promise<StoreSight | null> {
  const store = await openStore(options);
  if (store === null || options.lease === undefined) return null;
  const { kind, guards } = store;
  const { shown } = parseLease(options.lease);
  try {
    const [observation, nodes, events] = await Promise.all([
      store.look(),
      store.listNodes(),
      store.readEvents(EVENTS_LIMIT),
    ]);
    return { kind, guards, shown, observation, nodes, events, problem: null };
  } catch (error) {
    if (!(error instanceof FailoverError) || error.code !== 'FAILOVER_STORE_UNREACHABLE')
      throw error;
    const nothing = { observation: null, nodes: [], events: [] };
    return { kind, guards, shown, ...nothing, problem: error.message };
  } finally {
    await store.close();
  }
}

const EVENTS_LIMIT = 256;

/** A node knows the server, and the password: whoever may ask the node needs neither. */
async function askNodes(
  local: GroupSnapshot,
  maxAgeMs: number,
  signal: AbortSignal | undefined,
): Promise<StoreSight | null> {
  const answering = livingNodes(local).filter(
    ({ status }) => (status?.lease.seen ?? null) !== null,
  );
  for (const { record, status } of answering.slice(0, NODES_ASKED)) {
    if (status === null) continue;
    const { kind, guards } = status.lease;
    const about = { kind, guards, shown: null, observation: null };
    try {
      const method = 'instance.store';
      const question = { method, params: { maxAgeMs }, timeoutMs: SERVER_LIMIT_MS } as const;
      const answer = await ask(record, { group: local.group, ...question, ...endedBy(signal) });
      return { ...about, ...readStoreAnswer(answer), problem: null };
    } catch (error) {
      if (!(error instanceof FailoverError)) throw error;
      signal?.throwIfAborted();
      // One that is cut off, or of an earlier version.
      if (error.code !== 'FAILOVER_STORE_UNREACHABLE') continue;
      return { ...about, nodes: [], events: [], problem: error.message };
    }
  }
  return null;
}

/** The second of them may have a way to the server that the first has not. */
const NODES_ASKED = 2;

function othersLease({ shown }: StoreSight): string {
  return `The nodes on this machine keep their lease in files, not at ${shown ?? 'a server'}`;
}
