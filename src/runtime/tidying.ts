// Tidies up after nodes that were killed: ends what their hot workloads left, then forgets their records.
import { dirname } from 'node:path';
import { endOrphanedHelpers } from '../fence/orphaned-helpers.ts';
import { messageOf } from './failures.ts';
import type { NodeContext } from './node-parts.ts';

export class Tidying {
  readonly #node: NodeContext;
  #ending: Promise<void> | null = null;
  #closed = false;

  constructor(node: NodeContext) {
    this.#node = node;
  }

  /** In this order: a record is the only trace of what its node left. Never rejects. */
  async tidy(): Promise<void> {
    if (this.#ending !== null) return;
    await this.endOrphans();
    if (this.#closed) return;
    try {
      this.#node.lease.collectGarbage();
    } catch (error) {
      this.#node.warn(`records of other nodes could not be looked at: ${messageOf(error)}`);
    }
  }

  /** Nothing is forgotten from here on: the lease is being closed. */
  close(): void {
    this.#closed = true;
  }

  /** One at a time. Never rejects. */
  endOrphans(): Promise<void> {
    this.#ending ??= this.#endOrphans();
    return this.#ending;
  }

  async #endOrphans(): Promise<void> {
    const { options, lease, settings, warn } = this.#node;
    const sources = {
      group: options.group,
      stateDir: dirname(lease.paths.directory),
      workloadLockPath: lease.paths.workloadLock,
      listNodes: () => lease.listNodes(),
    };
    try {
      await endOrphanedHelpers(sources, settings.fenceGraceMs);
    } catch (error) {
      warn(`what a killed node left could not be looked for: ${messageOf(error)}`);
    } finally {
      this.#ending = null;
    }
  }
}
