// Whether somebody holds the lease, asked of the process that is known to: looking disturbs no claimant.
// The kernel's table of all locks would tell too, but each reading of it stops every lock operation of
// the machine for several milliseconds, just when twenty standbys want to know.
import type { BigIntStats } from 'node:fs';
import { findLockHolders, KnownHolder } from '../../fence/lock-holders.ts';
import type { LockHolder, SeenLocks } from '../../fence/lock-holders.ts';
import type { ProcessIdentity } from '../lease-store.ts';
import { statOrNull } from './file-identity.ts';

/** Remembers where the holder was last seen: one descriptor to look at. */
export class LockSight {
  readonly #path: string;
  readonly #couldBeTaken: () => boolean;
  readonly #seen: SeenLocks | null;
  #last: KnownHolder | null = null;

  /**
   * `couldBeTaken` is asked only if the known process does not hold it, and may take it for an instant. `seen`: of who
   * looks at many groups.
   */
  constructor(path: string, couldBeTaken: () => boolean, seen: SeenLocks | null = null) {
    this.#seen = seen;
    this.#path = path;
    this.#couldBeTaken = couldBeTaken;
  }

  /**
   * @param recorded the supervisor that the newest claim names
   * @param named what the path stands for; null: nothing
   */
  isHeld(
    recorded: ProcessIdentity | null,
    named: BigIntStats | null = statOrNull(this.#path),
  ): boolean {
    if (this.#last?.holdsNow(named) === true) return true;
    const found = recorded === null ? null : this.#holderIn(recorded.pid);
    this.#last = found === null ? null : new KnownHolder(this.#path, found);
    return found !== null || !this.#couldBeTaken();
  }

  #holderIn(pid: number): LockHolder | null {
    if (this.#seen !== null) return this.#seen.find(this.#path, pid, this.#couldBeTaken);
    return findLockHolders(this.#path, [pid])[0] ?? null;
  }
}
