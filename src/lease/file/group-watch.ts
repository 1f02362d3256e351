// Says that something of a group has changed: a claim, a pause, or the directory itself.
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { basename } from 'node:path';
import { identityOfPath, statOrNull } from './file-identity.ts';
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
  /** What the holder of the lease can't do without. */
  readonly #foundation: ReadonlySet<string>;
  #watchers: FSWatcher[] = [];
  #isGuarding = false;
  #armedFor: string | null = null;
  #looking: NodeJS.Timeout | null = null;
  #seen = '';
  #later: NodeJS.Timeout | null = null;
  #calledAt = -Infinity;
  #closed = false;

  constructor(paths: GroupPaths, onChange: () => void) {
    this.#paths = paths;
    this.#onChange = onChange;
    const { epochs, marks, primaryLock, workloadLock, lockfile, directory } = paths;
    const names = [epochs, marks, primaryLock, workloadLock, lockfile, directory];
    this.#foundation = new Set(names.map((path) => basename(path)));
    this.#arm();
  }

  /** For the holder of the lease, who is to notice at once what is removed or replaced under it. */
  guard(isGuarding: boolean): void {
    if (this.#closed || this.#isGuarding === isGuarding) return;
    this.#isGuarding = isGuarding;
    this.#arm();
  }

  /** Notices a directory that was removed or replaced; called wherever the group is looked at. */
  check(): void {
    if (this.#closed || this.#identity() === this.#armedFor) return;
    this.#arm();
    this.#changed();
  }

  close(): void {
    this.#closed = true;
    this.#disarm();
    if (this.#later !== null) clearTimeout(this.#later);
  }

  /** Which directories are watched; null: one is missing. */
  #identity(): string | null {
    const { directory, epochs, marks } = this.#paths;
    const identities = [directory, epochs, marks].map(identityOfPath);
    return identities.includes(null) ? null : identities.join(' ');
  }

  #arm(): void {
    this.#disarm();
    this.#armedFor = this.#identity();
    if (this.#armedFor === null || !this.#watchAll()) this.#lookAtIntervals();
  }

  #disarm(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
    if (this.#looking !== null) clearInterval(this.#looking);
    this.#looking = null;
  }

  #watchAll(): boolean {
    try {
      for (const path of [this.#paths.epochs, this.#paths.marks]) {
        this.#watch(path, (_kind, name) => {
          // Of its own removal a directory tells under its own name.
          if (name === null || name === basename(path)) this.check();
          this.#changed();
        });
      }
      if (this.#isGuarding) this.#watch(this.#paths.directory, this.#onFoundation);
      return true;
    } catch {
      this.#disarm();
      return false;
    }
  }

  readonly #onFoundation = (kind: string, name: string | null): void => {
    // The holder's sign of life is a change of primary.lock at every beat: not news.
    if (name !== null && (kind !== 'rename' || !this.#foundation.has(name))) return;
    this.check();
    this.#changed();
  };

  #watch(path: string, onEvent: (kind: string, name: string | null) => void): void {
    const watcher = watch(path, { persistent: false }, onEvent);
    this.#watchers.push(watcher);
    watcher.on('error', () => {
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

const LEAST_INTERVAL_MS = 40;

const LOOK_INTERVAL_MS = 100;
