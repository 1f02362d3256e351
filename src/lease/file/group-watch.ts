// Says that something of a group has changed: a claim, a pause, or the directory itself.
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { basename } from 'node:path';
import { statOrNull } from './file-identity.ts';
import { FileSight } from './file-sight.ts';
import type { GroupPaths } from './group-paths.ts';

/**
 * Calls back from its own turn of the event loop, never more than once per 40 ms. While the directory is
 * missing, or the kernel has no watches left, it looks by itself at intervals.
 *
 * What changes at every beat or in a takeover is in none of the directories that all watch: each change
 * would wake twenty standbys, just when one of them is starting its workload.
 */
export class GroupWatch {
  readonly #paths: GroupPaths;
  readonly #onChange: () => void;
  readonly #sight: FileSight;
  /** What the holder of the lease can't do without. A group may have the name of one of its files. */
  #foundation: readonly Piece[] = [];
  #watchers: FSWatcher[] = [];
  /** Tells of the foundation; null: not for the holder, or the system can't. */
  #guardian: FSWatcher | null = null;
  /** Whether it is to tell of all that the holder of the lease can't do without. */
  #mayGuard = false;
  #armedFor: readonly string[] | null = null;
  #looking: NodeJS.Timeout | null = null;
  #seen = '';
  #later: NodeJS.Timeout | null = null;
  #calledAt = -Infinity;
  #closed = false;

  constructor(paths: GroupPaths, onChange: () => void, sight: FileSight = new FileSight()) {
    this.#paths = paths;
    this.#onChange = onChange;
    this.#sight = sight;
    this.#arm();
  }

  /** For the holder of the lease, who is to notice at once what is removed or replaced under it. */
  guard(isGuarding: boolean): void {
    if (this.#closed || this.#mayGuard === isGuarding) return;
    this.#mayGuard = isGuarding;
    // Watches that exist go on: what they have yet to tell would be lost with them.
    if (!isGuarding) this.#dismiss();
    else if (this.#watchers.length === 0 || !this.#guarded()) this.#beginAnew();
    this.check();
  }

  /** What happened since it was looked at last is not known: it counts as news. */
  #beginAnew(): void {
    this.#arm();
    this.#changed();
  }

  /** Whether the system tells of all that happens there to what the holder of the lease can't do without. */
  get isGuarding(): boolean {
    return this.#guardian !== null;
  }

  /** Notices a directory that was removed or replaced; called wherever the group is looked at. */
  check(): void {
    if (this.#closed || isSame(this.#identities(), this.#armedFor)) return;
    // Whoever is told may do anything.
    this.#sight.expire();
    this.#arm();
    this.#changed();
  }

  close(): void {
    this.#closed = true;
    this.#disarm();
    if (this.#later !== null) clearTimeout(this.#later);
  }

  /** Which directories are watched; null: one is missing. */
  #identities(): readonly string[] | null {
    const directory = this.#sight.identityOf(this.#paths.directory);
    const epochs = this.#sight.identityOf(this.#paths.epochs);
    const marks = this.#sight.identityOf(this.#paths.marks);
    return directory === null || epochs === null || marks === null
      ? null
      : [directory, epochs, marks];
  }

  #arm(): void {
    this.#disarm();
    this.#armedFor = this.#identities();
    if (this.#armedFor === null || !this.#watchAll()) this.#lookAtIntervals();
  }

  #disarm(): void {
    this.#dismiss();
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
    if (this.#looking !== null) clearInterval(this.#looking);
    this.#looking = null;
  }

  #watchAll(): boolean {
    try {
      for (const path of [this.#paths.epochs, this.#paths.marks]) {
        const watcher = this.#watch(path, (_kind, name) => {
          // A directory tells of its own removal under its own name.
          if (name === null || name === basename(path)) this.check();
          this.#changed();
        });
        this.#watchers.push(watcher);
      }
    } catch {
      this.#disarm();
      return false;
    }
    return !this.#mayGuard || this.#guarded();
  }

  #guarded(): boolean {
    try {
      // Seen before it is watched: a change in between differs at the next event.
      this.#foundation = this.#lookAtFoundation();
      this.#guardian = this.#watch(this.#paths.directory, this.#onFoundation);
      return true;
    } catch {
      this.#disarm();
      return false;
    }
  }

  #dismiss(): void {
    this.#guardian?.close();
    this.#guardian = null;
  }

  readonly #onFoundation = (kind: string, name: string | null): void => {
    // The holder's sign of life is a change of primary.lock at every beat: not news.
    if (name !== null && (kind !== 'rename' || !this.#isOther(name))) return;
    this.check();
    this.#changed();
  };

  /**
   * Whether a piece of the foundation has come, gone or made way for another. That the times of a directory
   * are set, as proper-lockfile does every few seconds, comes as a renaming too.
   */
  #isOther(name: string): boolean {
    let isOther = false;
    for (const piece of this.#foundation) {
      if (basename(piece.path) !== name) continue;
      const identity = this.#sight.identityOf(piece.path);
      isOther ||= identity !== piece.identity;
      piece.identity = identity;
    }
    return isOther;
  }

  #lookAtFoundation(): readonly Piece[] {
    const { epochs, marks, primaryLock, workloadLock, lockfile, directory } = this.#paths;
    const all = [epochs, marks, primaryLock, workloadLock, lockfile, directory];
    return all.map((path) => ({ path, identity: this.#sight.identityOf(path) }));
  }

  #watch(path: string, onEvent: (kind: string, name: string | null) => void): FSWatcher {
    return watch(path, { persistent: false }, onEvent).on('error', () => {
      this.#disarm();
      this.#lookAtIntervals();
    });
  }

  #lookAtIntervals(): void {
    this.#seen = this.#signature();
    this.#looking = setInterval(() => {
      this.check();
      const signature = this.#signature();
      if (signature === this.#seen) return;
      this.#seen = signature;
      this.#changed();
    }, LOOK_INTERVAL_MS);
    this.#looking.unref();
  }

  #signature(): string {
    return [this.#paths.directory, this.#paths.epochs, this.#paths.marks]
      .map((path) => String(statOrNull(path)?.mtimeNs))
      .join(' ');
  }

  #changed(): void {
    if (this.#closed || this.#later !== null) return;
    const waitMs = this.#calledAt + LEAST_INTERVAL_MS - performance.now();
    if (waitMs <= 0) {
      this.#call();
      return;
    }
    this.#later = setTimeout(() => {
      this.#later = null;
      // A timer may be early by a fraction of a millisecond: then it waits again.
      this.#changed();
    }, Math.ceil(waitMs));
  }

  #call(): void {
    try {
      this.#onChange();
    } finally {
      this.#calledAt = performance.now();
    }
  }
}

/** A file or directory, and what had its path when it was seen last. */
interface Piece {
  readonly path: string;
  identity: string | null;
}

function isSame(now: readonly string[] | null, before: readonly string[] | null): boolean {
  if (now === null || before === null) return now === before;
  return now.every((identity, index) => identity === before[index]);
}

const LEAST_INTERVAL_MS = 40;

const LOOK_INTERVAL_MS = 100;
