// What can be told of another pid namespace of this machine, whose processes may not be seen from here.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isOutOfResources } from '../out-of-resources.ts';
import { ownIdentity, procIsUsable, readStat } from './process-identity.ts';
import type { ProcessStat } from './process-identity.ts';

/**
 * Whether it is proved that no process is left in that namespace. Only from the namespace that all others
 * lie in: from any other one nothing is seen of those beside it. A namespace has its pid 1 until its last
 * process has ended, so a process that forks and ends hides none. A look at all processes: for rare use.
 *
 * @throws the system's error when it has nothing left to look with
 */
export function isNamespaceEmpty(pidNamespace: string): boolean {
  if (!procIsUsable() || ownIdentity().pidNamespace !== INITIAL_NAMESPACE) return false;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  // Where /proc is mounted so that it hides other users' processes, the first of all is not listed either.
  return pids.includes('1') && pids.every((pid) => isElsewhere(pid, pidNamespace));
}

/**
 * Whether the kernel ends this process's namespace, with all that runs in it, once this process has ended:
 * it is the first one there, or the child that the first one waits for in order to end.
 */
export function endsOwnNamespace(): boolean {
  if (process.pid === 1) return true;
  if (process.ppid !== 1 || !INITS.has(readStat(1)?.name ?? '')) return false;
  const own = readStat(process.pid);
  // The main child is the first that this process had. Others were left to it by their parents.
  return own !== null && otherChildrenOf(1).every((other) => isBefore(own, other));
}

/** The inits of containers (`docker run --init`): they end as soon as the one command ends that they run. */
const INITS: ReadonlySet<string> = new Set([
  ...['tini', 'tini-static', 'docker-init', 'podman-init'],
  ...['dumb-init', 'catatonit'],
]);

function otherChildrenOf(parent: number): readonly ProcessStat[] {
  return readdirSync('/proc').flatMap((name) => {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : null;
    return stat?.parent === parent && stat.pid !== process.pid ? [stat] : [];
  });
}

function isBefore(a: ProcessStat, b: ProcessStat): boolean {
  return BigInt(a.startTime) < BigInt(b.startTime);
}

/** The number of the first namespace, the same on every machine: PROC_PID_INIT_INO of the kernel. */
const INITIAL_NAMESPACE = String(0xeffffffc);

function isElsewhere(pid: string, pidNamespace: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`) !== `pid:[${pidNamespace}]`;
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return isGoneOrOutside(pid);
  }
}

/** Another user's: it has a pid in each namespace that it is seen in, and that is readable to all. */
function isGoneOrOutside(pid: string): boolean {
  try {
    const pids = /^NSpid:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return pids !== undefined && /^\d+$/.test(pids.trim());
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return error instanceof Error && 'code' in error && GONE.has(error.code);
  }
}

const GONE: ReadonlySet<unknown> = new Set(['ENOENT', 'ESRCH']);
