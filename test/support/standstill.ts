// Stops a process so that it has stopped: of several threads some go on for a moment after the signal.
import { readdirSync, readFileSync } from 'node:fs';

/** Returns when each of its threads stands still; not waiting, so that nothing else happens meanwhile. */
export function bringToStandstill(pid: number): void {
  process.kill(pid, 'SIGSTOP');
  const untilMs = performance.now() + LIMIT_MS;
  while (!standsStill(pid)) {
    if (performance.now() > untilMs) throw new Error(`${String(pid)} does not stop`);
  }
}

const LIMIT_MS = 5_000;

/** The state is what follows the name, which may hold brackets itself. */
function standsStill(pid: number): boolean {
  const tasks = `/proc/${String(pid)}/task`;
  return readdirSync(tasks).every((task) => 'TtZ'.includes(stateOf(`${tasks}/${task}/stat`)));
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
