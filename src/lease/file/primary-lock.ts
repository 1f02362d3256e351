// primary.lock: taken on the file that the name means now, and proved free after it was given back.
import { setTimeout as wait } from 'node:timers/promises';
import { findLockHolders } from '../../fence/lock-holders.ts';
import { describeProcess } from '../../fence/process-view.ts';
import { KernelLock } from './kernel-lock.ts';
import type { KernelLockDescription } from './kernel-lock.ts';

export class PrimaryLock {
  readonly #lock: KernelLock;

  constructor(path: string) {
    this.#lock = new KernelLock(path);
  }

  isFree(): boolean {
    return this.#lock.isFree();
  }

  /**
   * Takes the lock; null: another has it, or there is no file. A file that was replaced between two steps is tried
   * again.
   */
  take(): KernelLockDescription | null {
    for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt += 1) {
      const lock = this.#lock.openIfThere();
      if (lock === null) return null;
      let taken = false;
      try {
        taken = lock.tryLock();
        if (taken) return lock;
        if (lock.isNamed()) return null;
      } finally {
        if (!taken) lock.close();
      }
    }
    return null;
  }

  /**
   * Null once the lock could be taken again, or `isTaken` says that another has it already. A child that
   * was forked and has not yet called exec shares our description for an instant: hence the bounded
   * retries. What still has it after them is no copy of ours, all descriptors here are closed at exec: who
   * that is, or why nobody can tell, is the answer then.
   */
  async proveFree(isTaken: () => boolean): Promise<string | null> {
    let doubt = '';
    for (let attempt = 0; attempt < PROOF_ATTEMPTS; attempt += 1) {
      try {
        if (this.#lock.isFree() || isTaken()) return null;
        doubt = '';
      } catch (error) {
        doubt = `unknown: it cannot be inspected (${String(error)})`;
      }
      await wait(PROOF_INTERVAL_MS);
    }
    return doubt === '' ? this.#describeHolder() : doubt;
  }

  #describeHolder(): string {
    try {
      const [holder] = findLockHolders(this.#lock.path);
      if (holder !== undefined) return describeProcess(holder.pid);
    } catch {
      // Nothing to look with.
    }
    return 'a process that this user cannot inspect';
  }
}

const LOCK_ATTEMPTS = 5;

const PROOF_ATTEMPTS = 500;
const PROOF_INTERVAL_MS = 1;
