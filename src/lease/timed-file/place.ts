// The directory of a timed lease as one node has it: the one that it was, whatever is mounted at its path.
import { randomBytes } from 'node:crypto';
import { rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FailoverError } from '../../errors.ts';
import { errnoOf } from '../file/storage-error.ts';
import {
  contentOf,
  directoryIdOf,
  exists,
  giveName,
  makeDirectories,
  removeAll,
  writeAhead,
} from './shared-files.ts';
import type { TimedPaths } from './timed-paths.ts';

/** The two ways in which it fails: it may pass, or somebody has to act. */
export interface Failures {
  unreachable(why: string): FailoverError;
  refused(why: string, hint?: string): FailoverError;
}

export class Place {
  readonly #paths: TimedPaths;
  readonly #failures: Failures;
  /** What it says of itself; null: not known yet. */
  #mark: string | null = null;
  /** Which directory has it, as far as its file system tells. */
  #root: string | null = null;
  #isProved = false;

  constructor(paths: TimedPaths, failures: Failures) {
    this.#paths = paths;
    this.#failures = failures;
  }

  /**
   * Without its share a path leads to another directory, or to none: nothing is claimed there, and nothing made.
   *
   * @throws FAILOVER_STORE_UNREACHABLE
   */
  async check(): Promise<void> {
    const { root, mark } = this.#paths;
    const found = await contentOf(mark);
    if (this.#mark === null) {
      if (found === null && !(await exists(root))) throw this.#failures.unreachable(MISSING);
      this.#mark = found;
      this.#root = await directoryIdOf(root);
    } else if (found !== this.#mark) {
      throw this.#failures.unreachable((await exists(root)) ? ANOTHER : MISSING);
    }
  }

  /**
   * Whether all was removed from it, its mark too: it is the same directory still. Only what that takes from a node
   * may follow from it: of two shares the directories may have one number.
   */
  async wasEmptied(): Promise<boolean> {
    const { root, mark } = this.#paths;
    if (this.#mark === null || this.#root === null) return false;
    return (await contentOf(mark)) !== this.#mark && (await directoryIdOf(root)) === this.#root;
  }

  /**
   * Makes what a group takes. The directory itself is never made.
   *
   * @throws FAILOVER_STORE_REFUSED where the file system can't decide between two, or kernel locks do already
   */
  async prepare(): Promise<void> {
    await this.check();
    const { timed, turns, epochs, claims, beats, starts, nodes } = this.#paths;
    const { ids, events, marks } = this.#paths;
    await this.#refuseKernelLocks();
    this.#mark ??= await this.#marked();
    this.#root ??= await directoryIdOf(this.#paths.root);
    if (await makeDirectories([dirname(timed), timed])) await this.#settled();
    await makeDirectories([turns, epochs, claims, beats, starts, nodes, ids, events, marks]);
    if (!this.#isProved) await this.#proveNames();
    this.#isProved = true;
  }

  async #refuseKernelLocks(): Promise<void> {
    if (await exists(this.#paths.primaryLock)) throw this.#failures.refused(KERNEL_LOCKS, UNLOCKED);
  }

  /** Whoever goes by kernel locks looks for this directory with the lock, so one of both sees the other. */
  async #settled(): Promise<void> {
    try {
      await this.#refuseKernelLocks();
    } catch (error) {
      // Else the other would be kept from leading by one that does not take part.
      await rmdir(this.#paths.timed).catch(() => undefined);
      throw error;
    }
  }

  async #marked(): Promise<string> {
    const { root, mark } = this.#paths;
    const own = join(root, `.failover.${randomBytes(6).toString('hex')}.tmp`);
    try {
      await writeAhead(own, `${randomBytes(16).toString('hex')}\n`);
      await giveName(own, mark);
    } catch (error) {
      throw this.#withoutNames(error);
    } finally {
      await removeAll([own]);
    }
    return (await contentOf(mark)) ?? '';
  }

  /** A name can be given once: all else follows from that. */
  async #proveNames(): Promise<void> {
    const path = join(this.#paths.claims, `0-${randomBytes(6).toString('hex')}`);
    const [first, second, given] = [`${path}.1`, `${path}.2`, `${path}.3`];
    try {
      for (const file of [first, second]) await writeAhead(file, file);
      const isGiven = await giveName(first, given);
      if (!isGiven || (await giveName(second, given))) throw this.#failures.refused(NAMES);
    } catch (error) {
      throw this.#withoutNames(error);
    } finally {
      await removeAll([first, second, given]);
    }
  }

  #withoutNames(error: unknown): unknown {
    const isWithout = WITHOUT_LINKS.has(errnoOf(error) ?? '');
    return isWithout ? this.#failures.refused(NAMES, OTHER_PLACE) : error;
  }
}

/** What file systems without hard links say to one. */
const WITHOUT_LINKS: ReadonlySet<string> = new Set([
  ...['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'],
]);

const MISSING = 'the directory does not exist, and it is not created automatically';
const ANOTHER = 'another directory is in its place, for example because a share is not mounted';
const NAMES = 'its file system does not support hard links, which decide who leads';
const OTHER_PLACE = 'Use a directory on a file system with hard links, such as NFS.';
const KERNEL_LOCKS =
  'the group there has used a lease of kernel locks, which other machines cannot see';
const UNLOCKED =
  'Once no node of the group runs without --lease-ttl, remove the `primary.lock` in its directory there; or use another directory.';
