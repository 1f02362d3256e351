// Looks at the processes of a group while it is drilled, through /proc and without asking any node.
import { hasEnded, readStat } from '../../fence/process-identity.ts';
import type { ProcessStat } from '../../fence/process-identity.ts';
import { findLockHolders } from '../../fence/lock-holders.ts';
import { compareSession, scanSessions } from '../../fence/session-members.ts';
import type { GroupPaths } from '../../lease/file/group-paths.ts';
import { listNodes } from '../../lease/file/node-registry.ts';
import { monotonicNow } from '../../runtime/clock.ts';
import { mayOverlap, overlapsIn } from './overlap.ts';
import type { SeenSession } from './overlap.ts';

/** What was looked at, and how closely: what falls between two looks was not seen. */
export interface SamplingReport {
  readonly looks: number;
  /** Between two looks, ms: aimed at, in the middle, and the longest. */
  readonly everyMs: number;
  readonly medianGapMs: number;
  readonly longestGapMs: number;
  /** Looks at the holders of the workload lock among all processes, which cost more. */
  readonly lockLooks: number;
  readonly overlaps: readonly string[];
}

/** How closely one round was watched. */
export interface Watched {
  readonly looks: number;
  readonly longestGapMs: number;
}

/** How often it looks, ms; less often where a look takes long. */
const EVERY_MS = 10;

/** It takes at most this share of one processor: it must not be the load that it measures under. */
const LARGEST_SHARE = 0.25;

const UNWATCHED: Watched = { looks: 0, longestGapMs: 0 };

/** The most processes that are remembered of one session, and sessions of the drill. */
const REMEMBERED = 1000;

/** Looks again and again from `start` to `stop`. */
export class Sampler {
  readonly #paths: GroupPaths;
  readonly #overlaps = new Set<string>();
  /** By session: every process that was once seen in it, or holding the lock for it, and lives. */
  readonly #known = new Map<string, KnownSession>();
  readonly #gaps: number[] = [];
  #watched: Watched = UNWATCHED;
  #looks = 0;
  #lockLooks = 0;
  #lastLookMs: number | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(paths: GroupPaths) {
    this.#paths = paths;
  }

  start(): void {
    const startedAt = monotonicNow();
    this.look();
    const costMs = monotonicNow() - startedAt;
    const pauseMs = Math.max(EVERY_MS - costMs, costMs * (1 / LARGEST_SHARE - 1));
    this.#timer = setTimeout(() => {
      this.start();
    }, pauseMs);
  }

  stop(): void {
    this.look();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** What was watched since the last call. */
  takeWatched(): Watched {
    const { looks, longestGapMs } = this.#watched;
    this.#watched = UNWATCHED;
    return { looks, longestGapMs: tenths(longestGapMs) };
  }

  /** The overlaps seen so far, each once. */
  get overlaps(): readonly string[] {
    return [...this.#overlaps];
  }

  report(): SamplingReport {
    const sorted = [...this.#gaps].sort((a, b) => a - b);
    return {
      looks: this.#looks,
      everyMs: EVERY_MS,
      medianGapMs: tenths(sorted[Math.floor(sorted.length / 2)] ?? 0),
      longestGapMs: tenths(sorted.at(-1) ?? 0),
      lockLooks: this.#lockLooks,
      overlaps: this.overlaps,
    };
  }

  /** Looks at once, beside the regular looks. */
  look(): void {
    const now = monotonicNow();
    const gapMs = now - (this.#lastLookMs ?? now);
    if (gapMs > 0 && this.#gaps.length < MOST_GAPS) this.#gaps.push(gapMs);
    const { looks, longestGapMs } = this.#watched;
    this.#watched = { looks: looks + 1, longestGapMs: Math.max(longestGapMs, gapMs) };
    this.#lastLookMs = now;
    this.#looks += 1;
    try {
      const first = this.#sight();
      if (!mayOverlap(first)) return;
      for (const overlap of overlapsIn(first, this.#sight())) this.#overlaps.add(overlap);
    } catch {
      // The system had nothing left to look with. It saw nothing: the gap goes on, and the report shows it.
      this.#looks -= 1;
      this.#lastLookMs = now - gapMs;
    }
  }

  #sight(): readonly SeenSession[] {
    const nodes = listNodes(this.#paths);
    const leaders = new Set(
      nodes.flatMap(({ sessions }) => sessions.map((one) => one.process.pid)),
    );
    const members = scanSessions(leaders);
    const present = new Map<string, readonly ProcessStat[]>();
    for (const { run, node, sessions } of nodes) {
      for (const { process: leader, kind, active } of sessions) {
        const key = `${String(leader.pid)}/${leader.startTime}`;
        const found = members.get(leader.pid) ?? [];
        present.set(key, compareSession(leader, found) === 'same' ? found : []);
        const known = this.#known.get(key)?.processes ?? new Map<string, number>();
        if (this.#known.size >= REMEMBERED && !this.#known.has(key)) continue;
        this.#known.set(key, { run, node, kind, active, processes: known });
      }
    }
    return [...this.#known].flatMap(([key, session]) => {
      const processes = livingOf(session, present.get(key) ?? []);
      // Its record is gone: what it has left behind counts for as long as it lives.
      if (processes.length === 0 && !present.has(key)) this.#known.delete(key);
      return { ...session, key, processes };
    });
  }

  /**
   * Notes who holds the lock while one workload alone is active: it belongs to it, in whatever session it
   * is. Takes up to 100 ms, in which nothing else is seen: for the quiet time before and after a fault.
   */
  noteHolders(): void {
    try {
      this.#noteHoldersIn(this.#sight());
      this.#lockLooks += 1;
    } catch {
      // A look that failed is not counted.
    }
  }

  #noteHoldersIn(sessions: readonly SeenSession[]): void {
    const active = sessions.filter(({ kind, active: is }) => kind === 'workload' && is);
    const living = active.filter(({ processes }) => processes.length > 0);
    const [only] = living;
    if (only === undefined || living.length > 1) return;
    const known = this.#known.get(only.key)?.processes;
    if (known === undefined) return;
    // The supervisor of a hot workload, or of one with hooks, keeps a copy of its own.
    const supervisors = new Set(listNodes(this.#paths).map(({ supervisor }) => supervisor.pid));
    const others = new Set(sessions.filter((one) => one !== only).flatMap((one) => one.processes));
    for (const { pid } of findLockHolders(this.#paths.workloadLock)) {
      const stat = readStat(pid);
      if (stat === null || hasEnded(stat) || supervisors.has(pid)) continue;
      if (!others.has(nameOf(stat)) && known.size < REMEMBERED) known.set(nameOf(stat), pid);
    }
  }
}

/** Enough for a drill of an hour; what comes later is counted and not timed. */
const MOST_GAPS = 360_000;

/** A session as it was recorded last. */
interface KnownSession extends Omit<SeenSession, 'key' | 'processes'> {
  /** Pids by the name that a process keeps. */
  readonly processes: Map<string, number>;
}

/** The members, and those who were and live still: one may leave its session. */
function livingOf({ processes }: KnownSession, members: readonly ProcessStat[]): readonly string[] {
  for (const stat of members) {
    if (processes.size < REMEMBERED) processes.set(nameOf(stat), stat.pid);
  }
  const present = new Set(members.map(nameOf));
  for (const [name, pid] of processes) {
    if (!present.has(name) && !isThere(pid, name)) processes.delete(name);
  }
  return [...processes.keys()];
}

function nameOf({ pid, startTime }: ProcessStat): string {
  return `${String(pid)}/${startTime}`;
}

function isThere(pid: number, name: string): boolean {
  const stat = readStat(pid);
  return stat !== null && !hasEnded(stat) && nameOf(stat) === name;
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
