// The two questions to the workload lock that take more than one look.
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { FailoverError } from '../errors.ts';
import type { LockDescription, WorkloadLock } from '../runtime/ports.ts';

/** Like `LockDescription`, of this process or of the one that starts what inherits it. */
export interface StartLock extends Omit<LockDescription, 'tryLock'> {
  tryLock(): boolean | Promise<boolean>;
}

/** How long a lock that should be free is tried, ms: somebody may be testing it just now. */
const TAKE_WAIT_MS = 50;

/** How long the lock of an ended run may take to become free, ms. */
const FREE_WAIT_MS = 1000;

/**
 * Takes the lock on a description, with a short bounded retry.
 *
 * @throws FAILOVER_PROMOTION_FAILED when it stays held: something of an earlier run is still there.
 */
export async function takeWorkloadLock(description: StartLock): Promise<void> {
  if (await description.tryLock()) return;
  if (await poll(TAKE_WAIT_MS, () => description.tryLock())) return;
  throw new FailoverError(
    'FAILOVER_PROMOTION_FAILED',
    `Cannot start the workload: its lock is still held by another process after ${TAKE_WAIT_MS} ms`,
    { hint: 'Run `failover status` to see which process holds it.' },
  );
}

/** Whether the lock is free within a second, or within `limitMs`. */
export async function isProvedFree(
  lock: WorkloadLock,
  limitMs: number = FREE_WAIT_MS,
): Promise<boolean> {
  return couldBeTaken(lock) || (await poll(limitMs, () => lock.isFree()));
}

/**
 * Asked by taking it: the kernel's table of locks, which an implementation may look at, costs a grace
 * period of the kernel (5 to 15 ms), and a switchover waits for this answer.
 */
function couldBeTaken(lock: WorkloadLock): boolean {
  if (lock.hasDisplaced()) return false;
  let description: LockDescription;
  try {
    description = lock.open();
  } catch {
    // The file was removed: the implementation knows what that means.
    return lock.isFree();
  }
  try {
    return description.tryLock();
  } finally {
    description.close();
  }
}

async function poll(limitMs: number, holds: () => boolean | Promise<boolean>): Promise<boolean> {
  const untilMs = performance.now() + limitMs;
  for (let pauseMs = 1; performance.now() < untilMs; pauseMs = Math.min(pauseMs * 2, 25)) {
    await delay(pauseMs);
    if (await holds()) return true;
  }
  return false;
}
