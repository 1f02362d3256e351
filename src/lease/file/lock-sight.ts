// Whether somebody holds the lease, asked of the process that is known to: looking disturbs no claimant.
// The kernel's table of all locks would tell too, but each reading of it stops every lock operation of
// the machine for several milliseconds, just when twenty standbys want to know.
import { findLockHolders, isLockHolder } from '../../fence/lock-holders.ts';
import type { LockHolder } from '../../fence/lock-holders.ts';
import type { ProcessIdentity } from '../lease-store.ts';

/** Remembers where the holder was last seen: one descriptor to look at. */
export class LockSight {
  readonly #path: string;
  readonly #couldBeTaken: () => boolean;
  #last: LockHolder | null = null;

  /** `couldBeTaken` is asked only if the known process does not hold it, and may take it for an instant. */
  constructor(path: string, couldBeTaken: () => boolean) {
    this.#path = path;
    this.#couldBeTaken = couldBeTaken;
  }

  /** `recorded`: the supervisor that the newest claim names. */
  isHeld(recorded: ProcessIdentity | null): boolean {
    if (this.#last !== null && isLockHolder(this.#path, this.#last)) return true;
    const pids = recorded === null ? [] : [recorded.pid];
    this.#last = findLockHolders(this.#path, pids)[0] ?? null;
    return this.#last !== null || !this.#couldBeTaken();
  }
}
