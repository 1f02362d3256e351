// A lease of files that ends by itself, asked for by --lease-ttl: the directory that is given is the one that machines
// share, and what a machine keeps for itself is elsewhere.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { timedDirectory } from '../lease/timed-file/timed-paths.ts';
import { defaultStateDir } from './state-dir.ts';

/** What is meant by `--lease file` then. */
export interface SharedState {
  readonly lease: string;
  /** Of this machine alone. */
  readonly stateDir: string;
}

export function sharedState(given: string | null): SharedState {
  const directory = resolve(given ?? defaultStateDir());
  return { lease: `file:${directory}`, stateDir: ownStateDir(directory) };
}

/** Where a directory has a timed lease of the group; null: it has none. */
export function foundSharedState(given: string | null, group: string): SharedState | null {
  const directory = resolve(given ?? defaultStateDir());
  return existsSync(timedDirectory(directory, group)) ? sharedState(directory) : null;
}

/** Another one for each shared directory: the same group may be in two of them. */
function ownStateDir(directory: string): string {
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 12);
  return `${defaultStateDir()}-timed/${name}`;
}
