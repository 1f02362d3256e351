// The pid that was given out last: what came since a look has a higher one.
import { readFileSync, statSync } from 'node:fs';
import { isOutOfResources } from '../out-of-resources.ts';
import { listPids } from './open-files.ts';

/**
 * In the pid namespace of this process; null: nothing here says it, and only a look at all shows what is new.
 *
 * @throws the system's error when it has nothing left to look with
 */
export function readNewestPid(): number | null {
  source ??= sourceIn('/proc');
  if (source === 'none') return null;
  try {
    const [, text = ''] = /(\d+)\s*$/.exec(readFileSync(source, 'latin1')) ?? [];
    return Number(text) > 0 ? Number(text) : null;
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return null;
  }
}

/** From now on: each time the processes that are listed and were not before. For where no newest pid is told. */
export function newSince(): () => readonly number[] {
  let before = new Set(listPids());
  return () => {
    const now = listPids();
    const added = now.filter((pid) => !before.has(pid));
    before = new Set(now);
    return added;
  };
}

/** Found once: what is mounted over files of /proc is mounted before anything runs there. */
let source: string | null = null;

/**
 * Containers of LXC have another file system's files over some of /proc, which tell of the whole machine: of pids of
 * another namespace. The kernel's own may be left beside them, and where neither is it is not known.
 */
export function sourceIn(proc: string): string {
  const own = deviceOf(`${proc}/self/stat`);
  const candidates = [`${proc}/loadavg`, `${proc}/sys/kernel/ns_last_pid`];
  return candidates.find((path) => own !== null && deviceOf(path) === own) ?? 'none';
}

function deviceOf(path: string): number | null {
  try {
    return statSync(path, { throwIfNoEntry: false })?.dev ?? null;
  } catch {
    return null;
  }
}
