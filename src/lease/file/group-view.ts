// One look at a group's directory: takes nothing, makes nothing, and fails on nothing that is missing.
import { join } from 'node:path';
import type { LeaseHolder, LeaseObservation } from '../../core/state.ts';
import type { NodeRecord, ProcessIdentity } from '../lease-store.ts';
import { readBounded } from './durable-file.ts';
import type { FileSight } from './file-sight.ts';
import type { GroupPaths } from './group-paths.ts';
import type { HighestEpoch } from './highest-epoch.ts';
import type { LookingParts } from './looking-parts.ts';
import { parseClaim, RECORD_LIMIT_BYTES } from './node-record.ts';
import { nodePath, readNode } from './node-registry.ts';
import { ReadOnce } from './read-once.ts';

/** Whether the kernel shows `primary.lock` as locked; told who should have it by the newest claim. */
export type IsHeld = (recorded: ProcessIdentity | null) => boolean;

/** Looks at one group again and again; reads what it has read before only where that may have changed. */
export class GroupView {
  readonly #paths: GroupPaths;
  readonly #isHeld: IsHeld;
  readonly #sight: FileSight;
  readonly #highestEpoch: HighestEpoch;
  /** The record of the epoch that was asked for last. */
  readonly #claim: LastFile<number, LeaseHolder | null>;
  /** The record of the run that claimed it. */
  readonly #node: LastFile<string, NodeRecord | null>;

  constructor(parts: LookingParts, isHeld: IsHeld) {
    const { paths } = parts;
    this.#paths = paths;
    this.#isHeld = isHeld;
    this.#sight = parts.sight;
    this.#highestEpoch = parts.highestEpoch;
    this.#claim = new LastFile(parts, {
      pathOf: (epoch) => join(paths.epochs, String(epoch)),
      read: (path) => parseClaim(readBounded(path, RECORD_LIMIT_BYTES) ?? ''),
    });
    this.#node = new LastFile(parts, {
      pathOf: (run) => nodePath(paths, run),
      read: (_path, run) => readNode(paths, run),
    });
  }

  observe(): LeaseObservation {
    const epoch = this.#highestEpochOrNone();
    const claim = epoch === 0 ? null : this.claimOf(epoch);
    const node = claim === null ? null : this.#node.contentOf(claim.run);
    return {
      epoch,
      held: this.#isHeld(node?.supervisor ?? null),
      // A node that had to bind anew says so in its own record; the claim keeps the old addresses.
      holder: claim === null || node === null ? claim : { ...claim, endpoints: node.endpoints },
      recordUnreadable: epoch > 0 && claim === null,
      touch: this.#sight.statsOf(this.#paths.primaryLock)?.mtimeNs.toString() ?? null,
      paused: this.#sight.statsOf(this.#paths.paused) !== null,
    };
  }

  /** The node that claimed an epoch; null: it cannot be read. */
  claimOf(epoch: number): LeaseHolder | null {
    return this.#claim.contentOf(epoch);
  }

  /** A directory that may not be listed is looked at as an empty one: looking never fails. */
  #highestEpochOrNone(): number {
    try {
      return this.#highestEpoch.onRecord;
    } catch {
      return 0;
    }
  }
}

/** How files of one kind are called and understood. */
interface FileKind<Name, T> {
  readonly pathOf: (name: Name) => string;
  readonly read: (path: string, name: Name) => T;
}

/** One of many files, of which only the last that was asked for is asked for again. */
class LastFile<Name, T> {
  readonly #sight: FileSight;
  readonly #kind: FileKind<Name, T>;
  readonly #content: ReadOnce<T>;
  #last: { readonly name: Name; readonly path: string } | null = null;

  constructor({ sight, now }: LookingParts, kind: FileKind<Name, T>) {
    this.#sight = sight;
    this.#kind = kind;
    this.#content = new ReadOnce(now);
  }

  /** The content of the file with a name; null: there is none. */
  contentOf(name: Name): T | null {
    if (this.#last?.name !== name) this.#last = { name, path: this.#kind.pathOf(name) };
    const { path } = this.#last;
    const stats = this.#sight.statsOf(path);
    return stats === null ? null : this.#content.value(stats, () => this.#kind.read(path, name));
  }
}
