// Finds the program of a command before it is needed, so that a wrong name is an error and no exit code.
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { FailoverError } from '../errors.ts';

/**
 * The path of a command's program, found as `exec` finds it.
 *
 * @throws FAILOVER_COMMAND_NOT_FOUND when nothing has that name; FAILOVER_COMMAND_NOT_EXECUTABLE
 *   when something has, but it is a directory or may not be run.
 */
export function resolveCommand(name: string, environment: NodeJS.ProcessEnv): string {
  let refused: FailoverError | null = null;
  for (const candidate of candidates(name, environment)) {
    const found = examine(candidate);
    if (found === 'executable') return candidate;
    if (found !== 'absent') refused ??= notExecutable(name, candidate, found);
  }
  if (refused !== null) throw refused;
  const where = name.includes('/') ? 'the file does not exist' : 'it is not in the PATH';
  throw new FailoverError('FAILOVER_COMMAND_NOT_FOUND', `Cannot run ${quoted(name)}: ${where}`);
}

/** What a POSIX shell searches when there is no PATH at all. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function candidates(name: string, environment: NodeJS.ProcessEnv): string[] {
  if (name === '') return [];
  if (name.includes('/')) return [resolve(name)];
  // An empty entry of the PATH means the working directory.
  return (environment['PATH'] ?? DEFAULT_PATH).split(':').map((entry) => resolve(entry, name));
}

type Obstacle = 'is a directory' | 'is not executable';

function notExecutable(name: string, path: string, obstacle: Obstacle): FailoverError {
  const message = `Cannot run ${name}: ${path} ${obstacle}`;
  // What may be done about a file is no help with a directory.
  const hint = { hint: 'Use the path of a program.' };
  const options = obstacle === 'is a directory' ? hint : {};
  return new FailoverError('FAILOVER_COMMAND_NOT_EXECUTABLE', message, options);
}

function examine(path: string): 'absent' | 'executable' | Obstacle {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return 'absent';
    if (stats.isDirectory()) return 'is a directory';
    accessSync(path, constants.X_OK);
    return stats.isFile() ? 'executable' : 'is not executable';
  } catch (error) {
    // ENOTDIR: a part of the path is a file. Anything else hides it or forbids it.
    const code = error instanceof Error && 'code' in error ? error.code : '';
    return code === 'ENOTDIR' || code === 'ENAMETOOLONG' ? 'absent' : 'is not executable';
  }
}

function quoted(name: string): string {
  return name === '' ? '""' : name;
}
