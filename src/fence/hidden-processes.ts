// Processes of other users where /proc does not show them: mounted with `hidepid`, as on hardened machines.
import { readFileSync } from 'node:fs';
import { isOutOfResources } from '../out-of-resources.ts';
import { readStat } from './process-identity.ts';
import type { ProcessStat } from './process-identity.ts';

/**
 * What stands for a session whose members are all hidden, `sudo` for one: null where none is. The kernel
 * tells of a hidden process only whether somebody is in the process group of the first one.
 */
export function hiddenLeader(session: number): ProcessStat | null {
  if (!hidesProcesses() || !isOccupied(session)) return null;
  return {
    ...{ pid: session, group: session, session, parent: 0, threads: 1 },
    ...{ name: '', state: '?', startTime: HIDDEN },
  };
}

export function isHidden({ startTime }: Pick<ProcessStat, 'startTime'>): boolean {
  return startTime === HIDDEN;
}

/** No process has this start time: what is hidden is never signalled, as nobody can tell who it is. */
const HIDDEN = 'hidden';

let hides: boolean | undefined;

/** Whether /proc shows this user nothing of others. */
export function hidesProcesses(): boolean {
  return (hides ??= readHides());
}

/** The last mount on /proc is the one that is seen. */
function readHides(): boolean {
  try {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    const mount = mounts.findLast((line) => / \/proc .* - proc /.test(line));
    return mount !== undefined && /[ ,]hidepid=(?!0|off)/.test(mount);
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return false;
  }
}

/**
 * Whether a group has members. One that this user may signal and does not see has other rights by now; zombies are
 * seen.
 */
function isOccupied(group: number): boolean {
  try {
    process.kill(-group, 0);
    return readStat(group) === null;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
