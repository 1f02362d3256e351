// A kernel lock on a file: it belongs to an open description and is free when its last copy is closed.
import { closeSync, constants, openSync } from 'node:fs';
import { tryLock, unlock } from 'fs-native-extensions';
import { FailoverError } from '../../errors.ts';
import type { LockDescription, WorkloadLock } from '../../runtime/ports.ts';
import { identityOfDescriptor, identityOfPath } from './file-identity.ts';
import { distrustLockTable, LockTableRow } from './lock-table.ts';
import { errnoOf, storageError, withStorageErrors } from './storage-error.ts';

/** One lockable file; each `open` makes a description that locks on its own. */
export class KernelLock implements WorkloadLock {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * A fresh description, not locked yet. It never makes the file: a removed one may still be locked.
   *
   * @throws FAILOVER_LEASE_LOST when the file is gone.
   */
  open(): KernelLockDescription {
    const description = this.openIfThere();
    if (description !== null) return description;
    throw new FailoverError('FAILOVER_LEASE_LOST', `Cannot open ${this.path}: it was removed`);
  }

  openIfThere(): KernelLockDescription | null {
    try {
      return new KernelLockDescription(this.path, openSync(this.path, constants.O_RDWR));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      throw storageError(`open ${this.path}`, error);
    }
  }

  /** Never: this lock knows only of the file that has the name. */
  hasDisplaced(): boolean {
    return false;
  }

  /** Whether it could be taken, found out by taking it on a fresh description for an instant. */
  isFree(): boolean {
    const description = this.openIfThere();
    if (description === null) return true;
    try {
      return takeLock(this.path, description.fd);
    } finally {
      description.close();
    }
  }
}

/** A plain descriptor: an object that could be collected would free the lock at any moment. */
export class KernelLockDescription implements LockDescription {
  readonly fd: number;
  readonly #path: string;
  #open = true;

  constructor(path: string, fd: number) {
    this.#path = path;
    this.fd = fd;
  }

  tryLock(): boolean {
    // The number of a closed descriptor may be that of another file by now.
    if (!this.#open) return false;
    // A lock on a file that the path no longer names keeps nobody out.
    return takeLock(this.#path, this.fd) && this.isNamed();
  }

  /** Whether the path still names the file that this description is of. */
  isNamed(): boolean {
    return identityOfPath(this.#path) === identityOfDescriptor(this.fd);
  }

  isReplaced(): boolean {
    const named = identityOfPath(this.#path);
    return named !== null && named !== identityOfDescriptor(this.fd);
  }

  unlock(): void {
    unlock(this.fd);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.fd);
  }
}

function takeLock(path: string, fd: number): boolean {
  try {
    return tryLock(fd);
  } catch (error) {
    throw noKernelLock(path, errnoOf(error) ?? String(error), error);
  }
}

/**
 * Tests by function, with a fresh file at `probePath`, that a second description is kept out.
 *
 * @throws FAILOVER_NO_KERNEL_LOCK, FAILOVER_STATE_DIR_*
 */
export function refuseWithoutKernelLock(probePath: string): void {
  const lock = new KernelLock(probePath);
  withStorageErrors(`write ${probePath}`, () => {
    closeSync(openSync(probePath, 'wx', 0o600));
  });
  const first = lock.open();
  try {
    const second = lock.open();
    try {
      if (!first.tryLock()) throw noKernelLock(probePath, 'a fresh file was locked already');
      if (second.tryLock()) throw noKernelLock(probePath, 'two holders had it at once');
      if (new LockTableRow(probePath).isHeld() === false) distrustLockTable();
    } finally {
      second.close();
    }
  } finally {
    first.close();
  }
}

function noKernelLock(path: string, fact: string, cause?: unknown): FailoverError {
  return new FailoverError('FAILOVER_NO_KERNEL_LOCK', `Cannot lock ${path}: ${fact}`, { cause });
}
