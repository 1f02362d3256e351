// Where a node keeps its state and its sockets when it is not told: root's places and the user's.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** What the default directories depend on. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  readonly home: string;
  /** The text of the user database. */
  readonly readPasswd: () => string;
}

/** The surroundings of this process. */
export function ownSurroundings(): Surroundings {
  return {
    env: process.env,
    uid: process.getuid?.() ?? 0,
    home: homedir(),
    readPasswd: () => readFileSync('/etc/passwd', 'utf8'),
  };
}

/**
 * The state directory of a node that was given none: `/var/lib/failover` for root, otherwise
 * `$XDG_STATE_HOME/failover` or `~/.local/state/failover`.
 */
export function defaultStateDir(surroundings: Surroundings = ownSurroundings()): string {
  return surroundings.uid === 0 ? ROOT_STATE_DIR : userStateDir(surroundings);
}

/**
 * The state directory that the same person would use with the other rights: root's for a user, and
 * for root under sudo the one of the user who called it. `null` when there is no such user.
 *
 * It holds only for the user's default place: their `XDG_STATE_HOME` is not known to root.
 */
export function otherDefaultStateDir(
  surroundings: Surroundings = ownSurroundings(),
): string | null {
  if (surroundings.uid !== 0) return ROOT_STATE_DIR;
  const user = surroundings.env['SUDO_USER'];
  if (user === undefined || user === '' || user === 'root') return null;
  const home = homeOf(user, surroundings);
  return home === null ? null : join(home, USER_STATE_DIR);
}

/**
 * Where sockets go: `/run/failover` for root, otherwise `$XDG_RUNTIME_DIR/failover` or
 * `/tmp/failover-<uid>`. Short, since a socket's path may have 107 bytes at most.
 *
 * For root `XDG_RUNTIME_DIR` does not count: sudo can leave the user's in place, and a login's
 * directory is removed when it ends.
 */
export function defaultRuntimeDir(surroundings: Surroundings = ownSurroundings()): string {
  if (surroundings.uid === 0) return '/run/failover';
  const base = absolutePathIn(surroundings.env, 'XDG_RUNTIME_DIR');
  return base === null ? `/tmp/failover-${String(surroundings.uid)}` : join(base, 'failover');
}

const ROOT_STATE_DIR = '/var/lib/failover';
const USER_STATE_DIR = '.local/state/failover';

function userStateDir({ env, home }: Surroundings): string {
  const base = absolutePathIn(env, 'XDG_STATE_HOME');
  return base === null ? join(home, USER_STATE_DIR) : join(base, 'failover');
}

/** An XDG directory; by its specification a relative path is to be ignored. */
function absolutePathIn(env: Surroundings['env'], name: string): string | null {
  const value = env[name];
  return value !== undefined && isAbsolute(value) ? value : null;
}

/** The home of another user, or `null` when the user database does not tell. */
function homeOf(user: string, { readPasswd }: Surroundings): string | null {
  let passwd: string;
  try {
    passwd = readPasswd();
  } catch {
    return null;
  }
  for (const line of passwd.split('\n')) {
    const fields = line.split(':');
    const home = fields[5];
    if (fields[0] === user && home !== undefined && isAbsolute(home)) return home;
  }
  return null;
}
