// A group's directory as one node of this machine has it: its record, what it has started, and the lock that
// what runs inherits. It is there whatever decides who leads.
import { join } from 'node:path';
import type { Endpoints } from '../../core/state.ts';
import type { Remains } from '../../fence/leftovers.ts';
import type { NodeRecord, SessionLedger, SessionRecord } from '../lease-store.ts';
import type { ReadFileSystemType } from './file-system-kind.ts';
import { FileSight } from './file-sight.ts';
import { Foundation, WHOLE_MACHINE } from './foundation.ts';
import type { RemovedFilesSearch } from './foundation.ts';
import { Garbage } from './garbage.ts';
import type { GroupPaths } from './group-paths.ts';
import { Membership } from './membership.ts';
import type { Removal } from './membership.ts';
import { listNodes } from './node-registry.ts';
import type { RegisteredNode } from './node-registry.ts';
import { livingOutOfSight, OutOfSight } from './out-of-sight.ts';
import { isRecordLocked } from './record-lock.ts';
import { StrayFiles } from './stray-files.ts';
import { WorkloadLockFile } from './workload-lock-file.ts';

export interface LocalGroupOptions {
  readonly stateDir: string;
  /** What this node says of itself; `group` names the directory, `run` the files. */
  readonly record: Omit<NodeRecord, 'v' | 'sessions'>;
  /** False: a server keeps the epochs, and none that is higher than what is noted here tells of other lock files. */
  readonly notesEpochs?: boolean;
  readonly environment?: Partial<LocalGroupEnvironment>;
}

/** What is asked of the machine; replaced by tests. */
export interface LocalGroupEnvironment extends RemovedFilesSearch {
  /** Monotonic, ms, the clock of `startedAtMonotonicMs`. */
  readonly now: () => number;
  readonly readFileSystemType: ReadFileSystemType | undefined;
}

export class LocalGroup implements SessionLedger {
  readonly paths: GroupPaths;
  readonly sight: FileSight = new FileSight();
  readonly workloadLock: WorkloadLockFile;
  readonly membership: Membership;
  readonly foundation: Foundation;
  readonly now: () => number;
  readonly #garbage: Garbage;
  readonly #outOfSight: OutOfSight;
  readonly #strayFiles: StrayFiles;

  /**
   * Makes or finds the directory and registers the node.
   *
   * @throws FAILOVER_NODE_TAKEN, FAILOVER_OTHER_BOOT, FAILOVER_OTHER_NAMESPACE and all that
   *   `openStateDirectory` throws; nothing is left open then
   */
  constructor({ stateDir, record, notesEpochs = true, environment }: LocalGroupOptions) {
    const { now, readFileSystemType, ...search }: LocalGroupEnvironment = {
      now: monotonicMs,
      readFileSystemType: undefined,
      ...WHOLE_MACHINE,
      ...environment,
    };
    this.now = now;
    this.membership = new Membership({
      stateDir,
      record: { v: 1, ...record, sessions: [] },
      readFileSystemType,
      sight: this.sight,
      now,
      onRemade: () => {
        this.foundation.leaveEpoch(this.foundation.memory.recall());
      },
    });
    this.paths = this.membership.paths;
    this.workloadLock = new WorkloadLockFile(this.paths.workloadLock, this.sight);
    this.#garbage = new Garbage(this.paths, now);
    this.#outOfSight = new OutOfSight({ paths: this.paths, now });
    this.#strayFiles = new StrayFiles(this.paths, now);
    this.foundation = new Foundation({
      paths: this.paths,
      sight: this.sight,
      membership: this.membership,
      search,
      workloadLock: this.workloadLock,
      notesEpochs,
      now,
    });
    try {
      this.foundation.prepare(0);
      this.collectGarbage();
      // A primary looks again, and each node at its end: a standby keeps nothing of it.
      this.#garbage.forget();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The last removal of the directory, or of its epochs alone, that this node noticed; null: none. */
  get removal(): Removal | null {
    return this.membership.removal;
  }

  setSessions(sessions: readonly SessionRecord[]): void {
    this.membership.rewrite({ ...this.membership.record, sessions });
  }

  /** For a node that had to bind its sockets anew. */
  updateEndpoints(endpoints: Endpoints): void {
    this.membership.rewrite({ ...this.membership.record, endpoints });
    this.membership.rewriteClaim();
  }

  listNodes(): RegisteredNode[] {
    return listNodes(this.paths);
  }

  /** Every readable record, none read again that has not changed: for callers that look every few seconds. */
  records(): readonly NodeRecord[] {
    return this.#garbage.records();
  }

  /** The ids of living nodes whose processes can't be seen from here, nor ours from there. */
  nodesOutOfSight(): readonly string[] {
    return [...new Set(livingOutOfSight(this.paths).map(({ node }) => node))].sort();
  }

  /** Whether a living node keeps this very record: not one of an earlier time that was put back. */
  isKept({ run }: NodeRecord): boolean {
    return isRecordLocked(join(this.paths.nodes, `${run}.json`));
  }

  /** What these nodes started in other pid namespaces and may run still: nobody starts beside it. */
  unseenRemains(nodes: readonly NodeRecord[]): readonly Remains[] {
    return this.#outOfSight.remainsOf(nodes);
  }

  /**
   * Removes the records of nodes that ended and left nothing, of hot ones only those that were looked
   * after, and what they were killed in the middle of; returns how many records went.
   */
  collectGarbage(lookedAfter: ReadonlySet<string> = new Set()): number {
    this.#strayFiles.collect();
    return this.#garbage.collect({
      lookedAfter,
      starter: () => this.foundation.memory.starter,
      isGoneElsewhere: (record) => this.#outOfSight.isGone(record),
    });
  }

  /** A record with sessions that still run stays, for those who empty them. */
  close(): void {
    this.foundation.close();
    this.membership.close();
  }
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
