// A place at the starter of this process: the lock is taken there, and what is started inherits it.
import { identityOfDescriptor } from '../lease/file/file-identity.ts';
import { FailoverError } from '../errors.ts';
import type { LockDescription, WorkloadLock } from '../runtime/ports.ts';
import type { StartPlace } from '../workload/start-places.ts';
import type { StartLock } from '../workload/workload-lock.ts';
import { ownDescriptorPath, refusalIn, Starter } from './starter.ts';

let starter: Starter | null = null;

/** Made ready ahead: the first start takes no longer then. Never throws. */
export function openStarter(): void {
  try {
    if (starter === null || starter.isGone) starter = new Starter();
  } catch {
    // What is to be started is started by this process itself.
    starter = null;
  }
}

/** Null: there is none; by the next time there may be. @throws as `WorkloadLock.open` */
export function placeAtStarter(lock: WorkloadLock): StartPlace | null {
  if (starter?.isReady === true) return placeAt(starter, lock);
  openStarter();
  return null;
}

/** @throws as `WorkloadLock.open` */
export function placeAt(at: Starter, lock: WorkloadLock): StartPlace {
  const held = new HeldAtStarter(at, lock);
  return {
    description: held,
    spawn: (request) => held.spawn(request),
    leave: () => {
      held.close();
    },
  };
}

/**
 * A description of the starter's own, of the file that this process has open too: a descriptor can't be handed to a
 * process that runs already.
 */
class HeldAtStarter implements StartLock {
  readonly #starter: Starter;
  readonly #id: number;
  readonly #lock: WorkloadLock;
  /** Never locked: it says which file it is. */
  readonly #own: LockDescription;
  #isClosed = false;

  constructor(at: Starter, lock: WorkloadLock) {
    this.#starter = at;
    this.#id = at.newId();
    this.#lock = lock;
    this.#own = lock.open();
    at.tell(this.#id, {
      type: 'hold',
      file: ownDescriptorPath(this.fd),
      identity: identityOfDescriptor(this.fd),
    });
  }

  get fd(): number {
    return this.#own.fd;
  }

  async tryLock(): Promise<boolean> {
    const answer = await this.#starter.ask(this.#id, { type: 'lock' });
    // A lock on a file that the path no longer names keeps nobody out.
    if (answer.type === 'locked') return answer.isLocked && !this.#isClosed && this.#isNamed();
    throw new FailoverError(
      'FAILOVER_PROMOTION_FAILED',
      `Cannot start the workload: its lock cannot be taken: ${refusalIn(answer).code}`,
    );
  }

  spawn(request: Parameters<StartPlace['spawn']>[0]): ReturnType<StartPlace['spawn']> {
    return this.#starter.spawn(this.#id, request);
  }

  isReplaced(): boolean {
    return this.#own.isReplaced();
  }

  unlock(): void {
    throw new Error('unlock: what runs on as secondary is not started here');
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#own.close();
    this.#starter.tell(this.#id, { type: 'release' });
  }

  #isNamed(): boolean {
    let named: LockDescription;
    try {
      named = this.#lock.open();
    } catch {
      return false;
    }
    try {
      return identityOfDescriptor(named.fd) === identityOfDescriptor(this.fd);
    } finally {
      named.close();
    }
  }
}
