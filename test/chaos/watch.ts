// Looks at the witness's file and at the active process all the time: who was active, and when nobody was.
import { readStat } from '../../src/fence/process-identity.ts';
import type { WitnessLine } from '../support/process-witness.ts';

/** A time in which nothing was active, monotonic ms. `toMs` of Infinity: it lasts. */
export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
  /** What ended it: the first start of all, a later one, or that what was stopped went on. */
  readonly by: 'first-start' | 'start' | 'continuation';
}

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
  readonly #isRunning: (pid: number) => boolean;

  constructor(read: () => readonly WitnessLine[], isRunning = isServing) {
    this.#read = read;
    this.#isRunning = isRunning;
    this.look(performance.now());
  }

  /** The process that is active now, as far as was seen. */
  get active(): WitnessLine | null {
    return this.#downSinceMs === null ? this.#active : null;
  }

  /**
   * How long it took from the loss of an active process to the next start, ms, each: both as the witness
   * wrote it down. One that was killed could not: then it was lost when it was last seen to run.
   */
  get lossesMs(): readonly number[] {
    return this.gaps.flatMap(({ fromMs, toMs, by }) => (by === 'start' ? toMs - fromMs : []));
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
      this.look(nowMs);
    }, LOOK_EVERY_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Between two looks a gap may be overestimated by the time between them, never underestimated. */
  look(nowMs: number): void {
    const lines = this.#read();
    for (const line of lines.slice(this.#seen)) this.#take(line);
    this.#seen = lines.length;
    if (this.#active === null || this.#hasEnded) return;
    if (!this.#isRunning(this.#active.pid)) {
      this.#downSinceMs ??= this.#aliveMs;
      return;
    }
    this.#aliveMs = nowMs;
    if (this.#downSinceMs !== null) {
      this.gaps.push({ fromMs: this.#downSinceMs, toMs: nowMs, by: 'continuation' });
    }
    this.#downSinceMs = null;
  }

  #take(line: WitnessLine): void {
    const atMs = monotonicMs(line.at);
    if (line.what === 'start' || line.what === 'overlap') {
      // It may have died and another have begun between two looks.
      const fromMs = this.#downSinceMs ?? this.#aliveMs;
      const by = this.#active === null ? 'first-start' : 'start';
      // Where two were active at once nothing was lost.
      if (line.what === 'start') {
        this.gaps.push({ fromMs: Math.min(fromMs, atMs), toMs: atMs, by });
      }
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

const LOOK_EVERY_MS = 10;

/** The witness's clock is the one of `process.hrtime`, whose zero is not that of `performance.now`. */
const OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export function monotonicMs(at: bigint): number {
  return Number(at) / 1e6 - OFFSET_MS;
}

/** Not stopped either: what is stopped serves nobody. */
function isServing(pid: number): boolean {
  const state = readStat(pid)?.state;
  return state !== undefined && !'ZXxTt'.includes(state);
}
