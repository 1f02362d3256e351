// What a lease stands on, the lock files and the directory of epochs: made, and made anew after a removal.
import { dirname } from 'node:path';
import { withoutForks } from '../../fence/forks.ts';
import { findDeletedLockHolders } from './deleted-holders.ts';
import { syncDirectory } from './durable-file.ts';
import { highestEpoch, pruneEpochs, recordEpoch, settleClaim } from './epoch.ts';
import { EpochMemory } from './epoch-memory.ts';
import { identityOfPath } from './file-identity.ts';
import type { FileSight } from './file-sight.ts';
import { findFormerNotes } from './former-notes.ts';
import type { FormerNotes } from './former-notes.ts';
import type { GroupPaths } from './group-paths.ts';
import type { Membership } from './membership.ts';
import { LockFiles } from './lock-files.ts';
import { makeEpochDirectory } from './state-directory.ts';
import { withStorageErrors } from './storage-error.ts';
import type { WorkloadLockFile } from './workload-lock-file.ts';

/** The search for removed lock files; replaced by tests, and for a group that no other process has. */
export interface RemovedFilesSearch {
  /** Processes that may be active on lock files of this directory that were removed. */
  readonly findDeletedHolders: (directory: string) => readonly { readonly pid: number }[];
  /** What is noted in such files. */
  readonly findFormerNotes: (directory: string) => FormerNotes;
}

export const WHOLE_MACHINE: RemovedFilesSearch = {
  findDeletedHolders: findDeletedLockHolders,
  findFormerNotes,
};

/** Which lock files, under what, and when they were last seen there. */
interface Looked {
  readonly primaryLock: string | null;
  readonly workloadLock: string | null;
  readonly above: bigint | null;
  seenAtMs: number;
}

/**
 * The rule: an epoch is noted in the file that its holder has locked before anything starts under it, and
 * lock files are made only with the highest epoch that is noted in a removed one. So whoever has the lock
 * reads an epoch above all that were started, however much was removed, as long as one node of before
 * exists.
 */
export class Foundation {
  readonly memory: EpochMemory;
  /** The pids that the last `prepare` or `remake` found on deleted lock files. */
  waitsFor: readonly number[] = [];
  readonly #paths: GroupPaths;
  /** The directory of all groups. */
  readonly #directoryAbove: string;
  readonly #sight: FileSight;
  readonly #lockFiles: LockFiles;
  readonly #workloadLock: WorkloadLockFile;
  readonly #membership: Membership;
  readonly #search: RemovedFilesSearch;
  readonly #notesEpochs: boolean;
  readonly #now: () => number;
  /** The lock files for which this node itself has looked for others, and when it last saw them there. */
  #looked: Looked | null = null;

  constructor({
    paths,
    sight,
    membership,
    search,
    workloadLock,
    notesEpochs,
    now,
  }: {
    readonly paths: GroupPaths;
    readonly sight: FileSight;
    readonly membership: Membership;
    readonly search: RemovedFilesSearch;
    readonly workloadLock: WorkloadLockFile;
    /** Whether each epoch that is claimed is noted in the lock files. */
    readonly notesEpochs: boolean;
    /** Monotonic, ms. */
    readonly now: () => number;
  }) {
    this.#paths = paths;
    this.#directoryAbove = dirname(paths.directory);
    this.#sight = sight;
    this.#lockFiles = new LockFiles(paths, sight);
    this.#workloadLock = workloadLock;
    this.#membership = membership;
    this.#search = search;
    this.#notesEpochs = notesEpochs;
    this.#now = now;
    this.memory = new EpochMemory(paths, sight);
  }

  /**
   * False while a process may still be active on lock files that were deleted with an earlier directory.
   * Until those have ended no lock file is made, so that files that exist prove that somebody looked. But not
   * for what was made since, in a directory that has made way for these again: each node looks once for itself,
   * and once more where a directory was moved, or where it has not seen them for a while, and again
   * where it knows of a higher epoch than is noted in them.
   *
   * @param floor the highest epoch heard of
   */
  prepare(floor: number): boolean {
    return this.#sight.during(() => this.#prepare(floor));
  }

  #prepare(floor: number): boolean {
    this.waitsFor = [];
    const isThere = this.#isThere;
    // Before the look: what moves during it counts as not looked for.
    const above = this.#above;
    // What is noted there can be read as long as this node has it open, whoever is waited for.
    if (isThere) this.#keep();
    const hasLooked = this.#hasLooked && !this.#isPassed(floor);
    if (!isThere || !hasLooked) {
      // The search takes its time, and changes what was seen.
      this.#sight.expire();
      const directory = identityOfPath(this.#paths.directory);
      const isStill = (): boolean => identityOfPath(this.#paths.directory) === directory;
      const noted = this.#search.findFormerNotes(this.#paths.directory);
      // Noted also where this node has to wait: once the holders have ended, nobody may have the file any more.
      this.memory.learn(noted.epoch);
      const isSame = this.#lockFiles.areThere && hasLooked;
      this.waitsFor = isSame ? [] : this.#findHolders(noted);
      if (this.waitsFor.length > 0) return false;
      this.memory.keep();
      const known = Math.max(
        floor,
        noted.epoch,
        this.memory.recall(),
        highestEpoch(this.#paths.epochs),
      );
      this.leaveEpoch(known);
      // The epochs first: where they are missing, lock files do not count.
      makeEpochDirectory(this.#paths);
      // Not where the directory was removed meanwhile: somebody may have led there after this look.
      // The maker of the lockfile had a lock that was removed, and has ended: nobody waits for it above.
      if (!this.#lockFiles.make({ epoch: known, lockfile: noted.lockfile, isStill })) return false;
      this.memory.learn(known);
      const { primaryLock, workloadLock } = this.#lockFilesNow;
      this.#looked = { primaryLock, workloadLock, above, seenAtMs: this.#now() };
    }
    this.#keep();
    this.sawThem();
    return true;
  }

  /** Only for the holder of the lease. Must not throw: nobody waits for it. */
  adopt(): void {
    try {
      this.#lockFiles.adopt();
    } catch {
      // By the next holder.
    }
  }

  /** Whoever may be active, or leads, by lock files that are not those in their place. */
  #findHolders(noted: FormerNotes): readonly number[] {
    const deleted = this.#search.findDeletedHolders(this.#paths.directory);
    return [...new Set(withoutForks([...deleted.map(({ pid }) => pid), ...noted.holders]))];
  }

  get #isThere(): boolean {
    return this.#lockFiles.areThere && this.#sight.statsOf(this.#paths.epochs) !== null;
  }

  get #hasLooked(): boolean {
    const looked = this.#looked;
    if (looked === null || this.#now() - looked.seenAtMs > UNSEEN_MS) return false;
    const { primaryLock, workloadLock } = this.#lockFilesNow;
    if (looked.primaryLock !== primaryLock || looked.workloadLock !== workloadLock) return false;
    return looked.above === this.#above;
  }

  /** The lock files were there just now, as at the last look. */
  sawThem(): void {
    const now = this.#now();
    if (this.#looked === null || now - this.#looked.seenAtMs < SEEN_LATELY_MS) return;
    if (this.#hasLooked) this.#looked.seenAtMs = now;
  }

  /** Whether others have led by other lock files than those that have the names now. */
  #isPassed(floor: number): boolean {
    return this.#notesEpochs && this.memory.noted < Math.max(floor, this.memory.highest);
  }

  /** The identities of those that have the names now. */
  get #lockFilesNow(): Pick<Looked, 'primaryLock' | 'workloadLock'> {
    const { primaryLock, workloadLock } = this.#paths;
    return {
      primaryLock: this.#sight.identityOf(primaryLock),
      workloadLock: this.#sight.identityOf(workloadLock),
    };
  }

  /** Another one once a name in the directory above has come, gone or moved. */
  get #above(): bigint | null {
    return this.#sight.statsOf(this.#directoryAbove)?.ctimeNs ?? null;
  }

  #keep(): void {
    this.memory.keep();
    this.#workloadLock.keep();
  }

  /**
   * After a removal. A claim would do it too, but a node whose standby can not be kept claims nothing, and
   * a standby has a lock file open. What is in the way here is said by a claim.
   */
  remake(): void {
    this.waitsFor = [];
    if (this.#membership.isClosed) return;
    const isWhole = this.#isThere && this.#sight.statsOf(this.#paths.marks) !== null;
    const hasLooked = this.#hasLooked && !this.#isPassed(0);
    if (isWhole && hasLooked && this.#membership.isRegistered) {
      this.#keep();
      this.sawThem();
      return;
    }
    try {
      this.#membership.ensure();
      this.prepare(0);
    } catch {
      // Tried again at the next look.
    }
  }

  /**
   * In a directory of epochs that was made anew, or from which some were removed, puts the highest that is
   * known here on record: for those who read it, while claims also go by what is noted.
   */
  leaveEpoch(epoch: number): void {
    if (this.#membership.isClosed) return;
    this.#sight.expire();
    try {
      if (highestEpoch(this.#paths.epochs) >= epoch) return;
      this.#membership.ensure();
      recordEpoch(this.#paths.epochs, { epoch, record: this.#membership.claimPath });
      syncDirectory(this.#paths.epochs);
    } catch {
      // Nobody is worse off than without it.
    }
  }

  /**
   * The same for an epoch that counts only once it is on record: on the disk when it resolves, which may take its
   * time, and then nothing here waits for it.
   *
   * @throws FAILOVER_STATE_DIR_*, and what keeps this node from registering where the directory was removed
   */
  async keepEpoch(epoch: number): Promise<void> {
    if (this.#membership.isClosed) return;
    this.#sight.expire();
    const { epochs } = this.#paths;
    if (highestEpoch(epochs) < epoch) {
      withStorageErrors(`record epoch ${epoch} in ${epochs}`, () => {
        this.#membership.ensure();
        const record = this.#membership.claimPath;
        recordEpoch(epochs, { epoch, record, makeRoom: () => this.makeRoom() });
      });
    }
    await settleClaim(epochs);
  }

  /** Gives up what can be done without on a full disk. False: there is nothing. */
  makeRoom(): boolean {
    return this.#membership.giveSpareName() || pruneEpochs(this.#paths.epochs, 1) > 0;
  }

  close(): void {
    this.memory.close();
    this.#workloadLock.close();
  }
}

/**
 * Some heartbeats by default, and more than passes between the last look of a standby that hears its primary and the one
 * after that has fallen silent. A mount that came and went leaves no other trace.
 */
const UNSEEN_MS = 4_000;

/** Not at every beat of a fast one: a primary asks for nothing else in the directory above. */
const SEEN_LATELY_MS = 400;
