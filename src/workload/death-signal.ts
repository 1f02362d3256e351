// Whether this system can signal a workload the moment its supervisor dies.
import { execa } from 'execa';
import { isMainThread } from 'node:worker_threads';
import { lackOfDescriptors } from '../spare-descriptors.ts';

let known: Promise<boolean> | null = null;

/** Like `tryDeathSignal`, but once for all nodes of this process: what the system could do it can do. Never rejects. */
export function probeDeathSignal(): Promise<boolean> {
  const found = (known ??= tryDeathSignal());
  // The probe may have failed for want of a descriptor, and is tried again then.
  void found.then((works) => {
    if (!works && known === found) known = null;
  });
  return found;
}

/**
 * Tries it once, with the program that every start will use; also takes execa's first-call cost
 * (about 5 ms) off the first promotion. Never rejects.
 */
export async function tryDeathSignal(): Promise<boolean> {
  // The kernel signals at the end of the *thread* that started the process.
  if (!isMainThread || process.platform !== 'linux') return false;
  if (lackOfDescriptors() !== null) return false;
  const result = await execa('setpriv', ['--pdeathsig', 'TERM', '--', 'sh', '-c', 'exit 0'], {
    reject: false,
    cleanup: false,
    stdio: 'ignore',
    timeout: PROBE_TIMEOUT_MS,
    verbose: 'none',
  });
  return result.exitCode === 0;
}

const PROBE_TIMEOUT_MS = 5000;
