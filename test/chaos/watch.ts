// Looks at the witness's file and at the active process all the time: who was active, and when nobody was.
import { readStat } from '../../src/fence/process-identity.ts';
import type { WitnessLine } from '../support/process-witness.ts';

/** A time in which nothing was active, monotonic ms. `toMs` of Infinity: it lasts. */
export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Between two looks: a gap may be overestimated by so much, never underestimated. */
const LOOK_EVERY_MS = 10;

export class Watch {
  readonly gaps: Gap[] = [];
  /** How late the looks came, in all: what this machine does to everybody. */
  latenessMs = 0;
  readonly #read: () => readonly WitnessLine[];
  #seen = 0;
  #active: WitnessLine | null = null;
  /** By its own word; else it may have been stopped, and be continued. */
  #hasEnded = false;
  #aliveMs = performance.now();
  #downSinceMs: number | null = performance.now();
  #timer: NodeJS.Timeout | null = null;

  constructor(read: () => readonly WitnessLine[]) {
    this.#read = read;
    this.#look(performance.now());
  }

  /** The process that is active now, as far as was seen. */
  get active(): WitnessLine | null {
    return this.#downSinceMs === null ? this.#active : null;
  }

  /** How long nothing was active from this time on, ms. */
  downMs(fromMs: number): number {
    const lasting =
      this.#downSinceMs === null ? [] : [{ fromMs: this.#downSinceMs, toMs: performance.now() }];
    const overlaps = [...this.gaps, ...lasting].map((gap) =>
      Math.max(0, gap.toMs - Math.max(gap.fromMs, fromMs)),
    );
    return overlaps.reduce((sum, ms) => sum + ms, 0);
  }

  start(): void {
    let dueMs = performance.now() + LOOK_EVERY_MS;
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      this.latenessMs += Math.max(0, nowMs - dueMs);
      dueMs = nowMs + LOOK_EVERY_MS;
      this.#look(nowMs);
    }, LOOK_EVERY_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #look(nowMs: number): void {
    const lines = this.#read();
    for (const line of lines.slice(this.#seen)) this.#take(line);
    this.#seen = lines.length;
    if (this.#active === null || this.#hasEnded) return;
    if (!isRunning(this.#active.pid)) {
      this.#downSinceMs ??= this.#aliveMs;
      return;
    }
    this.#aliveMs = nowMs;
    if (this.#downSinceMs !== null) this.gaps.push({ fromMs: this.#downSinceMs, toMs: nowMs });
    this.#downSinceMs = null;
  }

  #take(line: WitnessLine): void {
    const atMs = monotonicMs(line.at);
    if (line.what === 'start' || line.what === 'overlap') {
      // It may have died and another have begun between two looks.
      const fromMs = this.#downSinceMs ?? this.#aliveMs;
      this.gaps.push({ fromMs: Math.min(fromMs, atMs), toMs: atMs });
      this.#active = line;
      this.#hasEnded = false;
      this.#downSinceMs = null;
      this.#aliveMs = atMs;
    } else if (line.what === 'end' && line.pid === this.#active?.pid) {
      this.#downSinceMs ??= atMs;
      this.#hasEnded = true;
    }
  }
}

/** The witness's clock is the one of `process.hrtime`, whose zero is not that of `performance.now`. */
const OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export function monotonicMs(at: bigint): number {
  return Number(at) / 1e6 - OFFSET_MS;
}

/** Not stopped either: what is stopped serves nobody. */
function isRunning(pid: number): boolean {
  const state = readStat(pid)?.state;
  return state !== undefined && !'ZXxTt'.includes(state);
}
