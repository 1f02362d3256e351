// Programs that take all the CPU they get, beside what is tried.
import { spawn } from 'node:child_process';

/** More than that many a machine has no room for. */
export const MOST_LOOPS = 512;

/**
 * Starts as many. They end with this process, however that ends, and each after a time of its own at the latest.
 *
 * @returns the end of all
 */
export function startLoops(count: number): () => void {
  const loops = Array.from({ length: count }, () =>
    spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'sh', '-c', LOOP], { stdio: 'ignore' }),
  );
  return () => {
    for (const loop of loops) loop.kill('SIGKILL');
  };
}

/** Ended by the kernel after ten minutes of the CPU: more than the trials take of it. */
const LOOP = 'ulimit -t 600 && while :; do :; done';
