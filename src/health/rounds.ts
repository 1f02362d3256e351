// Work in rounds: one at once, then one each interval, or when it is asked for; never two at a time.
import { performance } from 'node:perf_hooks';
import { pause } from './pause.ts';

interface RoundsParts {
  /** One round; to end soon when its signal aborts. It never rejects. */
  readonly work: (signal: AbortSignal) => Promise<void>;
  /** From the beginning of a round to that of the next, ms; asked for each. One that takes longer is not cut. */
  readonly intervalMs: () => number;
}

export class Rounds {
  readonly #parts: RoundsParts;
  #run: Run | null = null;
  #ended: Promise<void> = Promise.resolve();

  constructor(parts: RoundsParts) {
    this.#parts = parts;
  }

  get isRunning(): boolean {
    return this.#run !== null;
  }

  /** A second time it does nothing. */
  start(): void {
    if (this.#run !== null) return;
    const run: Run = { controller: new AbortController(), pausing: null, asked: null };
    this.#run = run;
    this.#ended = this.#ended.then(() => this.#loop(run));
  }

  /** Resolves when no round is under way any more. */
  stop(): Promise<void> {
    this.#run?.controller.abort();
    this.#run?.pausing?.abort();
    this.#run = null;
    return this.#ended;
  }

  /** Resolves after a round that has begun after this was asked; at once when it does not run, or no longer. */
  now(): Promise<void> {
    const run = this.#run;
    if (run === null) return Promise.resolve();
    run.asked ??= request();
    run.pausing?.abort();
    return run.asked.done;
  }

  async #loop(run: Run): Promise<void> {
    const { signal } = run.controller;
    while (!signal.aborted) {
      const { asked } = run;
      run.asked = null;
      const startedMs = performance.now();
      await this.#parts.work(signal);
      asked?.resolve();
      await untilNext(run, startedMs + this.#parts.intervalMs());
    }
    run.asked?.resolve();
  }
}

interface Run {
  readonly controller: AbortController;
  /** Of the pause between two rounds. */
  pausing: AbortController | null;
  /** For a round that has not begun. */
  asked: RoundRequest | null;
}

interface RoundRequest {
  readonly done: Promise<void>;
  readonly resolve: () => void;
}

function request(): RoundRequest {
  let resolve: () => void = () => undefined;
  const done = new Promise<void>((end) => {
    resolve = end;
  });
  return { done, resolve };
}

async function untilNext(run: Run, atMs: number): Promise<void> {
  if (run.asked !== null || run.controller.signal.aborted) return;
  run.pausing = new AbortController();
  await pause(atMs - performance.now(), run.pausing.signal);
  run.pausing = null;
}
