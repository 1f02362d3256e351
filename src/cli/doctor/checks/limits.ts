// What this user may have at most: open files, processes, memory, watches.
import { mkdirSync, readFileSync, watch } from 'node:fs';
import { freemem } from 'node:os';
import { FOR_NODE } from '../../../spare-descriptors.ts';
import { errnoOf } from '../../../lease/file/storage-error.ts';
import { failure, ok, warning } from '../check.ts';
import type { Check, Finding } from '../check.ts';
import type { Place } from '../place.ts';

export const LIMIT_CHECKS: readonly Check[] = [
  {
    id: 'open-files',
    question: 'How many files can a node open?',
    run: () => judgeOpenFiles(limitOf(textOf('/proc/self/limits'), 'Max open files')),
  },
  {
    id: 'processes',
    question: 'How many processes can this user and this cgroup have?',
    run: () =>
      judgeProcesses(limitOf(textOf('/proc/self/limits'), 'Max processes'), cgroupUse('pids')),
  },
  {
    id: 'memory',
    question: 'How much memory is left, on the machine and in this cgroup?',
    run: () => judgeMemory(availableBytes(), readMemoryCgroup()),
  },
  {
    id: 'inotify',
    question: 'Can a directory be watched?',
    run: watchDirectory,
  },
];

/** What a cgroup has of something, and may have at most; null: there is no limit. */
export interface CgroupUse {
  readonly current: number;
  readonly max: number;
}

/** The soft limit; null: it is not told. Exported for its tests. */
export function limitOf(limits: string, name: string): number | null {
  const line = limits.split('\n').find((candidate) => candidate.startsWith(name));
  const [soft] = line?.slice(name.length).trim().split(/\s+/) ?? [];
  if (soft === undefined || soft === '') return null;
  return soft === 'unlimited' ? Infinity : Number(soft);
}

/** Exported for its tests. */
export function judgeOpenFiles(limit: number | null): Finding {
  if (limit === null) return ok('The open file limit is not known here');
  const fact = `A process may open ${shown(limit)} files`;
  // What a node of its own has open at the start, and what it wants to be left then.
  if (limit < OPEN_AT_START + FOR_NODE) {
    return failure(
      fact,
      'Raise it, for example with `ulimit -n 1024`: a node does not start below 96.',
    );
  }
  if (limit >= ENOUGH_FILES) return ok(fact);
  return warning(fact, 'Raise it with `ulimit -n 1024`: each connected node uses some.');
}

const OPEN_AT_START = 32;
const ENOUGH_FILES = 256;

/** Exported for its tests. */
export function judgeProcesses(limit: number | null, cgroup: CgroupUse | null): Finding {
  const least = Math.min(
    limit ?? Infinity,
    cgroup === null ? Infinity : cgroup.max - cgroup.current,
  );
  const facts = [
    ...(limit === null ? [] : [`this user may have ${shown(limit)} processes`]),
    ...(cgroup === null
      ? []
      : [`the cgroup has ${String(cgroup.current)} of ${shown(cgroup.max)}`]),
  ];
  const fact = capitalized(facts.join(', ') || 'no process limit is known here');
  if (least < FEWEST_PROCESSES) return failure(fact, MORE_PROCESSES);
  return least < FEW_PROCESSES ? warning(fact, MORE_PROCESSES) : ok(fact);
}

const MORE_PROCESSES = 'Raise `ulimit -u`, TasksMax= of the unit, or pids.max of the container.';

/** A node has some threads, and starts a guard, a gate and hooks. */
const FEWEST_PROCESSES = 24;
const FEW_PROCESSES = 64;

/** Exported for its tests. */
export function judgeMemory(availableBytesNow: number, cgroup: CgroupUse | null): Finding {
  const left = cgroup === null ? Infinity : cgroup.max - cgroup.current;
  const facts = [
    `${mebibytes(availableBytesNow)} MiB of memory are available`,
    ...(cgroup === null ? [] : [`the cgroup has ${mebibytes(left)} MiB left`]),
  ];
  const fact = facts.join(', ');
  const least = Math.min(availableBytesNow, left);
  const advice = 'Provide more memory: a node uses about 60 MiB, plus what it starts.';
  // Never a failure: what else is in the cache may be given up too, and a node may start with less.
  return least < 128 * 2 ** 20 ? warning(fact, advice) : ok(fact);
}

/** What could be had without swapping. */
function availableBytes(): number {
  const kilobytes = /^MemAvailable:\s+(\d+) kB/m.exec(textOf('/proc/meminfo'))?.[1];
  return kilobytes === undefined ? freemem() : Number(kilobytes) * 1024;
}

/** Without the files in its cache that nobody has used recently: the kernel gives them up before anybody runs out. */
function readMemoryCgroup(): CgroupUse | null {
  const found = cgroupUse('memory');
  if (found === null) return null;
  const cached = inactiveFileBytes(textOf(`${found.directory}/memory.stat`));
  return { current: Math.max(0, found.current - cached), max: found.max };
}

/** Of the whole cgroup, in either version's words. Exported for its tests. */
export function inactiveFileBytes(stat: string): number {
  const legacy = /^total_inactive_file (\d+)$/m.exec(stat)?.[1];
  return Number(legacy ?? /^inactive_file (\d+)$/m.exec(stat)?.[1] ?? 0);
}

/** Of version 2, and where there is none of version 1; null: there is no limit. */
function cgroupUse(
  controller: 'pids' | 'memory',
): (CgroupUse & { readonly directory: string }) | null {
  const lines = textOf('/proc/self/cgroup').split('\n');
  const unified = lines.find((line) => line.startsWith('0::'))?.slice(3);
  const legacy = lines.find((line) => line.split(':')[1]?.split(',').includes(controller) === true);
  const legacyNames =
    controller === 'pids'
      ? (['pids.current', 'pids.max'] as const)
      : (['memory.usage_in_bytes', 'memory.limit_in_bytes'] as const);
  const legacyPath = legacy?.split(':')[2];
  const places = [
    ...(unified === undefined ? [] : [`/sys/fs/cgroup${unified}`, '/sys/fs/cgroup']).map(
      (directory) => [directory, `${controller}.current`, `${controller}.max`] as const,
    ),
    ...(legacyPath === undefined ? [] : [legacyPath, '']).map(
      (below) => [`/sys/fs/cgroup/${controller}${below}`, ...legacyNames] as const,
    ),
  ];
  for (const [directory, current, max] of places) {
    const [used, most] = [current, max].map((name) =>
      Number(textOf(`${directory}/${name}`) || Number.NaN),
    );
    // `max`: there is none here; one of a cgroup above is not looked for.
    if (used !== undefined && most !== undefined && used >= 0 && most > 0) {
      return most < NO_LIMIT ? { directory, current: used, max: most } : null;
    }
  }
  return null;
}

/** How version 1 writes that there is none. */
const NO_LIMIT = 2 ** 60;

/** By function; what is told of limits is told with it. */
async function watchDirectory({ workshop }: Place): Promise<Finding> {
  const directory = workshop.path('watched');
  mkdirSync(directory);
  const limits = ['max_user_instances', 'max_user_watches'].map((name) => {
    const value = textOf(`/proc/sys/fs/inotify/${name}`).trim();
    return value === '' ? [] : [`${name} ${value}`];
  });
  const told = limits.flat().join(', ');
  try {
    const watcher = watch(directory, { persistent: false });
    watcher.on('error', () => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    watcher.close();
  } catch (error) {
    return unwatched(errnoOf(error) ?? String(error), told);
  }
  return ok(`A directory can be watched${told === '' ? '' : ` (${told})`}`);
}

/** Exported for its tests. */
export function unwatched(why: string, told: string): Finding {
  return warning(
    `No directory can be watched (${why}; ${told}): a pause or a removal is noticed only at the next heartbeat`,
    'Raise fs.inotify.max_user_instances and fs.inotify.max_user_watches with `sysctl -w`.',
  );
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function shown(count: number): string {
  return count === Infinity ? 'any number of' : String(count);
}

function mebibytes(bytes: number): string {
  return String(Math.floor(bytes / 2 ** 20));
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
