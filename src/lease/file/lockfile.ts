// proper-lockfile on primary.lock, under the kernel lock: what its other users respect, and a tripwire.
import { fstatSync, mkdirSync, rmdirSync, statSync, utimesSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { lock } from 'proper-lockfile';
import { identityOf, identityOfPath, statOrNull } from './file-identity.ts';
import { isNoted, readLockNote, writeLockNote } from './lock-note.ts';
import { errnoOf, isFull, storageError } from './storage-error.ts';

/**
 * taken: ours. foreign: a holder that the kernel lock knows nothing of has it. unavailable: the disk is
 * full, and the kernel lock and the epoch guard alone.
 */
export type LockfileOutcome = 'taken' | 'foreign' | 'unavailable';

export interface LockfileOptions {
  /** The directory that the package makes: `primary.lock.lock`. */
  readonly path: string;
  /** Monotonic, ms. */
  readonly now: () => number;
  /** The lockfile was taken away or changed by another; called from the package's timer. */
  readonly onCompromised: (cause: string) => void;
}

/** All methods only while the kernel lock on `primary.lock` is held: `fd` is its description. */
export class Lockfile {
  readonly #options: LockfileOptions;
  #held: { readonly release: () => Promise<void>; readonly directory: GuardedDirectory } | null =
    null;
  #foreign: { readonly mark: string; readonly since: number } | null = null;
  #terms = 0;

  constructor(options: LockfileOptions) {
    this.#options = options;
  }

  get isHeld(): boolean {
    return this.#held !== null;
  }

  /** Whether `take` would find another's; nothing is changed but one that was abandoned long ago. */
  isForeign(fd: number): boolean {
    return this.#judgeLeftover(fd) === 'foreign';
  }

  async take(fd: number): Promise<LockfileOutcome> {
    const { path, onCompromised } = this.#options;
    const leftover = this.#judgeLeftover(fd);
    if (leftover === 'foreign') return 'foreign';
    const directory = new GuardedDirectory({
      path,
      adopted: leftover,
      onMade: (identity) => {
        writeLockNote(fd, { lockfile: { state: 'made', identity } });
      },
    });
    if (leftover === null) writeLockNote(fd, { lockfile: { state: 'making' } });
    this.#terms += 1;
    try {
      // The first argument is only the package's name for this term: its table has one entry for each
      // name, and an old term's end must not reach the entry of a new one.
      const release = await lock(`${path}/${String(process.pid)}-${String(this.#terms)}`, {
        lockfilePath: path,
        realpath: false,
        retries: 0,
        stale: STALE_MS,
        fs: directory.fileSystem,
        onCompromised: (error) => {
          // The library's default throws from a timer, which ends the process.
          onCompromised(`${path} was removed or changed by another process: ${error.message}`);
        },
      });
      this.#held = { release, directory };
      return 'taken';
    } catch (error) {
      directory.remove();
      writeLockNote(fd, { lockfile: { state: 'none' } });
      const code = errnoOf(error);
      if (code === 'ELOCKED' || code === 'EEXIST') return 'foreign';
      if (isFull(error)) return 'unavailable';
      throw storageError(`make ${path}`, error);
    }
  }

  /** Removes the directory if it is still the one made here. Never fails. */
  async release(fd: number): Promise<void> {
    const held = this.#held;
    this.#held = null;
    if (held === null) return;
    try {
      await held.release();
    } catch {
      // Compromised before: the package has forgotten it. What is still ours goes below.
    }
    held.directory.remove();
    try {
      writeLockNote(fd, { lockfile: { state: 'none' } });
    } catch (error) {
      // It says 'made' of a directory that is gone: nothing is taken for that one.
      if (errnoOf(error) === null) throw error;
    }
  }

  /**
   * What is there under the lockfile's name: nothing (null), a leftover to take over (its identity), or
   * another's. A leftover of a holder of the kernel lock is ours: that holder has ended, or this process
   * would not have the lock. A foreign one goes only after it was seen unchanged for long on this
   * process's own clock: wall clocks differ and are set.
   */
  #judgeLeftover(fd: number): string | null {
    const { path, now } = this.#options;
    const found = statOrNull(path);
    if (found === null) return null;
    if (isNoted(readLockNote(fd).lockfile, found, fstatSync(fd, { bigint: true }))) {
      return identityOf(found);
    }
    const mark = `${String(found.ino)}:${String(found.mtimeNs)}`;
    if (this.#foreign?.mark !== mark) {
      this.#foreign = { mark, since: now() };
      return 'foreign';
    }
    const isAbandoned = now() - this.#foreign.since >= FOREIGN_UNCHANGED_MS;
    return isAbandoned && removeDirectory(path) ? null : 'foreign';
  }
}

/** What other users of the package see: after this long without an update it counts as stale to them. */
const STALE_MS = 10_000;

/** Three times the package's default staleness, for holders with slower updates. */
const FOREIGN_UNCHANGED_MS = 30_000;

type Callback<T = void> = (error: Error | null, value?: T) => void;

/**
 * The package's view of the file system: it removes only the directory that was made through it. Its own
 * take-over of a stale lock and its exit handler would remove whatever has the name by then.
 */
class GuardedDirectory {
  readonly #path: string;
  readonly #adopted: string | null;
  readonly #onMade: (identity: string) => void;
  #identity: string | null = null;

  constructor(options: {
    readonly path: string;
    /** A leftover of ours, which counts as made: to others it was held all the time. */
    readonly adopted: string | null;
    readonly onMade: (identity: string) => void;
  }) {
    this.#path = options.path;
    this.#adopted = options.adopted;
    this.#onMade = options.onMade;
  }

  readonly fileSystem = {
    // Synchronous: the claim waits for it, and a turn of the thread pool costs more than the call.
    stat: (path: string, callback: Callback<Stats>): void => {
      settle(callback, () => statSync(path));
    },
    utimes: (path: string, accessed: Date, modified: Date, callback: Callback): void => {
      settle(callback, () => {
        utimesSync(path, accessed, modified);
      });
    },
    mkdir: (path: string, callback: Callback): void => {
      settle(callback, () => {
        // A removal and a making anew would each wait for the journal of the file system.
        const isThere = this.#adopted !== null && identityOfPath(path) === this.#adopted;
        if (!isThere) mkdirSync(path, { mode: 0o700 });
        this.#identity = isThere ? this.#adopted : identityOfPath(path);
        if (this.#identity !== null) this.#onMade(this.#identity);
      });
    },
    rmdir: (path: string, callback: Callback): void => {
      settle(callback, () => {
        this.#removeOwn(path);
      });
    },
    rmdirSync: (path: string): void => {
      this.#removeOwn(path);
    },
  };

  /** Removes the directory if it is there and still ours. */
  remove(): void {
    if (this.#identity === null || identityOfPath(this.#path) !== this.#identity) return;
    this.#removeOwn(this.#path);
  }

  #removeOwn(path: string): void {
    if (this.#identity === null || identityOfPath(path) !== this.#identity) {
      throw Object.assign(new Error(`${path} is not ours`), { code: 'ELOCKED' });
    }
    removeDirectory(path);
  }
}

/** The callback outside of the attempt: an error that it throws is not the file system's. */
function settle<T>(callback: Callback<T>, work: () => T): void {
  let value: T;
  try {
    value = work();
  } catch (error) {
    callback(error instanceof Error ? error : new Error(String(error)));
    return;
  }
  callback(null, value);
}

function removeDirectory(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    return errnoOf(error) === 'ENOENT';
  }
}
