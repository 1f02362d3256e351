// One time as leader, for the program: its callbacks, what they throw, and how long they are waited for.
import { formatDuration } from '../config/duration.ts';
import { messageOf } from '../error-message.ts';
import type { LeaseTerm } from './redis-lease.ts';

/**
 * This program leads from here on, until `signal` is aborted. It may return when what it started goes on by
 * itself, or run for as long as it leads. What it throws ends the term.
 *
 * It can't be killed: the lease is kept while it runs, so that nobody else starts beside one that heeds no
 * signal.
 */
export type StartCallback = (signal: AbortSignal, term: LeaseTerm) => Promise<void> | void;

/**
 * Called after the start callback has returned, once for each term. What takes longer than `stopBudgetMs` is
 * left behind when `signal` is aborted, and the lease is given back without it.
 */
export type StopCallback = (signal: AbortSignal, term: LeaseTerm) => Promise<void> | void;

interface ElectedTermParts {
  readonly term: LeaseTerm;
  readonly onStart: StartCallback;
  readonly onStop: StopCallback | null;
  readonly stopBudgetMs: number;
  readonly warn: (message: string) => void;
  /** The start callback has thrown while it led. */
  readonly onFailed: (why: string) => void;
}

export class ElectedTerm {
  readonly epoch: number;
  /** Resolves when the start callback has returned or thrown; never rejects. */
  readonly started: Promise<void>;
  readonly #parts: ElectedTermParts;
  readonly #controller = new AbortController();
  #hasReturned = false;
  #failed = false;
  /** A stop callback that took too long, until it has ended. */
  #leftBehind: Promise<void> | null = null;

  /** Calls the start callback at once. */
  constructor(parts: ElectedTermParts) {
    this.#parts = parts;
    this.epoch = parts.term.epoch;
    this.started = this.#start();
  }

  /** Whether the start callback has ended. */
  get hasReturned(): boolean {
    return this.#hasReturned;
  }

  get failed(): boolean {
    return this.#failed;
  }

  get leftBehind(): Promise<void> | null {
    return this.#leftBehind;
  }

  /** Tells the callbacks that it is over; resolves when the lease may go to another. Never rejects. */
  async end(why: string): Promise<void> {
    const { stopBudgetMs, warn } = this.#parts;
    this.#controller.abort(new Error(why));
    const late = setTimeout(() => {
      warn(
        `onStart is still running ${formatDuration(stopBudgetMs)} after its signal was aborted; ` +
          `the lease is kept until it returns`,
      );
    }, stopBudgetMs);
    await this.started;
    clearTimeout(late);
    await this.#stop();
  }

  async #start(): Promise<void> {
    const { onStart, onFailed, term, warn } = this.#parts;
    const { signal } = this.#controller;
    // Whoever made it has it before anything comes of the callback.
    await Promise.resolve();
    try {
      await onStart(signal, term);
    } catch (error) {
      if (signal.aborted) {
        if (!isAbort(error, signal)) warn(`onStart failed while stopping: ${messageOf(error)}`);
      } else {
        this.#failed = true;
        onFailed(`onStart failed: ${messageOf(error)}`);
      }
    } finally {
      this.#hasReturned = true;
    }
  }

  async #stop(): Promise<void> {
    const { onStop, stopBudgetMs, term, warn } = this.#parts;
    if (onStop === null) return;
    const limit = new AbortController();
    const { signal } = limit;
    const stopping = callNow(() => onStop(signal, term)).catch((error: unknown) => {
      warn(`onStop failed: ${messageOf(error)}`);
    });
    const isOver = await within(stopBudgetMs, stopping);
    if (isOver) return;
    limit.abort(new Error(`not done within ${formatDuration(stopBudgetMs)}`));
    warn(
      `onStop did not finish within ${formatDuration(stopBudgetMs)}; the lease is released without it`,
    );
    this.#leftBehind = stopping;
  }
}

/** Whether the work ended within its time. */
export function within(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, limitMs, false);
    work.then(() => {
      clearTimeout(timer);
      resolve(true);
    }, reject);
  });
}

/** What it throws at once is a rejection, too. */
async function callNow(callback: () => Promise<void> | void): Promise<void> {
  await callback();
}

/** What most functions do that take a signal. */
function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}
