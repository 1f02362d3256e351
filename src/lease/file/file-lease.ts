// The default lease: kernel locks, epochs and records in one directory of a local file system.
import type { VerifyScope } from '../../core/effect.ts';
import type { LeaseObservation, Peer } from '../../core/state.ts';
import type { DenialCause } from '../../core/event.ts';
import { FailoverError } from '../../errors.ts';
import type {
  AcquireOutcome,
  LeaseStore,
  NodeRecord,
  ReleaseOutcome,
  RenewOutcome,
  VerifyOutcome,
} from '../lease-store.ts';
import { claimEpoch, highestEpoch, pruneEpochs, settleClaim } from './epoch.ts';
import type { Foundation } from './foundation.ts';
import type { GroupPaths } from './group-paths.ts';
import { GroupView } from './group-view.ts';
import type { IsHeld } from './group-view.ts';
import { GroupWatch } from './group-watch.ts';
import { HeldLease } from './held-lease.ts';
import type { KernelLockDescription } from './kernel-lock.ts';
import { readLockNote, writeLockNote } from './lock-note.ts';
import { LockSight } from './lock-sight.ts';
import { lookingParts } from './looking-parts.ts';
import type { LookingParts } from './looking-parts.ts';
import { LocalGroup } from './local-group.ts';
import type { LocalGroupOptions } from './local-group.ts';
import { Lockfile } from './lockfile.ts';
import { isCompletedSince, writeCompleted, writePaused } from './markers.ts';
import type { Membership } from './membership.ts';
import { PrimaryLock } from './primary-lock.ts';
import { refuseTimedLease } from './state-directory.ts';

/** Resolves when it is a node's turn among those of its process; until then `meanwhile` is called now and then. */
export type LeaseTurn = (meanwhile: () => void) => Promise<void>;

/** A node's view of its group's directory. Changes of the lease are made one after the other. */
export class FileLease implements LeaseStore {
  readonly kind = 'file';
  readonly local: LocalGroup;
  readonly paths: GroupPaths;
  readonly #looking: LookingParts;
  readonly #membership: Membership;
  readonly #foundation: Foundation;
  readonly #primaryLock: PrimaryLock;
  readonly #view: GroupView;
  readonly #lockfile: Lockfile;
  readonly #watches: GroupWatch[] = [];
  readonly #turn: LeaseTurn | null;
  #held: HeldLease | null = null;
  #lastTurn: Promise<unknown> = Promise.resolve();
  #turns = 0;
  /** Ends the wait, for a turn or for the disk, that is under way. */
  #endWait: (() => void) | null = null;

  /**
   * Makes or finds the directory and registers the node.
   *
   * @param turn what an attempt to take the lease waits for; null: for nothing
   * @throws FAILOVER_NODE_TAKEN, FAILOVER_OTHER_BOOT, FAILOVER_OTHER_NAMESPACE and all that
   *   `openStateDirectory` throws.
   */
  static open(options: LocalGroupOptions, turn: LeaseTurn | null = null): FileLease {
    return new FileLease(new LocalGroup(options), turn);
  }

  private constructor(local: LocalGroup, turn: LeaseTurn | null) {
    this.local = local;
    this.#turn = turn;
    this.paths = local.paths;
    const { sight, now } = local;
    this.#looking = lookingParts(this.paths, sight, now);
    this.#membership = local.membership;
    this.#foundation = local.foundation;
    this.#primaryLock = new PrimaryLock(this.paths.primaryLock);
    const { primaryLock } = this.paths;
    const lockSight = new LockSight(primaryLock, () => this.#primaryLock.isFree());
    const isHeld: IsHeld = (recorded) =>
      this.#held !== null || lockSight.isHeld(recorded, sight.statsOf(primaryLock));
    this.#view = new GroupView(this.#looking, isHeld);
    this.#lockfile = new Lockfile({
      path: this.paths.lockfile,
      now,
      onCompromised: (cause) => {
        if (this.#held !== null) this.#held.compromised = cause;
      },
    });
  }

  get guards(): readonly string[] {
    // On a full disk the lockfile can't be made, and the other two guard alone.
    const missing = this.#held !== null && !this.#lockfile.isHeld;
    return missing ? ['kernel', 'epoch'] : ['kernel', 'lockfile', 'epoch'];
  }

  missesRecordIn(nodes: readonly NodeRecord[]): boolean {
    return this.#held?.missesRecordIn(nodes) === true;
  }

  cleared(): void {
    this.#held?.noteStarter(this.#membership.record.run);
  }

  acquire(floor: number): Promise<AcquireOutcome> {
    return this.#inTurn(async () => {
      // Within this lease's own turn: what is ordered meanwhile comes after it, and finds what was granted.
      if (this.#turn !== null && !(await this.#unlessGivenBack(this.#turn(this.#keepSeeing)))) {
        const observation = this.observe();
        return { type: 'denied', cause: 'lost-race', waitsFor: [], observation };
      }
      if (this.#held !== null) throw new Error('acquire: the lease is held already');
      const outcome = await this.#acquire(floor);
      if (typeof outcome !== 'string') return outcome;
      // Found a moment ago: a second search would cost milliseconds.
      const waitsFor = outcome === 'held' ? this.#foundation.waitsFor : [];
      return { type: 'denied', cause: outcome, waitsFor, observation: this.observe() };
    });
  }

  advanceEpoch(floor: number): Promise<number> {
    return this.#inTurn(async () => {
      const verified = this.verify();
      if (verified.type === 'lost' || this.#held === null) {
        throw this.#lost(verified.type === 'lost' ? verified.cause : 'it is not held');
      }
      const claim = this.#claim(this.#held, floor);
      if (claim.type === 'lost-race')
        throw this.#lost('another process claimed an epoch under our lock');
      if (!(await this.#unlessGivenBack(settleClaim(this.paths.epochs))))
        throw this.#lost('it is being released');
      return claim.epoch;
    });
  }

  renew(): Promise<RenewOutcome> {
    return Promise.reject(new Error('renew: the kernel keeps this lease'));
  }

  verify(scope: VerifyScope = 'all'): VerifyOutcome {
    const held = this.#held;
    if (held === null) return { type: 'lost', cause: 'the lease is not held' };
    const isBrief = scope === 'lock' && this.#isToldOfChanges && held.compromised === null;
    if (isBrief && held.hasLock) return held.touch();
    return this.#looking.sight.during(() => {
      this.#membership.touch();
      const outcome = held.verify();
      if (outcome.type === 'lost') this.#foundation.leaveEpoch(held.epoch);
      else {
        this.#foundation.sawThem();
        this.#membership.keepRegistered();
      }
      return outcome;
    });
  }

  release(): Promise<ReleaseOutcome> {
    this.#endWait?.();
    return this.#inTurn(async () => {
      const held = this.#held;
      if (held === null) return { heldBy: null };
      this.#held = null;
      this.#guardSoon();
      // Whoever waits for our lock reads it next, and may never have heard of this epoch.
      this.#foundation.leaveEpoch(held.epoch);
      held.noteLeft(this.#membership.record);
      await this.#giveBack(held.lock);
      const isTaken = (): boolean => highestEpoch(this.paths.epochs) > held.epoch;
      return { heldBy: await this.#primaryLock.proveFree(isTaken) };
    });
  }

  observe(): LeaseObservation {
    return this.#looking.sight.during(() => this.#observe());
  }

  look(): LeaseObservation {
    return this.observe();
  }

  listPeers(): Promise<readonly Peer[]> {
    const living = this.local.listNodes().filter(({ alive }) => alive);
    return Promise.resolve(living.map((node) => ({ ...node, seenAgoMs: 0 })));
  }

  watch(onChange: () => void): void {
    this.#watches.push(new GroupWatch(this.paths, onChange, this.#looking.sight));
  }

  markCompleted(epoch: number): Promise<void> {
    return this.#inTurn(() => {
      this.#membership.ensure();
      const { bootId } = this.#membership.record.supervisor;
      writeCompleted(this.paths, { epoch, atMs: this.local.now(), bootId });
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

  async close(): Promise<void> {
    for (const watch of this.#watches.splice(0)) watch.close();
    try {
      await this.release();
    } finally {
      // Also after a lease that could not be given back: its record would be that of a living node.
      await this.#inTurn(() => {
        this.local.close();
        return Promise.resolve();
      });
    }
  }

  /** Whether changes of what the lease stands on are told, as soon as this process comes to its events. */
  get #isToldOfChanges(): boolean {
    return this.#watches.some(({ isGuarding }) => isGuarding);
  }

  #observe(): LeaseObservation {
    this.#membership.touch();
    for (const watch of this.#watches) watch.check();
    const observation = this.#view.observe();
    const { memory } = this.#foundation;
    if (observation.epoch < memory.highest) this.#foundation.leaveEpoch(memory.recall());
    memory.learn(observation.epoch);
    if (this.#held !== null) return observation;
    this.#foundation.remake();
    const { waitsFor } = this.#foundation;
    return waitsFor.length === 0 ? observation : { ...observation, waitsFor };
  }

  /** Lock files that nobody has seen for a while would have to be looked for in all processes. */
  readonly #keepSeeing = (): void => {
    this.#foundation.sawThem();
  };

  /** One attempt; a cause when it was denied, and then nothing is held. */
  async #acquire(floor: number): Promise<AcquireOutcome | DenialCause> {
    this.#membership.ensure();
    if (!this.#foundation.prepare(floor)) return 'held';
    const lock = this.#primaryLock.take();
    if (lock === null) return 'held';
    let granted = false;
    try {
      // Asked with the lock: whoever begins with the other lease looks for the lock after it has said so.
      refuseTimedLease(this.paths.directory);
      if (isCompletedSince(this.paths, this.#membership.record)) return 'completed';
      const known = Math.max(floor, this.#foundation.memory.highest);
      const held = new HeldLease(this.#looking, lock, known);
      this.#held = held;
      // Asked first, so that no epoch is spent on it.
      if (this.#lockfile.isForeign(lock.fd)) return 'foreign-lockfile';
      const claim = this.#claim(held, floor);
      if (claim.type === 'lost-race') return 'lost-race';
      const flushed = this.#unlessGivenBack(settleClaim(this.paths.epochs));
      // The failure is thrown below, when the lockfile is taken: nothing is left half taken then.
      flushed.catch(() => undefined);
      if ((await this.#lockfile.take(lock.fd)) === 'foreign') return 'foreign-lockfile';
      if (!(await flushed)) return 'lost-race';
      // The directory may have been replaced under the claim.
      if (held.verify().type === 'lost') return 'lost-race';
      granted = true;
      this.#guardSoon();
      const previous = claim.previous === 0 ? null : this.#view.claimOf(claim.previous);
      const { epoch } = claim;
      return { type: 'granted', epoch, previous: previous?.node ?? null, granted: null };
    } finally {
      if (!granted) {
        this.#held = null;
        await this.#giveBack(lock);
      }
    }
  }

  /**
   * Resolves with true once a wait is over; with false if the lease is given back before: a disk that hangs keeps no lock
   * from others.
   */
  async #unlessGivenBack(wait: Promise<unknown>): Promise<boolean> {
    const end = new Promise<boolean>((resolve) => {
      this.#endWait = () => {
        resolve(false);
      };
    });
    try {
      return await Promise.race([wait.then(() => true), end]);
    } finally {
      this.#endWait = null;
    }
  }

  /** After what waits for the grant. */
  #guardSoon(): void {
    setImmediate(() => {
      for (const watch of this.#watches) watch.guard(this.#held !== null);
    });
  }

  /** Above all that is on record, was noted in the file that is locked, or is known here. */
  #claim(held: HeldLease, floor: number): ReturnType<typeof claimEpoch> {
    const { epochs } = this.paths;
    const { memory } = this.#foundation;
    const { fd } = held.lock;
    memory.learn(readLockNote(fd).epoch);
    const claim = claimEpoch({
      epochs,
      record: this.#membership.claimPath,
      floor: Math.max(floor, memory.highest),
      makeRoom: () => this.#foundation.makeRoom(),
    });
    if (claim.type === 'claimed') {
      held.epoch = claim.epoch;
      memory.learn(claim.epoch);
      // Should this node die before it has looked, the next one has to look as well.
      const isUnsure = held.isOutdated && !held.isCleared;
      writeLockNote(fd, { epoch: claim.epoch, ...(isUnsure ? { starter: null } : {}) });
      // Later: a takeover waits for this claim, and does not need it.
      setTimeout(() => {
        pruneEpochs(epochs);
        this.#membership.keepSpareName();
        if (this.#held === held) this.#foundation.adopt();
      }, TIDY_DELAY_MS).unref();
    }
    return claim;
  }

  /** In the reverse order of taking. Closing, not unlocking: a copy somewhere keeps the lock. */
  async #giveBack(lock: KernelLockDescription): Promise<void> {
    try {
      await this.#lockfile.release(lock.fd);
    } finally {
      lock.close();
    }
  }

  #lost(cause: string): FailoverError {
    const { group, node } = this.#membership.record;
    return new FailoverError(
      'FAILOVER_LEASE_LOST',
      `Cannot advance the epoch of ${node} in group ${group}: ${cause}`,
      { details: { group } },
    );
  }

  /** Runs work in turns; begun at once when nothing is under way, as a takeover waits for each turn. */
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

/** Longer than a takeover takes. */
const TIDY_DELAY_MS = 200;
