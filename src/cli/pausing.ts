// Pauses and resumes a group: through a node where one answers, else where its lease is kept: a server, or files.
import { hostname, userInfo } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { ClientOptions } from '../config/load.ts';
import { FailoverError } from '../errors.ts';
import { writePaused } from '../lease/file/markers.ts';
import { openStateDirectory } from '../lease/file/state-directory.ts';
import type { GroupSnapshot } from './client.ts';
import { ask, endedBy, livingNodes, lookAtGroup, primaryOf } from './client.ts';
import { Deadline } from './deadline.ts';
import { lookEverywhere, openStore } from './store-sight.ts';

/** How long a node may take to write the mark, ms. */
const ANSWER_LIMIT_MS = 2_000;

/** How long a paused group may take until every node that answers knows of it, ms. */
const KNOWN_LIMIT_MS = 2_000;

const LOOK_INTERVAL_MS = 10;

/** The group as it was found, and whether the mark is another now. */
export interface Pausing {
  readonly before: GroupSnapshot;
  readonly changed: boolean;
  /** Nodes that live and have not said that they know of a pause: they may take over still. */
  readonly unaware: readonly string[];
}

/**
 * Durable when it resolves. Every node sees the mark, also one that starts later. A pause is known to every
 * node that answers by then: what happens after it counts as paused.
 *
 * @throws FAILOVER_STATE_DIR_* when the mark can't be written, FAILOVER_STORE_* when the server does not take it
 */
export async function setPaused(options: ClientOptions, paused: boolean): Promise<Pausing> {
  const before = await lookEverywhere(options);
  if (before.observation.paused === paused) return { before, changed: false, unaware: [] };
  const by = `${userName()}@${hostname()}`;
  if (!(await askNodes(before, options, { paused, by })))
    await write(before, options, { paused, by });
  return { before, changed: true, unaware: paused ? await awaitKnown(options) : [] };
}

/** Nodes are told by a watch of the directory, and look a moment later; resolves with those that lag. */
async function awaitKnown(options: ClientOptions): Promise<readonly string[]> {
  const deadline = new Deadline(KNOWN_LIMIT_MS);
  for (;;) {
    const unaware = livingNodes(await lookAtGroup(options))
      .filter(({ status }) => status?.paused !== true && status?.role !== 'stopped')
      .map(({ record }) => record.node)
      .sort();
    if (unaware.length === 0 || deadline.hasPassed) return unaware;
    await wait(LOOK_INTERVAL_MS, undefined, endedBy(options.signal));
  }
}

async function askNodes(
  before: GroupSnapshot,
  { signal }: ClientOptions,
  { paused, by }: { readonly paused: boolean; readonly by: string },
): Promise<boolean> {
  const primary = primaryOf(before);
  const answering = livingNodes(before).filter(({ presence }) => presence === 'answers');
  answering.sort((a, b) => Number(b === primary) - Number(a === primary));
  for (const { record } of answering.slice(0, 2)) {
    try {
      const method = paused ? 'instance.pause' : 'instance.resume';
      await ask(record, {
        group: before.group,
        method,
        params: { by },
        timeoutMs: ANSWER_LIMIT_MS,
        ...endedBy(signal),
      });
      return true;
    } catch (error) {
      // Another node does it as well, and so does this process.
      if (!(error instanceof FailoverError)) throw error;
      signal?.throwIfAborted();
    }
  }
  return false;
}

/** A mark in files says nothing to nodes whose lease is on a server. */
async function write(
  before: GroupSnapshot,
  options: ClientOptions,
  { paused, by }: { readonly paused: boolean; readonly by: string },
): Promise<void> {
  const store = await openStore(options);
  if (store === null) {
    writeMark(before, paused, by);
    return;
  }
  try {
    await store.setPaused(paused, by);
  } finally {
    await store.close();
  }
}

function writeMark(before: GroupSnapshot, paused: boolean, by: string): void {
  const { stateDir, group } = before;
  writePaused(before.paths ?? openStateDirectory({ stateDir, group }), paused, by);
}

/** A uid without an entry in the user database has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${String(process.getuid?.())}`;
  }
}
