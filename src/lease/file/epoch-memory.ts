// The highest epoch that is known beside the directory of epochs, which somebody may remove.
import { closeSync, constants, fstatSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { isOutOfResources } from '../../out-of-resources.ts';
import { identityOfDescriptor, identityOfPath } from './file-identity.ts';
import type { GroupPaths } from './group-paths.ts';
import { markOf, readLockNote } from './lock-note.ts';

/**
 * Every node keeps primary.lock open, unlocked. So as long as one of them exists, stopped or not, what
 * was noted in the file can be read by all, also after it was removed with its directory or alone.
 */
export class EpochMemory {
  readonly #primaryLock: string;
  #fd: number | null = null;
  #identity: string | null = null;
  #highest = 0;

  constructor({ primaryLock }: GroupPaths) {
    this.#primaryLock = primaryLock;
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
    if (this.#fd !== null) this.learn(readLockNote(this.#fd).epoch);
    return this.#highest;
  }

  /** The run whose record has to stay: see `LockNote`. */
  get starter(): string | null {
    return this.#fd === null ? null : readLockNote(this.#fd).starter;
  }

  /** Keeps the file that has the name now, once it is there. */
  keep(): void {
    const identity = identityOfPath(this.#primaryLock);
    if (identity === null || identity === this.#identity) return;
    let fd: number;
    try {
      fd = openSync(this.#primaryLock, constants.O_RDONLY);
    } catch {
      // Gone again, or nothing left to open it with: at the next look.
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

/**
 * The highest epoch that is noted in any file that some process has open as the primary.lock of
 * `directory` (its real path), also if it was removed or moved away; 0: none. A look at the descriptors
 * of all processes: for rare use.
 */
export function findNotedEpoch(directory: string): number {
  const mark = markOf(directory);
  let highest = 0;
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const fd of list(`/proc/${pid}/fd`)) {
      const path = `/proc/${pid}/fd/${fd}`;
      if (LOCK_NAMES.has(basename(targetOf(path)))) {
        highest = Math.max(highest, notedIn(path, mark));
      }
    }
  }
  return highest;
}

const LOCK_NAMES: ReadonlySet<string> = new Set(['primary.lock', 'primary.lock (deleted)']);

function notedIn(path: string, mark: string): number {
  const fd = openOrNull(path);
  if (fd === null) return 0;
  try {
    if (!fstatSync(fd).isFile()) return 0;
    const note = readLockNote(fd);
    return note.mark === mark ? note.epoch : 0;
  } finally {
    closeSync(fd);
  }
}

/** Null: gone meanwhile, or not ours to read. Not waiting: what another program has open may be a pipe. */
function openOrNull(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return null;
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return [];
  }
}

function targetOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
