// Tidies up after nodes that were killed: ends what their hot workloads left, then forgets their records.
import { dirname } from 'node:path';
import { messageOf } from '../error-message.ts';
import { isAlive } from '../fence/process-identity.ts';
import { endStandbyOrphans } from '../fence/standby-orphans.ts';
import type { NodeRecord } from '../lease/lease-store.ts';
import { roleFilePath } from '../lease/file/group-paths.ts';
import { KnownNodes } from './known-nodes.ts';
import type { NodeContext } from './node-parts.ts';

export class Tidying {
  readonly #node: NodeContext;
  readonly #known = new KnownNodes();
  #ending: Promise<ReadonlySet<string>> | null = null;
  #closed = false;
  #hurries = false;

  constructor(node: NodeContext) {
    this.#node = node;
  }

  /** In this order: to who comes later a record is the only trace of what its node left. Never rejects. */
  async tidy(): Promise<void> {
    if (this.#ending !== null) return;
    const lookedAfter = await this.endOrphans();
    if (this.#closed) return;
    try {
      this.#node.local.collectGarbage(lookedAfter);
    } catch (error) {
      this.#node.warn(`records of other nodes could not be read: ${messageOf(error)}`);
    }
  }

  /** Nothing is forgotten from here on: the lease is being closed. */
  close(): void {
    this.#closed = true;
  }

  /** What is left of every grace is skipped from here on. */
  hurry(): void {
    this.#hurries = true;
  }

  /** Ends orphans, one attempt at a time. Never rejects. @returns the runs of which nothing is left */
  endOrphans(): Promise<ReadonlySet<string>> {
    this.#ending ??= this.#endOrphans();
    return this.#ending;
  }

  /** Where one has ended all are read: what it noted last decides what of it is ended. */
  #recorded(): readonly NodeRecord[] {
    const { local } = this.#node;
    const records = local.records();
    return records.every(({ supervisor }) => isAlive(supervisor)) ? records : local.listNodes();
  }

  async #endOrphans(): Promise<ReadonlySet<string>> {
    const { options, local, settings, warn } = this.#node;
    const sources = {
      group: options.group,
      stateDir: dirname(local.paths.directory),
      workloadLockPath: local.paths.workloadLock,
      listNodes: () => this.#known.with(this.#recorded()),
      roleFileOf: (run: string) => roleFilePath(local.paths, run),
    };
    try {
      const lookedAfter = await endStandbyOrphans(sources, () => {
        if (this.#hurries) return { fenceGraceMs: 0, stopGraceMs: 0 };
        return { fenceGraceMs: settings.fenceGraceMs, stopGraceMs: settings.stopGraceMs };
      });
      this.#known.forget(lookedAfter);
      return lookedAfter;
    } catch (error) {
      warn(`what a killed node left could not be looked for: ${messageOf(error)}`);
      return new Set();
    } finally {
      this.#ending = null;
    }
  }
}
