// Stops a process so that it has stopped: of several threads some go on for a moment after the signal.
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Returns when each of its threads stands still, or it has ended; not waiting, so that nothing else happens meanwhile.
 */
export function bringToStandstill(pid: number): void {
  if (!signalIfThere(pid, 'SIGSTOP')) return;
  const untilMs = performance.now() + LIMIT_MS;
  while (!standsStill(pid)) {
    if (performance.now() > untilMs) throw new Error(`${String(pid)} does not stop`);
  }
}

/** False: it has ended. */
export function signalIfThere(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

const LIMIT_MS = 5_000;

/** The state is what follows the name, which may hold brackets itself. */
function standsStill(pid: number): boolean {
  const tasks = `/proc/${String(pid)}/task`;
  return tasksIn(tasks).every((task) => 'TtZ'.includes(stateOf(`${tasks}/${task}/stat`)));
}

function tasksIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

function stateOf(path: string): string {
  try {
    const stat = readFileSync(path, 'latin1');
    return stat.charAt(stat.lastIndexOf(')') + 2);
  } catch {
    // It has ended meanwhile.
    return 'Z';
  }
}
