// A leader that is configured and never changes: everything goes to one address.
import { isSamePlace, parsePeerAddress } from '../config/peer-address.ts';
import { FailoverError } from '../errors.ts';
import type { ManagedLeader } from './leader-provider.ts';

export interface StaticLeaderOptions {
  /** The address of the leader. */
  readonly target: string;
  /** The address of this node, if it has one: the leader itself is none of its own followers. */
  readonly localTarget?: string;
}

/** For the nodes that follow; the one that leads has none, and takes all writes itself. */
export class StaticLeader implements ManagedLeader {
  readonly kind = 'static';
  readonly #target: string;

  /**
   * @throws FAILOVER_BAD_OPTION for an address, FAILOVER_SETTINGS_CONFLICT when it is that of this node: what it
   *   forwards would come back to it for ever
   */
  constructor({ target, localTarget }: StaticLeaderOptions) {
    this.#target = parsePeerAddress(target, 'target');
    if (localTarget === undefined) return;
    if (!isSamePlace(this.#target, parsePeerAddress(localTarget, 'localTarget'))) return;
    throw new FailoverError(
      'FAILOVER_SETTINGS_CONFLICT',
      `Cannot forward to the leader ${this.#target}: it is this node itself`,
      { hint: 'Do not set a static leader on the leader itself: it then accepts all writes.' },
    );
  }

  isLeader(): boolean {
    return false;
  }

  redirectTarget(): string {
    return this.#target;
  }

  /** There is nothing to begin: as that of an election, so that either can be wired in. */
  start(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
