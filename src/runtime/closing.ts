// How a node leaves: nothing is decided any more, what it holds is given back, and its sockets are closed last.
import { setTimeout as wait } from 'node:timers/promises';
import { formatDuration } from '../core/duration-text.ts';
import { ORDER_RETRY_MS } from '../core/settings.ts';
import type { StopOrder } from '../core/state.ts';
import { messageOf } from '../error-message.ts';
import type { NodeJournal } from '../journal/node-journal.ts';
import type { LeaseStore } from '../lease/lease-store.ts';
import type { NodeLoop } from './node.ts';
import type { Bus, HealthChecks, NodeWorkload } from './ports.ts';
import type { Tidying } from './tidying.ts';
import type { Upkeep } from './upkeep.ts';

/** How long the last messages have to leave before the sockets are closed, ms. */
export const LINGER_MS = 50;

/** What of a node is open. */
export interface OpenParts {
  readonly loop: Pick<NodeLoop, 'end'>;
  readonly upkeep: Pick<Upkeep, 'stop'>;
  readonly tidying: Pick<Tidying, 'close' | 'hurry' | 'endOrphans'>;
  readonly health: Pick<HealthChecks, 'close'>;
  readonly lease: Pick<LeaseStore, 'close'>;
  readonly journal: Pick<NodeJournal, 'close'>;
  readonly bus: Pick<Bus, 'close'>;
  readonly warn: (message: string) => void;
}

/**
 * Ends what runs at once. What does not end keeps a lease on a server from being given back for as long as no other
 * can have it: on another machine nobody would wait. It is not renewed meanwhile, so this lasts one time to live at most.
 */
export async function endCommand({
  workload,
  mayBeTaken,
  warn,
}: {
  readonly workload: Pick<NodeWorkload, 'stop'>;
  readonly mayBeTaken: () => boolean;
  readonly warn: (message: string) => void;
}): Promise<void> {
  for (let isTold = false; ; isTold = true) {
    try {
      await workload.stop(0);
      return;
    } catch (failure) {
      if (!isTold) warn(`could not stop the command: ${messageOf(failure)}`);
      if (mayBeTaken()) return;
    }
    await wait(ORDER_RETRY_MS);
  }
}

/** Closes a node that has taken part. */
export async function closeInOrder(open: OpenParts, { immediate }: StopOrder): Promise<void> {
  const { loop, upkeep, tidying, health, lease, journal, bus, warn } = open;
  upkeep.stop();
  tidying.close();
  loop.end();
  if (immediate) tidying.hurry();
  try {
    await Promise.all([tidying.endOrphans(), health.close()]);
  } catch (error) {
    // Whoever comes next waits for what is left, and can't as long as the lease is held by nobody who leads.
    warn(`not all processes it started could be stopped: ${messageOf(error)}`);
  }
  const limit = new AbortController();
  const { signal } = limit;
  try {
    const closed = lease.close().then(() => true);
    const isClosed = await Promise.race([closed, wait(CLOSE_LIMIT_MS, false, { signal })]);
    if (!isClosed) warn(`the state directory could not be cleaned up: ${NO_ANSWER}`);
  } catch (error) {
    warn(`the state directory could not be cleaned up: ${messageOf(error)}`);
  } finally {
    limit.abort();
  }
  await Promise.all([wait(LINGER_MS), journal.close()]);
  await bus.close();
}

/** Closes a node that has not begun: it has nobody to tell, and what ended it is what counts. */
export async function closeUnbegun({
  loop,
  upkeep,
  lease,
  journal,
  bus,
}: OpenParts): Promise<void> {
  upkeep.stop();
  loop.end();
  await Promise.allSettled([lease.close(), journal.close(), bus.close()]);
}

/** How long an ending node waits for a state directory that does not answer, ms: what it holds ends with it. */
const CLOSE_LIMIT_MS = 10_000;
const NO_ANSWER = `no answer within ${formatDuration(CLOSE_LIMIT_MS)}`;
