// Which processes hold a lock: /proc/<pid>/fdinfo names every copy of the open file description.
import { closeSync, constants, openSync, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { isOutOfResources } from '../out-of-resources.ts';
import { descriptorsOf, findOpen, listPids, pathOfDescriptor } from './open-files.ts';
import type { OpenFile } from './open-files.ts';
import { procIsUsable, readFileInto } from './process-identity.ts';
import { hintsFor } from './shared-look.ts';

export interface LockHolder {
  readonly pid: number;
  readonly fd: number;
}

export interface DeletedFileHolder extends LockHolder {
  /** The path that the file had, as the kernel remembers it. */
  readonly path: string;
}

/**
 * Every process, this one included, that has a descriptor whose description holds a lock on `path`; with
 * `pids`, only these are looked at. Empty also when the file is gone. Processes whose descriptors this
 * user may not read are not seen. About 5 ms for 70 processes: for rare use.
 *
 * @throws the system's error when it has nothing left to look with: that is not "nobody"
 */
export function findLockHolders(path: string, pids?: Iterable<number>): LockHolder[] {
  if (!procIsUsable()) return [];
  // All that a process had led looks for it when it has ended: then its files need not be looked at a thousand times.
  const asked = pids === undefined ? null : [...pids].filter(isThere);
  const file = asked?.length === 0 ? null : identifyFile(path);
  if (file === null) return [];
  // A process with a thousand groups has as many lock files open, and this is one of them.
  const hinted = asked === null ? [] : hintsFor(path).filter(({ pid }) => asked.includes(pid));
  const known = hinted.filter(({ pid, fd }) => holdsLock(pid, fd, file));
  if (known.length > 0) return known;
  const holders: LockHolder[] = [];
  for (const pid of asked ?? listPids()) {
    for (const fd of descriptorsOf(pid, 'fdinfo')) {
      if (holdsLock(pid, fd, file)) holders.push({ pid, fd });
    }
  }
  return holders;
}

/**
 * Where locks of processes were seen, for callers that look for the lock of one group after the other: a process with a
 * thousand groups has so many descriptors that nobody can go through them a thousand times. What it remembers says only
 * where to look first, and is looked at each time.
 */
export class SeenLocks {
  /** By process and the inode of the lock. */
  readonly #holders = new Map<string, LockHolder>();

  /** The processes that were gone through once. */
  readonly #scanned = new Set<number>();

  /**
   * The first descriptor of a process that holds a lock on `path`; null: none does. `isFree` is asked before a process is
   * gone through once more, as for each group of many that nobody leads.
   *
   * @throws as `findLockHolders`
   */
  find(path: string, pid: number, isFree: () => boolean): LockHolder | null {
    const file = identifyFile(path);
    if (file === null || !procIsUsable()) return null;
    const known = this.#holders.get(keyOf(pid, file.lockInode));
    if (known !== undefined && holdsLock(known.pid, known.fd, file)) return known;
    if (this.#scanned.has(pid) && isFree()) return null;
    this.#scanned.add(pid);
    let found: LockHolder | null = null;
    for (const fd of descriptorsOf(pid, 'fdinfo')) {
      const lock = lockOf(pid, fd);
      if (lock === null) continue;
      this.#note({ pid, fd }, lock.inode);
      if (found === null && isLockOn(lock, { pid, fd }, file)) found = { pid, fd };
    }
    return found;
  }

  #note(holder: LockHolder, inode: string): void {
    if (this.#holders.size >= SEEN_LIMIT) {
      this.#holders.clear();
      this.#scanned.clear();
    }
    this.#holders.set(keyOf(holder.pid, inode), holder);
  }
}

/** Two locks for each of as many groups as there may be. */
const SEEN_LIMIT = 50_000;

function keyOf(pid: number, inode: string): string {
  return `${String(pid)}:${inode}`;
}

/** A descriptor that was found to hold the lock on a file, for callers that ask again at every beat. */
export class KnownHolder {
  readonly #path: string;
  readonly #holder: LockHolder;
  /** The file that had the name when it was asked for last. */
  #file: FileId | null = null;
  /** How the kernel told that this file is locked: the same words tell the same. */
  #words: string | null = null;

  constructor(path: string, holder: LockHolder) {
    this.#path = path;
    this.#holder = holder;
  }

  /**
   * Whether the description of this very descriptor holds a lock on the file that has the name now.
   *
   * @param named what the name stands for, as the caller has just seen; null: nothing
   */
  holdsNow(named: BigIntStats | null): boolean {
    if (named === null || !procIsUsable()) return false;
    const file = this.#identify(named);
    const { pid, fd } = this.#holder;
    const words = lockWords(pid, fd);
    if (words === null) return false;
    if (words === this.#words) return true;
    const lock = parseLock(words);
    if (lock === null || !isLockOn(lock, this.#holder, file)) return false;
    // Where the device is another one only the descriptor itself tells which file it is of.
    if (lock.device === file.dev && file === this.#file) this.#words = words;
    return true;
  }

  /** How lock lines name a file never changes: it is looked up once. */
  #identify(named: BigIntStats): FileId {
    const { dev, ino, birthtimeNs } = named;
    const known = this.#file;
    if (known?.ino === ino && known.dev === dev && known.birthtimeNs === birthtimeNs) return known;
    this.#words = null;
    const lockInode = readLockInode(this.#path);
    const file = { dev, ino, birthtimeNs, lockInode: lockInode ?? String(ino) };
    this.#file = lockInode !== undefined && isStill(this.#path, file) ? file : null;
    return file;
  }
}

/** Whether the name stands for that file after it was opened by it, too. */
function isStill(path: string, { dev, ino, birthtimeNs }: FileId): boolean {
  const now = statSync(path, { bigint: true, throwIfNoEntry: false });
  return now?.ino === ino && now.dev === dev && now.birthtimeNs === birthtimeNs;
}

/**
 * Every process that has a lock file of `directory` (its real path) open though that file was deleted:
 * what ran before the directory was removed may run still.
 */
export function findDeletedHolders(
  directory: string,
  open: readonly OpenFile[] = findOpenLockFiles(),
): DeletedFileHolder[] {
  const paths = LOCK_FILES.map((name) => join(directory, name));
  return open
    .filter(({ path, isDeleted }) => isDeleted && paths.includes(path))
    .map(({ pid, fd, path }) => ({ pid, fd, path }));
}

/** Whoever has a lock file of any directory open. Costs what `findLockHolders` does, and throws so. */
export function findOpenLockFiles(): OpenFile[] {
  return procIsUsable() ? findOpen(LOCK_FILES) : [];
}

const LOCK_FILES = ['primary.lock', 'workload.lock'];

/**
 * `lock:\t1: OFDLCK  ADVISORY  WRITE -1 fe:00:2154504 0 EOF`. A process-wide (POSIX) lock keeps ours out
 * as well; a `flock` one does not.
 */
const LOCK_LINE = /^lock:\t\d+: (?:OFDLCK|POSIX)\s.*?([0-9a-f]+):([0-9a-f]+):(\d+) \S+ \S+$/m;

/** All lock lines of one descriptor name one file and stand at the beginning. */
const buffer = Buffer.allocUnsafe(4096);

interface FileId {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly birthtimeNs: bigint;
  /** The inode as lock lines have it. */
  readonly lockInode: string;
}

function identifyFile(path: string): FileId | null {
  const file = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (file === undefined) return null;
  const { dev, ino, birthtimeNs } = file;
  return { dev, ino, birthtimeNs, lockInode: readLockInode(path) ?? String(ino) };
}

/** overlay may show another inode to stat() than in lock lines; fdinfo has theirs since Linux 5.14. */
function readLockInode(path: string): string | undefined {
  let fd: number;
  try {
    // What somebody put there may be a pipe.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return undefined;
  }
  try {
    const length = readFileInto(buffer, `/proc/self/fdinfo/${String(fd)}`);
    return /^ino:\s*(\d+)$/m.exec(buffer.toString('latin1', 0, length))?.[1];
  } finally {
    closeSync(fd);
  }
}

function holdsLock(pid: number, fd: number, file: FileId): boolean {
  const lock = lockOf(pid, fd);
  return lock !== null && isLockOn(lock, { pid, fd }, file);
}

interface Lock {
  readonly device: bigint;
  readonly inode: string;
}

/** The lock that a descriptor holds; null: its description holds none. */
function lockOf(pid: number, fd: number): Lock | null {
  const words = lockWords(pid, fd);
  return words === null ? null : parseLock(words);
}

/** What the kernel says of the locks of a descriptor's description; null: that it holds none. */
function lockWords(pid: number, fd: number): string | null {
  const length = readFileInto(buffer, `/proc/${String(pid)}/fdinfo/${String(fd)}`);
  const at = length === 0 ? -1 : buffer.subarray(0, length).indexOf('lock:');
  return at < 0 ? null : buffer.toString('latin1', at, length);
}

function parseLock(words: string): Lock | null {
  const [, major, minor, inode] = LOCK_LINE.exec(words) ?? [];
  if (major === undefined || minor === undefined || inode === undefined) return null;
  return { device: deviceNumber(parseInt(major, 16), parseInt(minor, 16)), inode };
}

function isLockOn({ device, inode }: Lock, { pid, fd }: LockHolder, file: FileId): boolean {
  if (inode !== file.lockInode) return false;
  return device === file.dev || isSameFile(pathOfDescriptor(pid, fd), file);
}

/** btrfs and overlay show another device to stat() than in the lock line: ask the descriptor itself. */
function isSameFile(path: string, file: FileId): boolean {
  try {
    const found = statSync(path, { bigint: true });
    return found.dev === file.dev && found.ino === file.ino;
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return false;
  }
}

function isThere(pid: number): boolean {
  return statSync(`/proc/${String(pid)}`, { throwIfNoEntry: false }) !== undefined;
}

/** The encoding of `st_dev` in glibc (gnu_dev_makedev). */
function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (
    ((high & 0xfffff000n) << 32n) |
    ((high & 0xfffn) << 8n) |
    ((low & 0xffffff00n) << 12n) |
    (low & 0xffn)
  );
}
