// The state directory of a group: its lock, its epochs and its markers. One that is removed is followed by another.
import type { LeaseHolder, LeaseObservation } from '../core/state.ts';
import type { Life } from './life.ts';

/** A process of another program that has the lock. */
export const FOREIGN = 'foreign';

export class Directory {
  /** Whether somebody has made it since the one before was removed. */
  exists = false;
  hasLockFiles = false;
  hasEpochs = false;
  epoch = 0;
  /** The highest epoch that a holder wrote into the lock file: it outlives the records. */
  noted = 0;
  /** The last run that was allowed to start something and has not left in order; empty: none; null: not known. */
  starter: string | null = null;
  /** The runs whose record is there. */
  readonly records: Set<string> = new Set<string>();
  /** Of the directory of epochs: another one after each removal. */
  epochsVersion = 0;
  /** Whose claim the highest epoch is. */
  record: LeaseHolder | null = null;
  completedAt: number = Number.NEGATIVE_INFINITY;
  #holder: Life | typeof FOREIGN | null = null;
  #paused = false;
  #touches = 0;
  #observation: LeaseObservation | null = null;

  /** One that is there, with all that belongs into it. */
  static made(): Directory {
    const directory = new Directory();
    directory.exists = true;
    directory.hasLockFiles = true;
    directory.hasEpochs = true;
    return directory;
  }

  /** Who has the kernel's lock on the file. */
  get holder(): Life | typeof FOREIGN | null {
    return this.#holder;
  }

  set holder(holder: Life | typeof FOREIGN | null) {
    this.#holder = holder;
    this.#observation = null;
  }

  get paused(): boolean {
    return this.#paused;
  }

  set paused(paused: boolean) {
    this.#paused = paused;
    this.#observation = null;
  }

  /** The holder's sign of life. */
  touch(): void {
    this.#touches += 1;
    this.#observation = null;
  }

  /** The exact claim: a number that nobody had, with the claimant's name. */
  claim(epoch: number, record: LeaseHolder): void {
    this.epoch = epoch;
    this.record = record;
    this.#observation = null;
  }

  removeEpochs(): void {
    this.epoch = 0;
    this.record = null;
    this.epochsVersion += 1;
    this.hasEpochs = false;
    this.#observation = null;
  }

  observe(): LeaseObservation {
    this.#observation ??= {
      epoch: this.epoch,
      held: this.#holder !== null,
      holder: this.record,
      recordUnreadable: false,
      touch: this.hasLockFiles ? String(this.#touches) : null,
      paused: this.#paused,
    };
    return this.#observation;
  }
}
