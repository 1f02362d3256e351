// A node without a workload: it takes the lock for its term and runs promote and demote commands.
import type { LockDescription, Term } from '../runtime/ports.ts';
import { termMessage } from './environment.ts';
import { SupervisedWorkload } from './supervised-workload.ts';
import { takeWorkloadLock } from './workload-lock.ts';

/** A workload without a command. Its hooks inherit the lock, so the next node waits for them all the same. */
export class WatcherWorkload extends SupervisedWorkload {
  #description: LockDescription | null = null;

  protected async lead(term: Term): Promise<void> {
    const begun = await this.beginStart();
    this.requireEmpty();
    if (this.#description === null) await this.underWay(this.#takeLock(begun));
    this.activated(null);
    this.tellRoleIfPossible(termMessage(term, 'primary'));
  }

  /** A stop that comes meanwhile waits for it, and it keeps nothing then. */
  async #takeLock(begun: number): Promise<void> {
    const description = this.options.lock.open();
    try {
      await takeWorkloadLock(description);
      this.requireNotOvertaken(begun);
    } catch (error) {
      description.close();
      throw error;
    }
    this.#description = description;
  }

  deactivate(): Promise<void> {
    return Promise.reject(new Error('Only a hot workload keeps running as secondary'));
  }

  protected prepare(): Promise<void> {
    return Promise.resolve();
  }

  protected override activeLock(): LockDescription | null {
    return this.#description;
  }

  protected override releaseLock(): void {
    this.#description?.close();
    this.#description = null;
  }
}
