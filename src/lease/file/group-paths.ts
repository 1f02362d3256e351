// The names of everything in a group's directory.
import { join } from 'node:path';

export interface GroupPaths {
  /** The real path: every spelling and symbolic link of it is one group. */
  readonly directory: string;
  /** The lock that decides: held by the primary's supervisor alone. */
  readonly primaryLock: string;
  /** Whether anything is still active: inherited by each run of the workload. */
  readonly workloadLock: string;
  /** What proper-lockfile makes for `primaryLock`. */
  readonly lockfile: string;
  /** One hard link for each claimed epoch; the number is the name. */
  readonly epochs: string;
  /** One record for each node, written ahead of its claims. */
  readonly claims: string;
  /** One record for each node, kept up to date by it. */
  readonly nodes: string;
  /** What each node has seen and decided; nobody watches it. */
  readonly journal: string;
  /** Held by a node for the moment in which it registers. */
  readonly registeringLock: string;
  /** Held by a drill while it is under way; no node looks at it. */
  readonly drillLock: string;
  /** The directory of what follows: watched, so nothing that changes often is in it. */
  readonly marks: string;
  readonly paused: string;
  readonly completed: string;
}

export function groupPaths(directory: string): GroupPaths {
  const primaryLock = join(directory, 'primary.lock');
  const marks = join(directory, 'marks');
  return {
    directory,
    primaryLock,
    workloadLock: join(directory, 'workload.lock'),
    lockfile: `${primaryLock}.lock`,
    epochs: join(directory, 'epochs'),
    claims: join(directory, 'claims'),
    nodes: join(directory, 'nodes'),
    journal: join(directory, 'journal'),
    registeringLock: join(directory, 'registering.lock'),
    drillLock: join(directory, 'drill.lock'),
    marks,
    paused: join(marks, 'paused'),
    completed: join(marks, 'completed'),
  };
}

/** Where a node tells its workload its role; goes with the node's records. */
export function roleFilePath(paths: GroupPaths, run: string): string {
  return join(paths.directory, `role-${run}.json`);
}
