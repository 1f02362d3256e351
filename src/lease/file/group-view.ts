// One look at a group's directory: takes nothing, makes nothing, and fails on nothing that is missing.
import { join } from 'node:path';
import type { LeaseHolder, LeaseObservation } from '../../core/state.ts';
import type { ProcessIdentity } from '../lease-store.ts';
import { readBounded } from './durable-file.ts';
import { highestEpoch } from './epoch.ts';
import { identityOf, statOrNull } from './file-identity.ts';
import type { GroupPaths } from './group-paths.ts';
import { isPaused } from './markers.ts';
import { parseClaim, RECORD_LIMIT_BYTES } from './node-record.ts';
import { readNode } from './node-registry.ts';

/** Whether the kernel shows `primary.lock` as locked; told who should have it by the newest claim. */
export type IsHeld = (recorded: ProcessIdentity | null) => boolean;

/** Looks at one group again and again; remembers claims, whose files never change. */
export class GroupView {
  readonly #paths: GroupPaths;
  readonly #isHeld: IsHeld;
  #claim: { readonly identity: string; readonly holder: LeaseHolder | null } | null = null;

  constructor(paths: GroupPaths, isHeld: IsHeld) {
    this.#paths = paths;
    this.#isHeld = isHeld;
  }

  observe(): LeaseObservation {
    const epoch = highestEpochOrNone(this.#paths.epochs);
    const claim = epoch === 0 ? null : this.claimOf(epoch);
    const node = claim === null ? null : readNode(this.#paths, claim.run);
    return {
      epoch,
      held: this.#isHeld(node?.supervisor ?? null),
      // A node that had to bind anew says so in its own record; the claim keeps the old addresses.
      holder: claim === null || node === null ? claim : { ...claim, endpoints: node.endpoints },
      recordUnreadable: epoch > 0 && claim === null,
      touch: statOrNull(this.#paths.primaryLock)?.mtimeNs.toString() ?? null,
      paused: isPaused(this.#paths),
    };
  }

  /** Who claimed an epoch; null: it can't be read. */
  claimOf(epoch: number): LeaseHolder | null {
    const path = join(this.#paths.epochs, String(epoch));
    const stats = statOrNull(path);
    if (stats === null) return null;
    // Written before it got its name and replaced, never changed, after: one reading is enough, unless
    // someone else's hand changes it.
    const identity = `${identityOf(stats)}:${String(stats.mtimeNs)}`;
    if (this.#claim?.identity !== identity) {
      const holder = parseClaim(readBounded(path, RECORD_LIMIT_BYTES) ?? '');
      this.#claim = { identity, holder };
    }
    return this.#claim.holder;
  }
}

/** A directory that may not be listed is looked at as an empty one: looking never fails. */
function highestEpochOrNone(epochs: string): number {
  try {
    return highestEpoch(epochs);
  } catch {
    return 0;
  }
}
