// Nodes of this machine in other pid namespaces: neither side sees the processes of the other, only its locks.
import { join } from 'node:path';
import { FailoverError } from '../../errors.ts';
import type { Remains } from '../../fence/leftovers.ts';
import { isNamespaceEmpty } from '../../fence/pid-namespaces.ts';
import { bootId, isComparable } from '../../fence/process-identity.ts';
import type { NodeRecord } from '../lease-store.ts';
import type { GroupPaths } from './group-paths.ts';
import { listNodes } from './node-registry.ts';
import { isRecordLocked } from './record-lock.ts';

/**
 * Refuses to take part beside a living node of another pid namespace. Called before this node registers and
 * once more after it has: should two come to do so at once, each is found by the other, or by one of them.
 *
 * @throws FAILOVER_OTHER_NAMESPACE
 */
export function refuseOtherNamespaces(paths: GroupPaths, own: NodeRecord): void {
  const [other] = livingOutOfSight(paths);
  if (other === undefined) return;
  throw new FailoverError(
    'FAILOVER_OTHER_NAMESPACE',
    `Cannot start node ${own.node}: node ${other.node} of group ${own.group} (pid ` +
      `${String(other.supervisor.pid)} there, host ${other.host}) runs in another pid namespace of this ` +
      'machine, and neither could see or kill the processes of the other',
  );
}

/** The living nodes of other pid namespaces of this machine. */
export function livingOutOfSight(paths: GroupPaths): readonly NodeRecord[] {
  return listNodes(paths).filter(
    (record) => isOutOfSight(record) && isRecordLocked(recordPath(paths, record)),
  );
}

/** Judges what ended nodes of other pid namespaces have started and did not end; remembers what is proved. */
export class OutOfSight {
  readonly #paths: GroupPaths;
  readonly #now: () => number;
  readonly #isNamespaceEmpty: (pidNamespace: string) => boolean;
  /** Since when each run whose namespace ends with it is known to have ended. */
  #endedSince: ReadonlyMap<string, number> = new Map();

  constructor(parts: {
    readonly paths: GroupPaths;
    /** Monotonic, ms. */
    readonly now: () => number;
    readonly isNamespaceEmpty?: (pidNamespace: string) => boolean;
  }) {
    this.#paths = parts.paths;
    this.#now = parts.now;
    this.#isNamespaceEmpty = parts.isNamespaceEmpty ?? isNamespaceEmpty;
  }

  /** What of these nodes may still run, out of sight. */
  remainsOf(nodes: readonly NodeRecord[]): readonly Remains[] {
    const unseen = nodes.filter(isOutOfSight);
    const runs = new Set(unseen.map(({ run }) => run));
    this.#endedSince = new Map([...this.#endedSince].filter(([run]) => runs.has(run)));
    return unseen.flatMap((record) => {
      const why = this.#whyItRemains(record);
      const { pidNamespace } = record.supervisor;
      const description = `what node ${record.node} started in pid namespace ${pidNamespace}`;
      return why === null ? [] : [{ description, why }];
    });
  }

  /** Whether a node has ended and all that it started is proved gone. */
  isGone(record: NodeRecord): boolean {
    return !isRecordLocked(recordPath(this.#paths, record)) && this.#whyItRemains(record) === null;
  }

  /** Why what a record names may still be active; null: it left nothing that could be. */
  #whyItRemains(record: NodeRecord): string | null {
    const path = recordPath(this.#paths, record);
    const { supervisor, sessions } = record;
    if (isRecordLocked(path)) {
      // A live node's gate or hot standby does nothing twice.
      if (!sessions.some(({ active }) => active)) return null;
      return 'that node is running, but its processes cannot be seen from here: stop it, or this one';
    }
    if (sessions.length === 0) return null;
    if (record.endsNamespace) return this.#isSettled(record.run) ? null : ENDING;
    if (this.#isNamespaceEmpty(supervisor.pidNamespace)) return null;
    return `that node ended unexpectedly, but its processes cannot be seen from here: kill them where they run, then remove ${path}`;
  }

  /**
   * With its first process the kernel ends a namespace: it closes that one's files, which is all that is
   * seen of its end from here, and kills all others next. It has to come to that.
   */
  #isSettled(run: string): boolean {
    const now = this.#now();
    const since = this.#endedSince.get(run) ?? now;
    this.#endedSince = new Map([...this.#endedSince, [run, since]]);
    return now - since >= SETTLING_MS;
  }
}

const ENDING = 'the namespace ends with that node';

/** Far longer than the kernel takes from the one step to the next, also on a busy machine. */
const SETTLING_MS = 1000;

/** Whether a node is of this boot, so that it may live, but in a namespace whose pids mean nothing here. */
function isOutOfSight({ supervisor }: NodeRecord): boolean {
  return supervisor.bootId === bootId() && !isComparable(supervisor);
}

function recordPath(paths: GroupPaths, { run }: NodeRecord): string {
  return join(paths.nodes, `${run}.json`);
}
