// Makes directories that only their owner may use.
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes `path` and what is missing above it, mode 0700; returns whether `path` had to be made. One level
 * at a time: Node's own `recursive` never returns where a file system refuses in unusual ways (/proc).
 *
 * @throws the system's error, for the first level that can't be made.
 */
export function makePrivateDirectory(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return false;
  const parent = dirname(path);
  if (parent !== path) makePrivateDirectory(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    // Another process was faster.
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    if (isThere) return false;
    throw error;
  }
}
