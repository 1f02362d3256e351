// What one term holds, and whether the paths still name it.
import { futimesSync } from 'node:fs';
import type { NodeRecord, VerifyOutcome } from '../lease-store.ts';
import { identityOfDescriptor } from './file-identity.ts';
import type { FileSight } from './file-sight.ts';
import type { GroupPaths } from './group-paths.ts';
import type { HighestEpoch } from './highest-epoch.ts';
import type { KernelLockDescription } from './kernel-lock.ts';
import { readLockNote, writeLockNote } from './lock-note.ts';
import type { LookingParts } from './looking-parts.ts';
import { errnoOf } from './storage-error.ts';

export class HeldLease {
  readonly lock: KernelLockDescription;
  epoch = 0;
  /** Nothing that an earlier run started is left. */
  isCleared = false;
  /**
   * Whether others have led by other lock files since this one was last held: it was put back, and what is
   * noted in it, or recorded beside it, tells nothing of what they have started.
   */
  readonly isOutdated: boolean;
  /** Set when another took the lockfile away. */
  compromised: string | null = null;
  readonly #paths: GroupPaths;
  readonly #sight: FileSight;
  readonly #highestEpoch: HighestEpoch;
  readonly #primaryLock: string;
  readonly #directory: string | null;
  readonly #workloadLock: string | null;
  readonly #epochs: string | null;
  readonly #formerStarter: string | null;

  /** `highest`: of all epochs that this node knows of. */
  constructor(
    { paths, sight, highestEpoch }: LookingParts,
    lock: KernelLockDescription,
    highest: number,
  ) {
    this.lock = lock;
    const { epoch, starter } = readLockNote(lock.fd);
    this.isOutdated = epoch < highest;
    this.#formerStarter = this.isOutdated ? null : starter;
    this.#paths = paths;
    this.#sight = sight;
    this.#highestEpoch = highestEpoch;
    this.#primaryLock = identityOfDescriptor(lock.fd);
    this.#directory = sight.identityOf(paths.directory);
    this.#workloadLock = sight.identityOf(paths.workloadLock);
    this.#epochs = sight.identityOf(paths.epochs);
  }

  /** Whether the record of what may still be active is not among these: processes have to be asked then. */
  missesRecordIn(nodes: readonly NodeRecord[]): boolean {
    const starter = this.#formerStarter;
    if (this.isCleared || starter === '') return false;
    return starter === null || !nodes.some(({ run }) => run === starter);
  }

  /** What this run starts from now on is in its record. */
  noteStarter(starter: string): void {
    this.isCleared = true;
    if (readLockNote(this.lock.fd).starter !== starter) writeLockNote(this.lock.fd, { starter });
  }

  /**
   * Only by the run that is noted: what one of before left was not emptied otherwise. Without it the next
   * holder looks for what is not there; the lock goes back all the same.
   */
  noteLeft({ run, sessions }: Pick<NodeRecord, 'run' | 'sessions'>): void {
    if (sessions.length > 0) return;
    try {
      if (readLockNote(this.lock.fd).starter === run) writeLockNote(this.lock.fd, { starter: '' });
    } catch (error) {
      if (errnoOf(error) === null) throw error;
    }
  }

  verify(): VerifyOutcome {
    const cause = this.#causeOfLoss();
    return cause === null ? this.touch() : { type: 'lost', cause };
  }

  /** Whether its lock still has its place. */
  get hasLock(): boolean {
    return this.#sight.identityOf(this.#paths.primaryLock) === this.#primaryLock;
  }

  /** Touches `primary.lock` through its descriptor, so that secondaries see a sign of life. */
  touch(): VerifyOutcome {
    try {
      const seconds = Date.now() / 1000;
      futimesSync(this.lock.fd, seconds, seconds);
    } catch (error) {
      return { type: 'lost', cause: `primary.lock cannot be touched: ${errnoOf(error) ?? ''}` };
    }
    return { type: 'held' };
  }

  #causeOfLoss(): string | null {
    const { directory, workloadLock, epochs } = this.#paths;
    const directoryNow = this.#sight.identityOf(directory);
    if (directoryNow === null) return `${directory} was removed`;
    if (directoryNow !== this.#directory) return `${directory} was replaced by another directory`;
    if (!this.hasLock) return 'primary.lock was removed or replaced';
    if (this.#sight.identityOf(workloadLock) !== this.#workloadLock) {
      return 'workload.lock was removed or replaced';
    }
    // Whoever looks next may not see that this epoch was ever claimed.
    if (this.#sight.identityOf(epochs) !== this.#epochs) return `${epochs} was removed or replaced`;
    return this.#passedBy() ?? this.compromised;
  }

  /**
   * An epoch above ours: a node that knew of it put it into a directory that was made anew, just after
   * our claim. All who have read it take us for one of before.
   */
  #passedBy(): string | null {
    try {
      const recorded = this.#highestEpoch.onRecord;
      if (recorded <= this.epoch) return null;
      return `epoch ${String(recorded)} was recorded while this node held ${String(this.epoch)}`;
    } catch {
      // What can't be listed says nothing.
      return null;
    }
  }
}
