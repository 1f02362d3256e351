// What a client of the command line sees of a group: nothing is registered, made or changed.
import { accessSync, constants, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { LeaseObservation } from '../../core/state.ts';
import { FailoverError } from '../../errors.ts';
import { SeenLocks } from '../../fence/lock-holders.ts';
import { statOrNull } from './file-identity.ts';
import { groupPaths } from './group-paths.ts';
import type { GroupPaths } from './group-paths.ts';
import { GroupView } from './group-view.ts';
import { LockSight } from './lock-sight.ts';
import { LockTableRow } from './lock-table.ts';
import { lookingParts } from './looking-parts.ts';
import { readPaused } from './markers.ts';
import type { PauseMark } from './markers.ts';
import { listNodes } from './node-registry.ts';
import type { RegisteredNode } from './node-registry.ts';
import { errnoOf, storageError } from './storage-error.ts';

export interface GroupPeek {
  readonly paths: GroupPaths;
  readonly observation: LeaseObservation;
  readonly nodes: readonly RegisteredNode[];
  readonly pause: PauseMark | null;
}

/** Locks seen by this process, which may look at many groups. */
const SEEN = new SeenLocks();

/**
 * One look at a group; null: its directory does not exist. `observation.recordUnreadable` says that the
 * highest epoch's record can't be read, whoever holds the lease.
 *
 * @throws FAILOVER_STATE_DIR_* when the directory can't be looked at.
 */
export function peekGroup(stateDir: string, group: string): GroupPeek | null {
  const wanted = join(stateDir, group);
  let directory: string;
  try {
    directory = realpathSync(wanted);
    // The dot refuses a file. What is inside is looked at in many ways, and each would fail in its own.
    accessSync(`${directory}/.`, constants.R_OK | constants.X_OK);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT') return null;
    throw code === 'EACCES' ? closedToUs(wanted, error) : storageError(`look at ${wanted}`, error);
  }
  const paths = groupPaths(directory);
  const nodes = listNodes(paths);
  const row = new LockTableRow(paths.primaryLock);
  // A client takes nothing, not even for an instant: it asks the kernel's table, and where there is none
  // it believes the registered nodes.
  const couldBeTaken = (): boolean => !(row.isHeld() ?? nodes.some((node) => node.alive));
  const sight = new LockSight(paths.primaryLock, couldBeTaken, SEEN);
  const observation = new GroupView(lookingParts(paths), (recorded) =>
    sight.isHeld(recorded),
  ).observe();
  return { paths, observation, nodes, pause: readPaused(paths) };
}

/** Looking needs no directory that can be written: the advice of the table of errors is for those who start a node. */
function closedToUs(path: string, cause: unknown): FailoverError {
  const owner = statOrNull(path)?.uid ?? null;
  const own = process.geteuid?.();
  const isForeign = owner !== null && own !== undefined && owner !== BigInt(own);
  const fact = isForeign
    ? `it belongs to user ${String(owner)}, not to this user, ${String(own)}`
    : 'permission denied';
  return new FailoverError('FAILOVER_STATE_DIR_NOT_WRITABLE', `Cannot read ${path}: ${fact}`, {
    cause,
    hint: 'Run it as the user who started the group, or as root, or point --state-dir at another directory.',
  });
}
