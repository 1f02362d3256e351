// The two lock files: each says that it is itself, so that a copy or another file in its place is told from it.
import { closeSync, fstatSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { tryLock } from 'fs-native-extensions';
import { temporaryPath } from './durable-file.ts';
import { identityOf, identityOfDescriptor, identityOfPath } from './file-identity.ts';
import { FileSight } from './file-sight.ts';
import type { GroupPaths } from './group-paths.ts';
import { lockNoteContent, marksOf, readLockNote, writeLockNote } from './lock-note.ts';
import type { LockNote, LockfileNote } from './lock-note.ts';
import { errnoOf, storageError, withStorageErrors } from './storage-error.ts';

/** What whoever makes lock files has found out about those of before. */
interface KnownOfFormer {
  readonly epoch: number;
  readonly lockfile: string | null;
  readonly isStill: () => boolean;
}

/**
 * Lock files prove that whoever made them had looked for those who go by earlier ones. A file that was
 * copied, restored or put there by somebody else proves nothing, and is replaced as a missing one is made.
 */
export class LockFiles {
  readonly #paths: GroupPaths;
  readonly #sight: FileSight;
  /** What was found to be ours: looked into once. */
  readonly #known = new Map<string, string>();

  constructor(paths: GroupPaths, sight: FileSight = new FileSight()) {
    this.#paths = paths;
    this.#sight = sight;
  }

  get areThere(): boolean {
    return this.#all().every((path) => this.#isOurs(path));
  }

  /**
   * Makes those that are missing or not ours, with the room that a holder's note needs on a full disk, and
   * with `epoch`, the highest that anybody knows of. `lockfile` is the identity of the directory that a
   * holder of the file of before has left, if any: it is nobody else's. `isStill` tells whether the directory
   * is the one of which all that is known. False: it is not, or what is there is locked by somebody.
   */
  make({ epoch, lockfile, isStill }: KnownOfFormer): boolean {
    const left: LockfileNote =
      lockfile === null ? { state: 'none' } : { state: 'made', identity: lockfile };
    const note = { epoch, lockfile: left };
    return this.#all().every((path) => this.#isOurs(path) || this.#makeOne(path, note, isStill));
  }

  /** Only for the holder of the lease: files that came with a directory of another name are this group's now. */
  adopt(): void {
    const marks = marksOf(this.#paths.directory);
    for (const path of this.#all()) {
      withOpen(path, (fd) => {
        const { mark, place } = readLockNote(fd);
        if (mark !== marks.mark || place !== marks.place) writeLockNote(fd, marks);
      });
    }
  }

  #all(): readonly string[] {
    return [this.#paths.primaryLock, this.#paths.workloadLock];
  }

  #isOurs(path: string): boolean {
    const identity = this.#sight.identityOf(path);
    if (identity === null) return false;
    if (this.#known.get(path) === identity) return true;
    const found = withOpen(path, (fd) => (saysItIs(fd) ? identityOfDescriptor(fd) : null));
    if (found === null) return false;
    this.#known.set(path, found);
    return found === identity;
  }

  #makeOne(
    path: string,
    note: Pick<LockNote, 'epoch' | 'lockfile'>,
    isStill: () => boolean,
  ): boolean {
    // Complete before it has its name: nobody who opens it by the name finds it half made.
    const temporary = temporaryPath(path);
    return withStorageErrors(`make ${path}`, () => {
      try {
        this.#write(temporary, note);
        // The file is in the right directory, and from another it gets no name.
        if (!isStill()) return false;
        return linkUnlessThere(temporary, path) || replaceStranger(temporary, path);
      } finally {
        rmSync(temporary, { force: true });
      }
    });
  }

  #write(path: string, left: Pick<LockNote, 'epoch' | 'lockfile'>): void {
    const fd = openSync(path, 'wx', 0o600);
    try {
      const note = { self: identityOfDescriptor(fd), ...marksOf(this.#paths.directory) };
      writeSync(fd, lockNoteContent({ ...note, ...left, starter: null }));
    } finally {
      closeSync(fd);
    }
  }
}

function saysItIs(fd: number): boolean {
  const stats = fstatSync(fd, { bigint: true });
  return stats.isFile() && readLockNote(fd).self === identityOf(stats);
}

/** False: the name is taken. */
function linkUnlessThere(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    return false;
  }
}

/**
 * Under the lock of the file that is replaced: of two that do this one comes second, and finds the name
 * taken by what the first has made. False: it is locked, or another was faster.
 */
function replaceStranger(from: string, path: string): boolean {
  const replaced = withOpen(path, (fd) => {
    if (saysItIs(fd)) return true;
    if (!tryLock(fd) || identityOfPath(path) !== identityOfDescriptor(fd)) return false;
    renameSync(from, path);
    return true;
  });
  return replaced === true;
}

/** What `use` makes of an open file; null: there is nothing to open. */
function withOpen<T>(path: string, use: (fd: number) => T): T | null {
  let fd: number;
  try {
    fd = openSync(path, 'r+');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw storageError(`open ${path}`, error);
  }
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
