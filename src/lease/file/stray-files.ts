// What a killed process was writing: files that have not got their name yet, and never will.
import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readStat } from '../../fence/process-identity.ts';
import { temporaryWriter } from './durable-file.ts';
import { identityOf } from './file-identity.ts';
import type { GroupPaths } from './group-paths.ts';
import { isRunName } from './record-fields.ts';

/**
 * Removes them once nobody can be writing them: no process here has the number that is in the name, and for
 * a minute of this process's own clock nothing changed. The minute is for a writer in another pid namespace,
 * and should that have been stopped for as long, its write fails, and nothing else does.
 */
export class StrayFiles {
  readonly #paths: GroupPaths;
  readonly #now: () => number;
  #seen: ReadonlyMap<string, Sight> = new Map();

  /** `now`: monotonic, ms. */
  constructor(paths: GroupPaths, now: () => number) {
    this.#paths = paths;
    this.#now = now;
  }

  /** One turn; returns how many went. */
  collect(): number {
    const now = this.#now();
    const before = this.#seen;
    this.#seen = new Map(
      this.#list().map(({ path, mark }) => {
        const known = before.get(path);
        return [path, known?.mark === mark ? known : { mark, since: now }];
      }),
    );
    return [...this.#seen]
      .filter(([, { since }]) => now - since >= UNCHANGED_MS)
      .filter(([path]) => remove(path)).length;
  }

  #list(): { readonly path: string; readonly mark: string }[] {
    const { directory, nodes, marks, paused, completed } = this.#paths;
    const markNames = new Set([paused, completed].map((path) => basename(path)));
    const found = [
      ...writtenIn(directory, (name) => TOP_NAMES.has(name)),
      ...writtenIn(nodes, (name) => name.endsWith('.json') && isRunName(name.slice(0, -5))),
      ...writtenIn(marks, (name) => markNames.has(name)),
    ];
    return found.slice(0, MOST_AT_A_TIME).flatMap((path) => {
      const mark = markOf(path);
      return mark === null ? [] : [{ path, mark }];
    });
  }
}

interface Sight {
  /** What would be another if it had changed, or had been replaced. */
  readonly mark: string;
  readonly since: number;
}

/** Of what is made in the group's directory itself. Those of claims go with other stray claims. */
const TOP_NAMES: ReadonlySet<string> = new Set([
  'primary.lock',
  'workload.lock',
  'epochs',
  'probe',
]);

/** Thousands of times as long as such a write takes. */
const UNCHANGED_MS = 60_000;

/** The others have their turn when these are gone. */
const MOST_AT_A_TIME = 64;

/** Those whose writers do not run here. */
function writtenIn(directory: string, isOurs: (name: string) => boolean): string[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const written = temporaryWriter(name);
    if (written === null || !isOurs(written.name) || readStat(written.pid) !== null) return [];
    return [join(directory, name)];
  });
}

function markOf(path: string): string | null {
  try {
    const stats = lstatSync(path, { bigint: true });
    return `${identityOf(stats)}:${String(stats.mtimeNs)}`;
  } catch {
    return null;
  }
}

function remove(path: string): boolean {
  try {
    if (!lstatSync(path).isDirectory()) {
      unlinkSync(path);
      return true;
    }
    // A directory of epochs was given one before it was to get its name.
    for (const name of readdirSync(path).filter((entry) => /^[1-9]\d{0,15}$/.test(entry))) {
      unlinkSync(join(path, name));
    }
    rmdirSync(path);
    return true;
  } catch {
    // Gone meanwhile, not ours to remove, or not only ours in it.
    return false;
  }
}
