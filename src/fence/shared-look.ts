// One look at all processes for all nodes of this process: with a thousand of them each could not look for itself.
import { readFileSync, statSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { isOutOfResources } from '../out-of-resources.ts';
import { newSince, readNewestPid } from './newest-pid.ts';
import { readFileInto } from './process-identity.ts';

/** Whether this process has so many nodes that they look at other processes together. */
let sharing = false;

/** From now on, to the end of the process. */
export function shareLooks(): void {
  sharing = true;
}

export function looksAreShared(): boolean {
  return sharing;
}

/** A descriptor of a process that may be on a lock file. */
export interface Hint {
  readonly pid: number;
  readonly fd: number;
}

let hintsOf: (path: string) => readonly Hint[] = () => [];
let startersOf: (group: string) => readonly number[] | null = () => null;

/** Every process whose environment names a group of this name; null: that is to be found out by looking. */
export function startersFor(group: string): readonly number[] | null {
  return sharing ? startersOf(group) : null;
}

/** Where a lock file is open, as far as that was seen: each is to be looked at. */
export function hintsFor(path: string): readonly Hint[] {
  return sharing ? hintsOf(path) : [];
}

/** What the look at lock files and environments is asked; it is another part's. */
export function giveHints(
  hints: (path: string) => readonly Hint[],
  starters: (group: string) => readonly number[],
): void {
  hintsOf = hints;
  startersOf = starters;
}

/** How a look at one process, or at all, is kept up to date. */
export interface LookParts {
  /** Forgets all that was seen, and sees every process. @throws where it can't: that is not "nobody" */
  readonly seeAll: () => void;
  /** Sees one more; false: there is none, any more or yet. @throws as `seeAll` */
  readonly see: (pid: number) => boolean;
  /** Sees one anew that was new a moment ago. @throws as `seeAll` */
  readonly seeAgain: (pid: number) => void;
  /** How long it holds at most, ms. */
  readonly limitMs: number;
  /** See {@link readNewestPid}, which it is where this is left out. */
  readonly newestPid?: () => number | null;
}

/**
 * What was seen of all processes, with those that came since: pids go up, so that what is new has a higher one. Before
 * they can have gone round, all are looked at again. A pid is given out a moment before its process can be seen: one
 * that shows none is looked for at each further look, and once more when it must have ended. A look that failed half-way is
 * none. Where nobody says which pid is the newest, all are looked at each time.
 */
export class KeptLook {
  readonly #parts: LookParts;
  #newest = 0;
  #takenAtMs = -Infinity;
  #holdsMs = 0;
  #forks = 0;
  #young: Sighting[] = [];
  #unseen: Sighting[] = [];
  #seenAgainAtMs = -Infinity;

  constructor(parts: LookParts) {
    this.#parts = parts;
  }

  /**
   * What was forked while the others were looked at is looked at too, as often as that happens.
   *
   * @throws the system's error when it has nothing left to look with: that is not "nobody"
   */
  refresh(): void {
    const nowMs = performance.now();
    const newest = this.#newestPid();
    if (newest === null) {
      this.#seeAllListed();
      return;
    }
    if (this.#isOver(newest, nowMs)) this.#seeAll(newest, nowMs);
    this.#lookForUnseen(nowMs);
    this.#seeYoungAgain(nowMs);
    for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
      const latest = this.#newestPid();
      if (latest === null || latest === this.#newest) break;
      while (this.#newest < latest) {
        this.#see({ pid: this.#newest + 1, seenAtMs: nowMs }, nowMs);
        this.#newest += 1;
      }
    }
  }

  #newestPid(): number | null {
    return (this.#parts.newestPid ?? readNewestPid)();
  }

  /** What was forked meanwhile is in the next list, also where it was by one that has ended before it was seen. */
  #seeAllListed(): void {
    this.expire();
    const since = newSince();
    this.#parts.seeAll();
    for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
      const added = since();
      if (added.length === 0) break;
      for (const pid of added) this.#parts.see(pid);
    }
  }

  /** All are looked at again at the next look. */
  expire(): void {
    this.#takenAtMs = -Infinity;
  }

  /** Whether the look is out of date, also where so many pids are new that they may have gone round. */
  #isOver(newest: number, nowMs: number): boolean {
    const ageMs = nowMs - this.#takenAtMs;
    const added = newest - this.#newest;
    return ageMs >= this.#holdsMs || added < 0 || added > MOST_NEW || this.#hasGoneRound(ageMs);
  }

  #seeAll(newest: number, nowMs: number): void {
    // Until it is complete there is none.
    this.#takenAtMs = -Infinity;
    const forks = readForks();
    this.#parts.seeAll();
    this.#newest = newest;
    for (let pid = Math.max(1, newest - MOST_IN_FORK); pid <= newest; pid += 1) {
      this.#see({ pid, seenAtMs: nowMs }, nowMs);
    }
    this.#forks = forks;
    // At most a tenth of this process's time.
    this.#holdsMs = Math.max(this.#parts.limitMs, 10 * (performance.now() - nowMs));
    this.#takenAtMs = nowMs;
  }

  /** A number that is given out may be that of a thread: its process has another, and is seen by that. */
  #see(sighting: Sighting, nowMs: number): void {
    const kind = kindOf(sighting.pid);
    if (kind === 'thread') return;
    if (kind === 'process' && this.#parts.see(sighting.pid)) this.#young.push(sighting);
    else if (nowMs - sighting.seenAtMs < YOUNG_MS) this.#unseen.push(sighting);
  }

  #lookForUnseen(nowMs: number): void {
    const unseen = this.#unseen;
    this.#unseen = [];
    try {
      while (unseen.length > 0) {
        const next = unseen[unseen.length - 1];
        if (next !== undefined) this.#see(next, nowMs);
        unseen.pop();
      }
    } finally {
      this.#unseen.push(...unseen);
    }
  }

  /** What was seen before its exec() has another environment by now, and other files. */
  #seeYoungAgain(nowMs: number): void {
    if (nowMs - this.#seenAgainAtMs < YOUNG_MS / 4) return;
    for (const { pid } of this.#young) this.#parts.seeAgain(pid);
    this.#young = this.#young.filter(({ seenAtMs }) => nowMs - seenAtMs < YOUNG_MS);
    this.#seenAgainAtMs = nowMs;
  }

  /** Whether so much was forked that a pid may have been given out again. */
  #hasGoneRound(ageMs: number): boolean {
    if (ageMs < soonestReuseMs()) return false;
    // Where that is not told it may have been.
    return !(readForks() - this.#forks < pidLimit() / 2);
  }
}

interface Sighting {
  readonly pid: number;
  readonly seenAtMs: number;
}

/** Longer than a start takes from its fork to its exec, ms. */
const YOUNG_MS = 1_000;

/** How many pids the kernel may have given out without showing the process yet: more than it has CPUs busy. */
const MOST_IN_FORK = 16;

/** Looked at one by one; of more a look at all costs less. */
const MOST_NEW = 4_096;

/** On a machine that forks all the time: more than this, one after the other, hide nothing. */
const MOST_LOOKS = 3;

const statusBuffer = Buffer.alloc(512);

/** What a number stands for: /proc shows threads to who asks for them by number, and does not list them. */
function kindOf(pid: number): 'process' | 'thread' | 'none' {
  // Many have ended by now, and an exception for each would take longer than all the rest.
  if (statSync(`/proc/${String(pid)}`, { throwIfNoEntry: false }) === undefined) return 'none';
  const length = readFileInto(statusBuffer, `/proc/${String(pid)}/status`);
  if (length === 0) return 'none';
  const [, leader] = /^Tgid:\s*(\d+)$/m.exec(statusBuffer.toString('latin1', 0, length)) ?? [];
  return leader === undefined || Number(leader) === pid ? 'process' : 'thread';
}

/** Since the boot, processes and threads. */
function readForks(): number {
  try {
    return Number(/^processes (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? Infinity);
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    return Infinity;
  }
}

let knownLimit = 0;

function pidLimit(): number {
  if (knownLimit === 0) {
    try {
      knownLimit = Number(readFileSync('/proc/sys/kernel/pid_max', 'latin1'));
    } catch {
      return 0;
    }
  }
  return knownLimit;
}

/** Half the time in which all pids can be used up, at more forks a second than a machine manages. */
function soonestReuseMs(): number {
  return (pidLimit() / 50_000) * 500;
}

/** Things by the words that they are found by. */
export class Index<Thing> {
  readonly #found = new Map<string, Set<Thing>>();

  add(word: string, thing: Thing): void {
    const things = this.#found.get(word);
    if (things === undefined) this.#found.set(word, new Set([thing]));
    else things.add(thing);
  }

  of(words: readonly string[]): readonly Thing[] {
    return [...new Set(words.flatMap((word) => [...(this.#found.get(word) ?? [])]))];
  }

  clear(): void {
    this.#found.clear();
  }
}
