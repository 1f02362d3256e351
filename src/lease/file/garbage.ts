// Which records of nodes can go. Looked at every few seconds, so what has not changed is not read again.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bootId, isAlive, isComparable } from '../../fence/process-identity.ts';
import type { NodeRecord } from '../lease-store.ts';
import { statOrNull } from './file-identity.ts';
import type { GroupPaths } from './group-paths.ts';
import {
  ageMs,
  forgetNode,
  nodePath,
  readRecord,
  RECENT_MS,
  recordedRuns,
  sessionJudge,
} from './node-registry.ts';
import type { Entry } from './node-registry.ts';
import { ReadOnce } from './read-once.ts';

/** What it takes to tell which records can go. */
export interface GarbageRules {
  /** The run whose record stays, so that it is missed if it is removed; null: none. */
  readonly starter: () => string | null;
  /** Whether a node of another pid namespace of this boot has ended, and all that it started. */
  readonly isGoneElsewhere: (record: NodeRecord) => boolean;
  /** Runs of hot nodes of which nothing is left outside of their sessions: the records of others stay. */
  readonly lookedAfter: ReadonlySet<string>;
}

export class Garbage {
  readonly #paths: GroupPaths;
  readonly #now: () => number;
  readonly #runs: ReadOnce<readonly string[]>;
  readonly #claims: ReadOnce<readonly string[]>;
  #records: ReadonlyMap<string, ReadOnce<NodeRecord | null>> = new Map();

  /** `now`: monotonic, ms. */
  constructor(paths: GroupPaths, now: () => number) {
    this.#paths = paths;
    this.#now = now;
    this.#runs = new ReadOnce(now);
    this.#claims = new ReadOnce(now);
  }

  /** What was read is read anew by who looks next. */
  forget(): void {
    this.#runs.forget();
    this.#claims.forget();
    this.#records = new Map();
  }

  /** Every readable record. @throws the system's error when it has nothing left to read with */
  records(): readonly NodeRecord[] {
    return this.#entries().map(({ record }) => record);
  }

  /**
   * Removes the records of nodes that have ended and left nothing running; returns how many. What can't be
   * proved gone stays: a record is the only trace of a session that closed its descriptors.
   *
   * A node may have started something, been noted as the starter and died while this process was stopped. So
   * all that counts is read after its end was seen: nobody but the node itself changes its record, or notes
   * it, and a session that was found empty has nobody to fill it again.
   */
  collect(rules: GarbageRules): number {
    const ended = this.#entries().filter((entry) => hasEnded(entry, rules));
    const leftNothing = ended.length === 0 ? [] : thoseThatLeftNothing(ended, rules);
    for (const { record } of leftNothing) forgetNode(this.#paths, record.run);
    this.#removeStrayClaims();
    return leftNothing.length;
  }

  #entries(): Entry[] {
    const paths = this.#paths;
    const stats = statOrNull(paths.nodes);
    const list = (): readonly string[] => recordedRuns(paths);
    // What can't be looked at may be there all the same: only who reads it can tell.
    const runs = stats === null ? list() : this.#runs.value(stats, list);
    const before = this.#records;
    const records = new Map<string, ReadOnce<NodeRecord | null>>();
    const entries = runs.flatMap((run) => {
      const path = nodePath(paths, run);
      const found = statOrNull(path);
      const known = before.get(run) ?? new ReadOnce<NodeRecord | null>(this.#now);
      records.set(run, known);
      const read = (): NodeRecord | null => readRecord(path);
      const record = found === null ? read() : known.value(found, read);
      return record === null ? [] : [{ record, path }];
    });
    this.#records = records;
    return entries;
  }

  /** What a node wrote ahead of its record and never used: it was killed in between. */
  #removeStrayClaims(): void {
    const { claims } = this.#paths;
    const stats = statOrNull(claims);
    // Its own record is always there: where none is found, records cannot be looked at.
    if (stats === null || this.#records.size === 0) return;
    let names: readonly string[];
    try {
      names = this.#claims.value(stats, () => readdirSync(claims));
    } catch {
      return;
    }
    for (const name of names) {
      const run = name.slice(0, name.indexOf('.'));
      // A record that can't be read counts too.
      if (this.#records.has(run) || statOrNull(nodePath(this.#paths, run)) !== null) continue;
      const path = join(claims, name);
      // One of a moment ago may be of a node that is about to register.
      if (!isOlder(path, STRAY_CLAIM_MS)) continue;
      try {
        rmSync(path, { force: true });
      } catch {
        // Not one of ours, or not ours to remove.
      }
    }
  }
}

function thoseThatLeftNothing(ended: readonly Entry[], rules: GarbageRules): Entry[] {
  const final = ended.flatMap(({ path }) => {
    const record = readRecord(path);
    return record === null ? [] : [{ record, path }];
  });
  const isGone = sessionJudge(final.flatMap(({ record }) => record.sessions));
  const starter = rules.starter();
  return final.filter(({ record, path }) => {
    if (record.run === starter) return false;
    if (isComparable(record.supervisor)) {
      if (isAlive(record.supervisor)) return false;
      if (record.standby === 'hot' && !rules.lookedAfter.has(record.run)) return false;
      return record.sessions.every(isGone);
    }
    return hasEnded({ record, path }, rules);
  });
}

/** One of another boot was of this host, or of another one that has used the directory until recently. */
function hasEnded(entry: Entry, { isGoneElsewhere }: GarbageRules): boolean {
  const { record } = entry;
  if (isComparable(record.supervisor)) return !isAlive(record.supervisor);
  if (record.supervisor.bootId === bootId()) return isGoneElsewhere(record);
  return isOlder(entry.path, RECENT_MS);
}

/** What can't be looked at is not known to be. */
function isOlder(path: string, limitMs: number): boolean {
  return (ageMs(path) ?? 0) >= limitMs;
}

/** Far longer than the step from the claim to the record takes. */
const STRAY_CLAIM_MS = 60_000;
