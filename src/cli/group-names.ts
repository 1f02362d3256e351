// Which groups a state directory has.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isGoodName } from '../config/names.ts';
import { defaultStateDir } from '../config/state-dir.ts';
import { groupPaths } from '../lease/file/group-paths.ts';
import { timedDirectory } from '../lease/timed-file/timed-paths.ts';

/** The most that are listed: one process has no more. */
const GROUPS_LIMIT = 10_000;

/** The names of the groups that have a directory there, sorted; none where it can't be read. */
export function groupNames(stateDir: string | null): readonly string[] {
  const directory = stateDir ?? defaultStateDir();
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  return names
    .filter((name) => isGoodName(name) && isGroup(directory, name))
    .sort()
    .slice(0, GROUPS_LIMIT);
}

/** What a node of it makes first. A directory that is closed to us may well be one. */
function isGroup(directory: string, name: string): boolean {
  const path = join(directory, name);
  return (
    existsSync(groupPaths(path).nodes) ||
    existsSync(timedDirectory(directory, name)) ||
    isClosed(path)
  );
}

function isClosed(path: string): boolean {
  try {
    readdirSync(path);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EACCES';
  }
}
