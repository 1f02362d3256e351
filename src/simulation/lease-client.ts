// A node's hand on the file lease: the kernel's lock, the claim of an epoch, and the way back.
import type { VerifyScope } from '../core/effect.ts';
import type { LeaseObservation } from '../core/state.ts';
import type { DenialCause, EventBody, LeaseOrder } from '../core/event.ts';
import type { IsNewest } from '../runtime/orders.ts';
import type { Directory } from './directory.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

/** What the core's orders about the lease come to. */
export interface LeaseClient {
  /** The epoch of the term that this node holds; null: it holds none. */
  readonly heldEpoch: number | null;
  /** The highest epoch that can be read in the lock file which this process has open. */
  readonly noted: number;
  /** The highest epoch that its node has seen, and a store that has forgotten it can know from it. */
  readonly toldEpoch: number;
  /** Whether records may have been removed, so that only processes tell of what was started. */
  readonly missesRecords: boolean;
  /** Nothing of an earlier run is left. */
  cleared(): void;
  /** Puts its record where it is missing. */
  register(): void;
  /** Before anything else. */
  open(): void;
  acquire(floor: number): void;
  advanceEpoch(floor: number): void;
  /** Its node has taken in an answer with that epoch. */
  saw(epoch: number): void;
  /** Of a lease with a time to live. */
  renew(): void;
  /** Null: it is still held; else why it is lost. */
  verify(scope?: VerifyScope): string | null;
  /** By the core's order. */
  giveBack(): void;
  /** At the end of the process; `done` is told of a success only. */
  release(done: () => void): void;
  /** As it is now. */
  observe(): LeaseObservation;
  /** By the core's order. */
  look(): void;
  markCompleted(): void;
  /** Whether what this process has completed was on record. */
  readonly hasRecordedCompletion: boolean;
  /** The process is gone: what the kernel takes back. */
  dropped(): void;
}

/** An order that has its turn. */
interface Turn {
  readonly isNewest: IsNewest;
  /** Ends the turn. */
  readonly done: () => void;
}

export class FileLeaseClient implements LeaseClient {
  readonly toldEpoch = 0;
  hasRecordedCompletion = false;
  readonly #world: World;
  readonly #life: Life;
  /** The directory whose lock this process has: perhaps one that was removed since. */
  #held: Directory | null = null;
  #heldEpoch: number | null = null;
  #heldVersion = 0;
  /** Who was noted at the claim. */
  #formerStarter: string | null = null;
  #isCleared = false;
  #isGivenBack = false;
  /** The directory whose lock file this process has open: perhaps one that was removed since. */
  #kept: Directory | null = null;
  #highestSeen = 0;
  readonly #turns: ((done: () => void) => void)[] = [];
  #busy = false;

  constructor(world: World, life: Life) {
    this.#world = world;
    this.#life = life;
  }

  get heldEpoch(): number | null {
    return this.#heldEpoch;
  }

  get noted(): number {
    return this.#kept?.noted ?? 0;
  }

  get missesRecords(): boolean {
    if (this.#held === null || this.#isCleared) return false;
    const { records } = this.#world.directory;
    return (
      this.#formerStarter === null ||
      (this.#formerStarter !== '' && !records.has(this.#formerStarter))
    );
  }

  cleared(): void {
    if (this.#held === null) return;
    this.#isCleared = true;
    this.#held.starter = this.#life.settings.run;
  }

  open(): void {
    this.register();
    this.#hasFoundation(this.#world.directory);
  }

  acquire(floor: number): void {
    const isNewest = this.#life.orders.begin('lease');
    this.#inTurn((done) => {
      this.register();
      const directory = this.#world.directory;
      const life = this.#life;
      if (life.diskErrorUntil > this.#world.at || this.#held !== null) {
        this.#fail('acquire', { isNewest, done });
      } else if (!this.#hasFoundation(directory) || directory.holder !== null) {
        this.#deny('held', { isNewest, done });
      } else {
        directory.holder = life;
        this.#held = directory;
        this.#heldVersion = directory.epochsVersion;
        this.#formerStarter = directory.starter;
        this.#isCleared = false;
        if (directory.completedAt >= life.startedAt) this.#undo('completed', { isNewest, done });
        else {
          life.later(life.random.between(0.2, 3), () => {
            this.#claim(floor, { isNewest, done });
          });
        }
      }
    });
  }

  advanceEpoch(floor: number): void {
    const isNewest = this.#life.orders.begin('lease');
    this.#inTurn((done) => {
      const { at } = this.#world;
      const life = this.#life;
      const lost = this.verify();
      if (lost !== null) {
        this.#answer({ type: 'lease-lost', cause: lost, withinMs: 0 }, { isNewest, done });
      } else if (life.diskErrorUntil > at) {
        this.#fail('advance', { isNewest, done });
      } else if (life.lostRaceUntil > at) {
        this.#answer(
          { type: 'lease-lost', cause: 'another claimed an epoch', withinMs: 0 },
          { isNewest, done },
        );
      } else {
        this.#heldEpoch = this.#claimNext(floor);
        const epoch = this.#heldEpoch;
        this.#flush(() => {
          // Taken whenever it is told of.
          this.#answer({ type: 'epoch-advanced', epoch }, { isNewest: () => true, done });
        });
      }
    });
  }

  renew(): void {
    // The kernel frees it: it has no end.
  }

  verify(scope: VerifyScope = 'all'): string | null {
    if (this.#held === null) return 'the lease is not held';
    if (this.#held !== this.#world.directory) {
      this.#leaveEpoch(this.#heldEpoch ?? 0);
      return 'the directory was removed';
    }
    if (scope === 'lock') {
      this.#held.touch();
      this.#life.touched();
      return null;
    }
    if (this.#held.epochsVersion !== this.#heldVersion) {
      this.#leaveEpoch(this.#heldEpoch ?? 0);
      return 'the epochs were removed';
    }
    if (this.#held.epoch > (this.#heldEpoch ?? 0)) return 'a higher epoch was recorded';
    this.#held.touch();
    this.register();
    this.#life.touched();
    return null;
  }

  giveBack(): void {
    const isNewest = this.#life.orders.begin('lease');
    this.#release(
      (done, heldBy) => {
        this.#answer({ type: 'lease-released', heldBy }, { isNewest, done });
      },
      (done) => {
        this.#fail('release', { isNewest, done });
      },
    );
  }

  release(finished: () => void): void {
    this.#release(
      (done) => {
        done();
        finished();
      },
      (done) => {
        done();
      },
    );
  }

  #release(
    end: (done: () => void, heldBy: string | null) => void,
    fail: (done: () => void) => void,
  ): void {
    this.#isGivenBack = true;
    this.#inTurn((done) => {
      if (this.#life.diskErrorUntil > this.#world.at) {
        fail(done);
        return;
      }
      const directory = this.#held;
      const epoch = this.#heldEpoch ?? 0;
      if (directory === null) {
        end(done, null);
        return;
      }
      this.#leaveEpoch(epoch);
      const { run } = this.#life.settings;
      const left = this.#world.sessionsOf(this.#life).length > 0;
      if (directory.starter === run && !left) directory.starter = '';
      this.#heldEpoch = null;
      this.#close(directory, () => {
        this.#proveFree(epoch, 0, (heldBy) => {
          end(done, heldBy);
        });
      });
    });
  }

  observe(): LeaseObservation {
    const observation = this.#world.directory.observe();
    if (observation.epoch < this.#highestSeen) {
      this.#leaveEpoch(Math.max(this.#highestSeen, this.noted));
    }
    this.#highestSeen = Math.max(this.#highestSeen, observation.epoch);
    if (this.#held === null) {
      const { hasEpochs, hasLockFiles, records } = this.#world.directory;
      const isRegistered = records.has(this.#life.settings.run);
      if (hasEpochs && hasLockFiles && isRegistered) this.#kept = this.#world.directory;
      else this.open();
    }
    // Its own lock is not asked for: it would be found free by itself.
    if (this.#held !== null && !observation.held) return { ...observation, held: true };
    const waitsFor = this.#removedLockHolders();
    return waitsFor.length === 0 ? observation : { ...observation, waitsFor };
  }

  look(): void {
    const observation = this.observe();
    const askedAt = this.#life.now;
    const tell = (): void => {
      this.#life.dispatch({ type: 'lease-observed', observation, askedAt });
    };
    if (this.#world.looksTakeTime) this.#life.answer(tell);
    else tell();
  }

  saw(): void {
    // Files tell of themselves what they know.
  }

  markCompleted(): void {
    const isNewest = this.#life.orders.begin('lease');
    this.#inTurn((done) => {
      if (this.#life.diskErrorUntil > this.#world.at) {
        this.#fail('complete', { isNewest, done });
        return;
      }
      this.#world.directory.completedAt = this.#world.at;
      this.hasRecordedCompletion = true;
      this.#answer({ type: 'completion-recorded' }, { isNewest, done });
    });
  }

  dropped(): void {
    if (this.#held?.holder === this.#life) this.#held.holder = null;
    this.#held = null;
    this.#heldEpoch = null;
    this.#kept = null;
  }

  #claim(floor: number, turn: Turn): void {
    const { directory } = this.#world;
    const life = this.#life;
    const isOurs = this.#held === directory && directory.exists;
    if (!directory.exists || life.lostRaceUntil > this.#world.at) {
      this.#undo('lost-race', turn);
      return;
    }
    const previous = directory.record?.node ?? null;
    const epoch = this.#claimNext(floor);
    this.#isGivenBack = false;
    this.#flush(() => {
      if (this.#isGivenBack || !isOurs || this.verify() !== null) {
        // Given back before it was durable, or the directory was replaced under the claim.
        this.#undo('lost-race', turn);
        return;
      }
      life.term.begin();
      this.#answer({ type: 'lease-granted', epoch, previous, granted: null }, turn);
    });
  }

  /** Others see the epoch by now; whoever claimed it waits until it is on the disk, or gives it back. */
  #flush(then: () => void): void {
    if (this.#isGivenBack || this.#life.slowDiskUntil <= this.#world.at) then();
    else {
      this.#life.later(FLUSH_LOOK_MS, () => {
        this.#flush(then);
      });
    }
  }

  /** Above all that is on record, was noted in the file that is locked, or is known here. */
  #claimNext(floor: number): number {
    const { directory } = this.#world;
    const noted = this.#held?.noted ?? 0;
    const epoch = Math.max(directory.epoch, noted, floor, this.#highestSeen) + 1;
    directory.claim(epoch, this.#life.holder);
    if (this.#held !== null) this.#held.noted = epoch;
    this.#heldEpoch = epoch;
    this.#highestSeen = epoch;
    this.#world.leaseChanged();
    return epoch;
  }

  #undo(cause: DenialCause, turn: Turn): void {
    const directory = this.#held;
    this.#heldEpoch = null;
    if (directory === null) this.#deny(cause, turn);
    else {
      this.#close(directory, () => {
        this.#deny(cause, turn);
      });
    }
  }

  #close(directory: Directory, then: () => void): void {
    this.#life.later(this.#life.random.between(0.2, 1), () => {
      if (directory.holder === this.#life) directory.holder = null;
      this.#held = null;
      this.#world.leaseChanged();
      then();
    });
  }

  /** Bounded: what still has it is no copy of ours. */
  #proveFree(epoch: number, tries: number, then: (heldBy: string | null) => void): void {
    const { directory } = this.#world;
    const isProved = directory.holder === null || directory.epoch > epoch;
    if (isProved || tries >= PROOFS) {
      then(isProved ? null : 'another process');
      return;
    }
    this.#life.later(PROOF_INTERVAL_MS, () => {
      this.#proveFree(epoch, tries + 1, then);
    });
  }

  #deny(cause: DenialCause, { isNewest, done }: Turn): void {
    done();
    this.#life.answer(() => {
      if (!isNewest()) return;
      const observation = this.observe();
      const waitsFor = cause === 'held' ? (observation.waitsFor ?? []) : [];
      this.#life.dispatch({ type: 'lease-denied', cause, waitsFor, observation });
    });
  }

  #fail(order: LeaseOrder, turn: Turn): void {
    const error = { code: 'FAILOVER_UNEXPECTED', message: 'input/output error' };
    this.#answer({ type: 'lease-failed', order, ...error }, turn);
  }

  #answer(event: EventBody, { isNewest, done }: Turn): void {
    done();
    this.#life.answerTo(isNewest, event);
  }

  /** Makes the directory anew, with this node's record in it. */
  register(): void {
    const { directory, sessions } = this.#world;
    directory.exists = true;
    const { run } = this.#life.settings;
    if (directory.records.has(run)) return;
    directory.records.add(run);
    for (const session of sessions) {
      if (session.owner === this.#life) session.recordedIn = directory;
    }
  }

  /**
   * No lock files are made while something may be active on deleted ones; then with the highest epoch
   * that is noted in one which some process has open.
   */
  #hasFoundation(directory: Directory): boolean {
    if (!directory.hasLockFiles || !directory.hasEpochs) {
      if (this.#removedLockHolders().length > 0) return false;
      const noted = this.#world.lives.map((life) => life.lease.noted);
      const known = Math.max(directory.noted, directory.epoch, this.#highestSeen, ...noted);
      directory.noted = known;
      directory.hasLockFiles = true;
      this.#leaveEpoch(known);
      directory.hasEpochs = true;
      this.#world.checker.directoryMade(known);
    }
    this.#kept = directory;
    return true;
  }

  /** Each by a number, as the kernel names processes. */
  #removedLockHolders(): readonly number[] {
    const { directory, sessions } = this.#world;
    if (directory.hasLockFiles) return [];
    return sessions.flatMap((session, index) =>
      session.holdsLock && session.description !== directory ? [index + 1] : [],
    );
  }

  /** In a directory that was made anew the numbers would begin again. */
  #leaveEpoch(epoch: number): void {
    const { directory } = this.#world;
    if (directory.epoch >= epoch) return;
    this.register();
    directory.claim(epoch, this.#life.holder);
    directory.hasEpochs = true;
    this.#world.leaseChanged();
  }

  /** One after the other. */
  #inTurn(work: (done: () => void) => void): void {
    if (this.#busy) {
      this.#turns.push(work);
      return;
    }
    this.#busy = true;
    work(() => {
      this.#busy = false;
      const next = this.#turns.shift();
      if (next !== undefined) this.#inTurn(next);
    });
  }
}

const FLUSH_LOOK_MS = 20;

const PROOFS = 100;
const PROOF_INTERVAL_MS = 5;
