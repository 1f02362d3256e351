// What is to be said and proved once a workload was stopped: who outlived it, and that its lock is free.
import { performance } from 'node:perf_hooks';
import { FailoverError } from '../errors.ts';
import { isOutOfResources } from '../out-of-resources.ts';
import type { WorkloadLock } from '../runtime/ports.ts';
import { isProvedFree } from './workload-lock.ts';

/**
 * Returns the pids that are still there. `lockFiles`: the identities of the files that its runs had open; `ofHooks`: only
 * what hooks have started.
 */
export type EndHelpers = (
  graceMs: number,
  lockFiles: ReadonlySet<string>,
  ofHooks?: boolean,
) => Promise<readonly number[]>;

export interface StoppedWorkload {
  readonly lock: WorkloadLock;
  /** Whether another node may have started by now: the workload lock may be its, and tells nothing. */
  readonly mayBeTaken?: () => boolean;
  /** Ends what left its session and still holds the workload lock; null: nobody here can. */
  readonly endHolders?: ((graceMs: number) => Promise<unknown>) | null;
  /** Ends what a workload that stood by started and what left its session; null: nobody here can. */
  readonly endHelpers?: EndHelpers | null;
  readonly warn: (message: string) => void;
}

/** How long an ended run's lock may take to become free before somebody is looked for who has it, ms. */
const SHORT_WAIT_MS = 50;

/** How long what left the session may take to end; a stop that comes later with less time counts at once. */
export class OutsideGrace {
  #graceMs: number;
  #killAtMs = Infinity;
  #order: ((graceMs: number) => void) | null = null;

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  shorten(graceMs: number): void {
    if (this.#order === null) this.#graceMs = Math.min(this.#graceMs, graceMs);
    else if (performance.now() + graceMs < this.#killAtMs) this.#order(graceMs);
  }

  /** Orders it, and again whenever the grace gets shorter; the answer to the last order counts. */
  spend<T>(end: (graceMs: number) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let newest = 0;
      this.#order = (graceMs) => {
        newest += 1;
        const number = newest;
        this.#killAtMs = performance.now() + graceMs;
        end(graceMs).then(
          (answer) => {
            if (number === newest) resolve(answer);
          },
          (error: unknown) => {
            if (number === newest)
              reject(error instanceof Error ? error : new Error(String(error)));
          },
        );
      };
      this.#order(this.#graceMs);
    });
  }
}

/**
 * Resolves when the lock is free, or it was said that it is not.
 *
 * @param isPatient whether somebody tries again who can't look at the lock
 * @throws FAILOVER_PROMOTION_FAILED, or what kept it from looking, where nobody else would wait for who holds it (the
 *   lease is on a server, and still this node's) or there may be something to look with soon
 */
export async function proveFree(
  stopped: StoppedWorkload,
  grace: OutsideGrace,
  {
    lockFiles,
    isPatient,
  }: { readonly lockFiles: ReadonlySet<string>; readonly isPatient: boolean },
): Promise<void> {
  const { lock, mayBeTaken, endHolders, warn } = stopped;
  // Here whoever starts next waits for the lock; on another machine nobody knows of it.
  const mustBeFree = (): boolean => mayBeTaken?.() === false;
  let isHeld = false;
  let left: unknown = null;
  try {
    if (await isProvedFree(lock, SHORT_WAIT_MS)) return;
    isHeld = true;
    if (mayBeTaken?.() === true) {
      // Of all that may hold the lock, what this node has started ends.
      await endStandbyHelpers(stopped, grace, lockFiles);
      return;
    }
    if (endHolders) left = await grace.spend(endHolders);
    if (await isProvedFree(lock)) return;
  } catch (error) {
    if (mustBeFree() && (isHeld || isPatient)) throw error;
    // There may be something to look with a moment later.
    if (isPatient && isOutOfResources(error)) throw error;
    warn(`The workload lock could not be inspected: ${String(error)}.`);
    return;
  }
  if (mustBeFree()) throw stillHeld(left);
  warn(
    "The workload's session is empty, but another process still holds the workload lock: " +
      'no command can start until it exits.',
  );
}

/** With who it is, where the end of the holders tells. */
function stillHeld(left: unknown): FailoverError {
  const isNamed = typeof left === 'object' && left !== null && 'detail' in left;
  const who = isNamed ? `: ${String(left.detail)}` : '';
  const fact = 'its session is empty, but another process still holds the workload lock';
  return new FailoverError('FAILOVER_PROMOTION_FAILED', `Cannot stop the workload: ${fact}${who}`);
}

/** Ends what this node has started and what left its session, where no lock tells of it. Never rejects. */
export async function endStandbyHelpers(
  { endHelpers, warn }: StoppedWorkload,
  grace: OutsideGrace,
  lockFiles: ReadonlySet<string>,
): Promise<void> {
  try {
    const left = endHelpers
      ? await grace.spend(async (graceMs) => endHelpers(graceMs, lockFiles))
      : [];
    if (left.length > 0)
      warn(`${describePids(left)} that left the workload's session did not exit.`);
  } catch (error) {
    warn(`Processes that left the workload's session could not be searched for: ${String(error)}.`);
  }
}

/** `process 12` or `processes 12, 13 and 7 more`. */
export function describePids(pids: readonly number[]): string {
  const shown = pids.slice(0, 5).join(', ');
  const more = pids.length > 5 ? ` and ${String(pids.length - 5)} more` : '';
  return `${pids.length === 1 ? 'process' : 'processes'} ${shown}${more}`;
}
