// Signals one process that is known for certain, and no other.
import { FailoverError } from '../../errors.ts';
import { isAlive } from '../../fence/process-identity.ts';
import type { ProcessIdentity } from '../../lease/lease-store.ts';

/**
 * Looks at who the process is and signals it in the next instruction; false: it is gone.
 *
 * @throws FAILOVER_NOT_PERMITTED
 */
export function signalProcess(target: ProcessIdentity, signal: NodeJS.Signals): boolean {
  try {
    return isAlive(target) && process.kill(target.pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    if (error.code === 'ESRCH') return false;
    throw new FailoverError(
      'FAILOVER_NOT_PERMITTED',
      `Cannot drill: pid ${String(target.pid)} may not be signalled`,
      { cause: error },
    );
  }
}

/** Whether this user may signal a process; of one that is gone nobody can say, and nothing forbids it. */
export function maySignal(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'EPERM');
  }
}
