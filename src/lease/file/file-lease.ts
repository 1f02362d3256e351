// The default lease: kernel locks, epochs and records in one directory of a local file system.
import { setTimeout as wait } from 'node:timers/promises';
import type { Endpoints, LeaseObservation } from '../../core/state.ts';
import type { DenialCause } from '../../core/event.ts';
import { FailoverError } from '../../errors.ts';
import type {
  AcquireOutcome,
  LeaseStore,
  NodeRecord,
  SessionLedger,
  SessionRecord,
  VerifyOutcome,
} from '../lease-store.ts';
import { findDeletedLockHolders, findDisplacedNodes } from './deleted-holders.ts';
import { claimEpoch, highestEpoch, pruneEpochs, recordEpoch, settleClaim } from './epoch.ts';
import type { ReadFileSystemType } from './file-system-kind.ts';
import type { GroupPaths } from './group-paths.ts';
import { identityOfPath } from './file-identity.ts';
import { GroupView } from './group-view.ts';
import { GroupWatch } from './group-watch.ts';
import { HeldLease } from './held-lease.ts';
import { KernelLock } from './kernel-lock.ts';
import type { KernelLockDescription } from './kernel-lock.ts';
import { LockSight } from './lock-sight.ts';
import { Lockfile } from './lockfile.ts';
import { isCompletedSince, writeCompleted, writePaused } from './markers.ts';
import { Membership } from './membership.ts';
import { collectGarbage, listNodes } from './node-registry.ts';
import type { RegisteredNode } from './node-registry.ts';
import { hasFoundation, hasLockFiles, hasLostEpochs, makeFoundation } from './state-directory.ts';

export interface FileLeaseOptions {
  readonly stateDir: string;
  /** What this node says of itself; `group` names the directory, `run` the files. */
  readonly record: Omit<NodeRecord, 'v' | 'sessions'>;
  readonly environment?: Partial<FileLeaseEnvironment>;
}

/** What the lease asks of the machine; replaced by tests. */
export interface FileLeaseEnvironment {
  /** Monotonic, ms, the clock of `startedAtMonotonicMs`. */
  readonly now: () => number;
  readonly findDeletedHolders: (directory: string) => readonly { readonly pid: number }[];
  readonly findDisplacedNodes: (directory: string) => readonly { readonly pid: number }[];
  readonly readFileSystemType: ReadFileSystemType | undefined;
}

/** A node's view of its group's directory. Changes of the lease are made one after the other. */
export class FileLease implements LeaseStore, SessionLedger {
  readonly kind = 'file';
  readonly paths: GroupPaths;
  readonly workloadLock: KernelLock;
  readonly #environment: FileLeaseEnvironment;
  readonly #membership: Membership;
  readonly #primaryLock: KernelLock;
  readonly #view: GroupView;
  readonly #lockfile: Lockfile;
  readonly #watches: GroupWatch[] = [];
  #held: HeldLease | null = null;
  #lastTurn: Promise<unknown> = Promise.resolve();
  #turns = 0;
  #highestSeen = 0;
  #displacedSince: number | null = null;

  /**
   * Makes or finds the directory and registers the node.
   *
   * @throws FAILOVER_NODE_TAKEN, FAILOVER_OTHER_BOOT and all that `openStateDirectory` throws.
   */
  static open(options: FileLeaseOptions): FileLease {
    return new FileLease(options);
  }

  private constructor({ stateDir, record, environment }: FileLeaseOptions) {
    this.#environment = {
      now: environment?.now ?? monotonicMs,
      findDeletedHolders: environment?.findDeletedHolders ?? findDeletedLockHolders,
      findDisplacedNodes: environment?.findDisplacedNodes ?? findDisplacedNodes,
      readFileSystemType: environment?.readFileSystemType,
    };
    this.#membership = new Membership({
      stateDir,
      record: { v: 1, ...record, sessions: [] },
      readFileSystemType: this.#environment.readFileSystemType,
      now: this.#environment.now,
      onRemade: () => {
        this.#leaveEpoch(Math.max(this.#highestSeen, this.#held?.epoch ?? 0));
      },
    });
    this.paths = this.#membership.paths;
    this.#primaryLock = new KernelLock(this.paths.primaryLock);
    this.workloadLock = new KernelLock(this.paths.workloadLock);
    const sight = new LockSight(this.paths.primaryLock, () => this.#primaryLock.isFree());
    this.#view = new GroupView(this.paths, (recorded) =>
      this.#held === null ? sight.isHeld(recorded) : true,
    );
    this.#lockfile = new Lockfile({
      path: this.paths.lockfile,
      now: this.#environment.now,
      onCompromised: (cause) => {
        if (this.#held !== null) this.#held.compromised = cause;
      },
    });
    try {
      collectGarbage(this.paths);
      this.#prepareFoundation(0);
    } catch (error) {
      this.#membership.close();
      throw error;
    }
  }

  get guards(): readonly string[] {
    // On a full disk the lockfile can't be made, and the other two guard alone.
    const missing = this.#held !== null && !this.#lockfile.isHeld;
    return missing ? ['kernel', 'epoch'] : ['kernel', 'lockfile', 'epoch'];
  }

  /** When the directory, or its epochs, were found removed or replaced, on the monotonic clock; null: never. */
  get directoryRemadeAtMs(): number | null {
    return this.#membership.remadeAtMs;
  }

  /**
   * Processes that may still run on lock files that were deleted with an earlier directory. Until they
   * have ended no lock file is made, so that files that exist prove that somebody looked.
   */
  deletedHolders(): readonly { readonly pid: number }[] {
    if (hasLockFiles(this.paths)) return [];
    return this.#environment.findDeletedHolders(this.paths.directory);
  }

  acquire(floor: number): Promise<AcquireOutcome> {
    return this.#inTurn(async () => {
      if (this.#held !== null) throw new Error('acquire: the lease is held already');
      const outcome = await this.#acquire(floor);
      if (typeof outcome !== 'string') return outcome;
      return { type: 'denied', cause: outcome, observation: this.observe() };
    });
  }

  advanceEpoch(floor: number): Promise<number> {
    return this.#inTurn(async () => {
      const verified = this.verify();
      if (verified.type === 'lost' || this.#held === null) {
        throw this.#lost(verified.type === 'lost' ? verified.cause : 'it is not held');
      }
      const claim = this.#claim(Math.max(floor, this.#held.epoch));
      if (claim.type === 'lost-race') throw this.#lost('another claimed an epoch under our lock');
      this.#held.epoch = claim.epoch;
      await settleClaim(this.paths.epochs);
      return claim.epoch;
    });
  }

  verify(): VerifyOutcome {
    if (this.#held === null) return { type: 'lost', cause: 'the lease is not held' };
    this.#membership.touch();
    const outcome = this.#held.verify();
    if (outcome.type === 'lost') this.#leaveEpoch(this.#held.epoch);
    return outcome;
  }

  release(): Promise<void> {
    return this.#inTurn(async () => {
      const held = this.#held;
      if (held === null) return;
      this.#held = null;
      this.#guardSoon();
      // Whoever waits for our lock reads it next, and may never have heard of this epoch.
      this.#leaveEpoch(held.epoch);
      await this.#giveBack(held.lock);
      await this.#proveFree(held.epoch);
    });
  }

  observe(): LeaseObservation {
    this.#membership.touch();
    for (const watch of this.#watches) watch.check();
    const observation = this.#view.observe();
    if (observation.epoch < this.#highestSeen) this.#leaveEpoch(this.#highestSeen);
    this.#highestSeen = Math.max(this.#highestSeen, observation.epoch);
    this.#remake();
    return observation;
  }

  watch(onChange: () => void): void {
    this.#watches.push(new GroupWatch(this.paths, onChange));
  }

  markCompleted(epoch: number): Promise<void> {
    return this.#inTurn(() => {
      this.#membership.ensure();
      const { bootId } = this.#membership.record.supervisor;
      writeCompleted(this.paths, { epoch, atMs: this.#environment.now(), bootId });
      return Promise.resolve();
    });
  }

  setPaused(paused: boolean, by: string): Promise<void> {
    return this.#inTurn(() => {
      this.#membership.ensure();
      writePaused(this.paths, paused, by);
      return Promise.resolve();
    });
  }

  setSessions(sessions: readonly SessionRecord[]): void {
    this.#membership.rewrite({ ...this.#membership.record, sessions });
  }

  /** For a node that had to bind its sockets anew. */
  updateEndpoints(endpoints: Endpoints): void {
    this.#membership.rewrite({ ...this.#membership.record, endpoints });
    this.#membership.rewriteClaim();
  }

  listNodes(): RegisteredNode[] {
    return listNodes(this.paths);
  }

  /** Removes the records of nodes that ended and left nothing; returns how many. */
  collectGarbage(): number {
    return collectGarbage(this.paths);
  }

  /** Also releases what is held. A record with sessions that still run stays, for those who empty them. */
  async close(): Promise<void> {
    for (const watch of this.#watches.splice(0)) watch.close();
    await this.release();
    await this.#inTurn(() => {
      this.#membership.close();
      return Promise.resolve();
    });
  }

  /** One attempt; a cause when it was denied, and then nothing is held. */
  async #acquire(floor: number): Promise<AcquireOutcome | DenialCause> {
    this.#membership.ensure();
    if (!this.#prepareFoundation(floor)) return 'held';
    const lock = this.#takeKernelLock();
    if (lock === null) return 'held';
    let granted = false;
    try {
      if (isCompletedSince(this.paths, this.#membership.record)) return 'completed';
      const held = new HeldLease(this.paths, lock);
      this.#held = held;
      // Asked first, so that no epoch is spent on it.
      if (this.#lockfile.isForeign(lock.fd)) return 'foreign-lockfile';
      const claim = this.#claim(floor);
      if (claim.type === 'lost-race') return 'lost-race';
      held.epoch = claim.epoch;
      const settled = settleClaim(this.paths.epochs);
      // Its failure is thrown below, when the lockfile is taken: nothing is left half taken then.
      settled.catch(() => undefined);
      if ((await this.#lockfile.take(lock.fd)) === 'foreign') return 'foreign-lockfile';
      await settled;
      // The directory may have been replaced under the claim.
      if (held.verify().type === 'lost') return 'lost-race';
      granted = true;
      this.#guardSoon();
      const previous = claim.previous === 0 ? null : this.#view.claimOf(claim.previous);
      return { type: 'granted', epoch: claim.epoch, previous: previous?.node ?? null };
    } finally {
      if (!granted) {
        this.#held = null;
        await this.#giveBack(lock);
      }
    }
  }

  /** After what waits for the grant. */
  #guardSoon(): void {
    setImmediate(() => {
      for (const watch of this.#watches) watch.guard(this.#held !== null);
    });
  }

  /** On the file that the path names: one that was replaced between the two steps is tried again. */
  #takeKernelLock(): KernelLockDescription | null {
    for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt += 1) {
      const lock = this.#primaryLock.openIfThere();
      if (lock === null) return null;
      let taken = false;
      try {
        taken = lock.tryLock();
        if (taken) return lock;
        if (lock.isNamed()) return null;
      } finally {
        if (!taken) lock.close();
      }
    }
    return null;
  }

  #claim(floor: number): ReturnType<typeof claimEpoch> {
    const { epochs } = this.paths;
    const makeRoom = (): boolean => this.#membership.giveSpareName() || pruneEpochs(epochs, 1) > 0;
    const claim = claimEpoch({ epochs, record: this.#membership.claimPath, floor, makeRoom });
    if (claim.type === 'claimed') {
      this.#highestSeen = claim.epoch;
      // Later: a takeover waits for this claim, and does not need it.
      setTimeout(() => {
        pruneEpochs(epochs);
        this.#membership.keepSpareName();
      }, TIDY_DELAY_MS).unref();
    }
    return claim;
  }

  /**
   * In a directory that was made anew the numbers would begin again: puts the highest that is known here
   * into it. Only then; and where it can't be done, this node's own floor is what is left.
   */
  #leaveEpoch(epoch: number): void {
    if (this.#membership.isClosed) return;
    try {
      if (highestEpoch(this.paths.epochs) >= epoch) return;
      this.#membership.ensure();
      recordEpoch(this.paths.epochs, { epoch, record: this.#membership.claimPath });
    } catch {
      // Nobody is worse off than without it.
    }
  }

  /** In the reverse order of taking. Closing, not unlocking: a copy somewhere keeps the lock. */
  async #giveBack(lock: KernelLockDescription): Promise<void> {
    try {
      await this.#lockfile.release(lock.fd);
    } finally {
      lock.close();
    }
  }

  /**
   * Resolves once the lock could be taken again, or another has it already. A child that was forked and
   * has not yet called exec shares our description for an instant: hence the bounded retries. What still
   * has it after them is no copy of ours: all descriptors here are closed at exec.
   */
  async #proveFree(epoch: number): Promise<void> {
    for (let attempt = 0; attempt < PROOF_ATTEMPTS; attempt += 1) {
      try {
        if (this.#primaryLock.isFree() || highestEpoch(this.paths.epochs) > epoch) return;
      } catch {
        // What can't be looked at can't be proved; the descriptor is closed all the same.
        return;
      }
      await wait(PROOF_INTERVAL_MS);
    }
  }

  /**
   * After a removal. A claim would do it too, but a node whose standby can not be kept claims nothing, and
   * a standby has a lock file open. What is in the way here is said by a claim.
   */
  #remake(): void {
    if (this.#held !== null || this.#membership.isClosed) return;
    if (hasFoundation(this.paths) && identityOfPath(this.paths.marks) !== null) return;
    try {
      this.#membership.ensure();
      this.#prepareFoundation(0);
    } catch {
      // Tried again at the next look.
    }
  }

  /** False while a process may still be active on deleted ones, or knows of epochs that this node does not. */
  #prepareFoundation(floor: number): boolean {
    if (!hasFoundation(this.paths)) {
      if (this.deletedHolders().length > 0) return false;
      const known = Math.max(floor, this.#highestSeen);
      if (known === 0 && this.#awaitsDisplacedNodes()) return false;
      this.#leaveEpoch(known);
      makeFoundation(this.paths);
    }
    this.#displacedSince = null;
    return true;
  }

  /**
   * Whether nodes that stood by when the directory, or its epochs alone, were removed have not made them
   * anew yet: they do at their next look, and put the highest epoch into it. One that is stopped is not
   * waited for any longer.
   */
  #awaitsDisplacedNodes(): boolean {
    const { directory } = this.paths;
    const isAwaited =
      this.#environment.findDisplacedNodes(directory).length > 0 ||
      (hasLostEpochs(this.paths) && this.#hasLivingNeighbours());
    if (!isAwaited) return false;
    const now = this.#environment.now();
    this.#displacedSince ??= now;
    return now - this.#displacedSince < DISPLACED_LIMIT_MS;
  }

  #hasLivingNeighbours(): boolean {
    const { run } = this.#membership.record;
    return this.listNodes().some((node) => node.alive && node.run !== run);
  }

  #lost(cause: string): FailoverError {
    const { group, node } = this.#membership.record;
    return new FailoverError(
      'FAILOVER_LEASE_LOST',
      `Cannot advance the epoch of ${node} in group ${group}: ${cause}.`,
      { details: { group } },
    );
  }

  /** One after the other; begun at once when nothing is under way: a takeover waits for each turn. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const begin = async (): Promise<T> => work();
    const turn = this.#turns === 0 ? begin() : this.#lastTurn.then(begin);
    this.#turns += 1;
    const done = (): void => {
      this.#turns -= 1;
    };
    this.#lastTurn = turn.then(done, done);
    return turn;
  }
}

const LOCK_ATTEMPTS = 5;

/** Four beats at the defaults. */
const DISPLACED_LIMIT_MS = 2_000;

/** Longer than a takeover takes. */
const TIDY_DELAY_MS = 200;

const PROOF_ATTEMPTS = 500;
const PROOF_INTERVAL_MS = 1;

function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
