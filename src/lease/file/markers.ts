// The group's two durable marks: paused by a person, and completed by its workload.
import { rmSync } from 'node:fs';
import type { NodeRecord } from '../lease-store.ts';
import { parseJson, readBounded, replaceFile, syncDirectory } from './durable-file.ts';
import { statOrNull } from './file-identity.ts';
import type { GroupPaths } from './group-paths.ts';
import { fieldsOf, finite, text } from './record-fields.ts';
import { withStorageErrors } from './storage-error.ts';

/** The person who paused the group, and when (ISO 8601); unknown where the mark cannot be read. */
export interface PauseMark {
  readonly by: string | null;
  readonly at: string | null;
}

/** Durable when it returns; also for a client while no node runs. */
export function writePaused(paths: GroupPaths, paused: boolean, by: string): void {
  withStorageErrors(`${paused ? 'pause' : 'resume'} the group in ${paths.directory}`, () => {
    if (paused) {
      replaceFile(paths.paused, JSON.stringify({ by, at: new Date().toISOString() }));
      return;
    }
    rmSync(paths.paused, { force: true });
    syncDirectory(paths.marks);
  });
}

/** A mark that can't be read still counts: the name is what pauses. */
function isPaused(paths: GroupPaths): boolean {
  return statOrNull(paths.paused) !== null;
}

export function readPaused(paths: GroupPaths): PauseMark | null {
  if (!isPaused(paths)) return null;
  const fields = fieldsOf(parseJson(readBounded(paths.paused, MARK_LIMIT_BYTES) ?? ''));
  return { by: text(fields?.['by']), at: text(fields?.['at']) };
}

/** `atMs` on the monotonic clock that a node's `startedAtMonotonicMs` is of. */
export function writeCompleted(
  paths: GroupPaths,
  mark: { readonly epoch: number; readonly atMs: number; readonly bootId: string },
): void {
  withStorageErrors(`mark the group in ${paths.directory} as completed`, () => {
    replaceFile(paths.completed, JSON.stringify(mark));
  });
}

/** Whether the workload has completed since this node was started: then the node has nothing to do. */
export function isCompletedSince(paths: GroupPaths, node: NodeRecord): boolean {
  const content = readBounded(paths.completed, MARK_LIMIT_BYTES);
  const fields = content === null ? null : fieldsOf(parseJson(content));
  const atMs = finite(fields?.['atMs']);
  if (atMs === null || text(fields?.['bootId']) !== node.supervisor.bootId) return false;
  return atMs >= node.startedAtMonotonicMs;
}

const MARK_LIMIT_BYTES = 4096;
