// One look at all processes for all nodes of this process: with a thousand of them each could not look for itself.
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/** Whether this process has so many nodes that they look at other processes together. */
let sharing = false;

/** From now on, to the end of the process. */
export function shareLooks(): void {
  sharing = true;
}

export function looksAreShared(): boolean {
  return sharing;
}

/** How a look at one process, or at all, is kept up to date. */
export interface LookParts {
  /** Forgets all that was seen, and sees every process. */
  readonly seeAll: () => void;
  /** Sees one more, which may have ended by now. */
  readonly see: (pid: number) => void;
  /** How long it holds at most, ms. */
  readonly limitMs: number;
}

/**
 * What was seen of all processes, with those that came since: pids go up, so that what is new has a higher one. Before
 * they can have gone round, all are looked at again.
 */
export class KeptLook {
  readonly #parts: LookParts;
  #newest = 0;
  #takenAtMs = -Infinity;
  #holdsMs = 0;

  constructor(parts: LookParts) {
    this.#parts = parts;
  }

  /** What was forked while the others were looked at is looked at too, as often as that happens. */
  refresh(): void {
    const startedMs = performance.now();
    let newest = readNewestPid();
    if (newest < this.#newest || startedMs - this.#takenAtMs >= this.#holdsMs) {
      this.#takenAtMs = startedMs;
      this.#newest = newest;
      this.#parts.seeAll();
      // At most a fifth of this process's time.
      const tookMs = performance.now() - startedMs;
      this.#holdsMs = Math.min(Math.max(this.#parts.limitMs, 4 * tookMs), soonestReuseMs());
      newest = readNewestPid();
    }
    for (let looks = 0; looks < MOST_LOOKS && newest !== this.#newest; looks += 1) {
      for (let pid = this.#newest + 1; pid <= newest; pid += 1) this.#parts.see(pid);
      this.#newest = newest;
      newest = readNewestPid();
    }
  }
}

/** On a machine that forks all the time: more than this, one after the other, hide nothing. */
const MOST_LOOKS = 3;

/** The pid that was given out last in our namespace; 0: the kernel doesn't say. */
function readNewestPid(): number {
  try {
    return Number(/(\d+)\s*$/.exec(readFileSync('/proc/loadavg', 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Half the time in which all pids can be used up, at more forks a second than a machine manages. */
function soonestReuseMs(): number {
  try {
    return (Number(readFileSync('/proc/sys/kernel/pid_max', 'latin1')) / 50_000) * 500;
  } catch {
    return 0;
  }
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
