// The highest epoch that is known beside the directory of epochs, which somebody may remove.
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { identityOfDescriptor } from './file-identity.ts';
import type { FileSight } from './file-sight.ts';
import type { GroupPaths } from './group-paths.ts';
import { LockNoteReader } from './lock-note.ts';

/**
 * Every node keeps primary.lock open, unlocked. So as long as one of them exists, stopped or not, what
 * was noted in the file can be read by all, also after it was removed with its directory or alone.
 */
export class EpochMemory {
  readonly #primaryLock: string;
  readonly #sight: FileSight;
  readonly #note = new LockNoteReader();
  #fd: number | null = null;
  #identity: string | null = null;
  #highest = 0;

  constructor({ primaryLock }: GroupPaths, sight: FileSight) {
    this.#primaryLock = primaryLock;
    this.#sight = sight;
  }

  /** The highest that this node has claimed, seen or read. */
  get highest(): number {
    return this.#highest;
  }

  learn(epoch: number): void {
    this.#highest = Math.max(this.#highest, epoch);
  }

  /** Reads what is noted in the file that this node has open, under whatever name. */
  recall(): number {
    this.learn(this.noted);
    return this.#highest;
  }

  /** What is noted in the file that this node has open. */
  get noted(): number {
    return this.#fd === null ? 0 : this.#note.read(this.#fd).epoch;
  }

  /** The run whose record has to stay: see `LockNote`. */
  get starter(): string | null {
    return this.#fd === null ? null : this.#note.read(this.#fd).starter;
  }

  /** Keeps the file that has the name now, once it is there. */
  keep(): void {
    const identity = this.#sight.identityOf(this.#primaryLock);
    if (identity === null || identity === this.#identity) return;
    let fd: number;
    try {
      fd = openSync(this.#primaryLock, WITHOUT_WAITING);
    } catch {
      // Gone again, or nothing left to open it with: at the next look.
      return;
    }
    if (!fstatSync(fd).isFile()) {
      closeSync(fd);
      return;
    }
    this.close();
    this.#fd = fd;
    this.#identity = identityOfDescriptor(fd);
  }

  close(): void {
    if (this.#fd === null) return;
    try {
      this.recall();
    } finally {
      closeSync(this.#fd);
      this.#fd = null;
      this.#identity = null;
    }
  }
}

/** What has the name may be a pipe, and nobody may ever write to it. */
const WITHOUT_WAITING = constants.O_RDONLY | constants.O_NONBLOCK;
