// What a killed process was writing: files that have not got their name yet, and never will.
import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readStat } from '../../fence/process-identity.ts';
import { temporaryWriter } from './durable-file.ts';
import { identityOf, statOrNull } from './file-identity.ts';
import type { GroupPaths } from './group-paths.ts';
import { ReadOnce } from './read-once.ts';
import { isRunName } from './record-fields.ts';

/**
 * Removes them once nobody can be writing them: no process here has the number that is in the name, and for
 * a minute of this process's own clock nothing changed. The minute is for a writer in another pid namespace,
 * and should that have been stopped for as long, its write fails, and nothing else does.
 */
export class StrayFiles {
  readonly #now: () => number;
  /** What of each directory is looked at closely: hardly ever anything. */
  readonly #written: readonly WrittenIn[];
  #seen: ReadonlyMap<string, Sight> = new Map();

  /** `now`: monotonic, ms. */
  constructor(paths: GroupPaths, now: () => number) {
    this.#now = now;
    const { directory, nodes, marks, paused, completed } = paths;
    const markNames = new Set([paused, completed].map((path) => basename(path)));
    this.#written = [
      new WrittenIn(directory, (name) => TOP_NAMES.has(name), now),
      new WrittenIn(nodes, (name) => name.endsWith('.json') && isRunName(name.slice(0, -5)), now),
      new WrittenIn(marks, (name) => markNames.has(name), now),
    ];
  }

  /** Removes stray files, one turn; returns how many went. */
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
    const found = this.#written.flatMap((written) => written.paths());
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

/** Files made in the group's directory itself. Those of claims go with other stray claims. */
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

/** What is being written, or was, in one directory; listed where that has changed. */
class WrittenIn {
  readonly #directory: string;
  readonly #isOurs: (name: string) => boolean;
  readonly #listing: ReadOnce<readonly string[]>;

  constructor(directory: string, isOurs: (name: string) => boolean, now: () => number) {
    this.#directory = directory;
    this.#isOurs = isOurs;
    this.#listing = new ReadOnce(now);
  }

  /** The temporary files whose writers do not run here. */
  paths(): string[] {
    const stats = statOrNull(this.#directory);
    if (stats === null) return [];
    return this.#listing
      .value(stats, () => this.#list())
      .filter((name) => readStat(temporaryWriter(name)?.pid ?? 0) === null)
      .map((name) => join(this.#directory, name));
  }

  #list(): readonly string[] {
    let names: string[];
    try {
      names = readdirSync(this.#directory);
    } catch {
      return [];
    }
    return names.filter((name) => {
      const written = temporaryWriter(name);
      return written !== null && this.#isOurs(written.name);
    });
  }
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
