// The workload of a program that is its own supervisor: callbacks instead of processes.
import { setTimeout as delay } from 'node:timers/promises';
import { formatDuration } from '../config/duration.ts';
import type { Endpoints } from '../core/state.ts';
import { messageOf } from '../error-message.ts';
import { FailoverError } from '../errors.ts';
import type { SessionRecord } from '../lease/lease-store.ts';
import type {
  HookResult,
  LockDescription,
  NodeWorkload,
  Term,
  WorkloadDescription,
  WorkloadLock,
} from '../runtime/ports.ts';
import { takeWorkloadLock } from '../workload/workload-lock.ts';

/**
 * Makes the program the primary: opens what only the primary may have open. The promotion is complete,
 * and announced, when it resolves; it has failed when it rejects or takes longer than
 * `promoteTimeoutMs`, also if it resolves then, and is tried again after a pause.
 *
 * `signal` stays with the term: it is aborted when the time is over and when the term ends. The
 * addresses it returns, if any, are where the others find this node from then on.
 */
export type PromoteCallback = (term: Term, signal: AbortSignal) => Promise<Endpoints | Nothing>;

/** What a callback resolves with that returns nothing. */
type Nothing = ReturnType<() => void>;

/**
 * Makes the program a secondary again, after the signal of its term was aborted. The lease is given
 * back when it has ended, or when `stopGraceMs` is over and `signal` is aborted.
 */
export type DemoteCallback = (term: Term, signal: AbortSignal) => Promise<void>;

export interface CallbackWorkloadOptions {
  readonly lock: WorkloadLock;
  /** Makes the addresses that the promote callback returned known. */
  readonly announce: (endpoints: Endpoints) => void;
  readonly warn: (message: string) => void;
}

/** One time as primary, from its activation to its end. */
interface ActiveTerm {
  readonly term: Term;
  readonly controller: AbortController;
  readonly description: LockDescription;
  promoted: boolean;
}

/**
 * Holds the workload lock for its term, like a process that inherited it. Of two terms of one node the
 * second begins only when the callbacks of the first have ended. A callback that heeds no signal is left
 * behind after the grace, and said to be: nothing can end it but the end of the process.
 */
export class CallbackWorkload implements NodeWorkload {
  promote: PromoteCallback | null = null;
  demote: DemoteCallback | null = null;
  readonly #options: CallbackWorkloadOptions;
  readonly #running = new Set<Promise<void>>();
  #term: ActiveTerm | null = null;
  #stops = 0;
  #stop: { readonly hurry: AbortController; readonly done: Promise<void> } | null = null;

  constructor(options: CallbackWorkloadOptions) {
    this.#options = options;
  }

  arm(): Promise<void> {
    return Promise.resolve();
  }

  /** @throws FAILOVER_PROMOTION_FAILED when something of an earlier term still runs, or it was stopped. */
  async activate(term: Term): Promise<void> {
    const stops = this.#stops;
    await this.#stop?.done;
    if (this.#running.size > 0) {
      throw new FailoverError(
        'FAILOVER_PROMOTION_FAILED',
        'Cannot promote: a callback of an earlier term is still running',
        { hint: 'Make callbacks return when their signal is aborted.' },
      );
    }
    const description = this.#options.lock.open();
    try {
      await takeWorkloadLock(description);
      // A stop that came meanwhile found no term to end.
      if (this.#stops !== stops) throw stoppedWhileStarting();
    } catch (error) {
      description.close();
      throw error;
    }
    const { epoch, previous, reason } = term;
    this.#term = {
      term: { epoch, previous, reason },
      controller: new AbortController(),
      description,
      promoted: false,
    };
  }

  async runHook(hook: 'promote' | 'demote', _: Term, timeoutMs: number): Promise<HookResult> {
    const active = this.#term;
    if (hook === 'demote') return { ok: true, detail: 'it is told when it is stopped' };
    if (active === null || this.#stop !== null) return { ok: false, detail: 'it was told to stop' };
    const { promote } = this;
    if (promote === null) {
      active.promoted = true;
      return { ok: true, detail: 'there is no callback' };
    }
    const { signal } = active.controller;
    const timer = setTimeout(() => {
      active.controller.abort(new Error(`not done within ${formatDuration(timeoutMs)}`));
    }, timeoutMs);
    try {
      const endpoints = await untilAborted(
        this.#call(async () => (await promote(active.term, signal)) ?? undefined),
        signal,
      );
      // Whoever heeds the signal by returning has not done what it was to do.
      if (signal.aborted) throw signal.reason;
      // From here on the program is to be demoted, also where its addresses can't be announced.
      active.promoted = true;
      if (endpoints !== undefined) this.#options.announce(endpoints);
      return { ok: true, detail: 'the callback returned' };
    } catch (error) {
      return { ok: false, detail: messageOf(error) };
    } finally {
      clearTimeout(timer);
    }
  }

  stop(graceMs: number): Promise<void> {
    this.#stops += 1;
    if (this.#stop === null) {
      const hurry = new AbortController();
      const done = this.#finishTerm(hurry).finally(() => {
        this.#stop = null;
      });
      this.#stop = { hurry, done };
    }
    const { hurry, done } = this.#stop;
    if (graceMs <= 0) hurry.abort(graceIsOver());
    else {
      const timer = setTimeout(() => {
        hurry.abort(graceIsOver());
      }, graceMs);
      void done.then(() => {
        clearTimeout(timer);
      });
    }
    return done;
  }

  deactivate(): Promise<void> {
    return Promise.reject(new Error('Only a hot workload keeps running as secondary'));
  }

  describe(): WorkloadDescription {
    const running = this.#stop === null ? 'running' : 'stopping';
    return {
      pid: process.pid,
      state: this.#term === null ? 'none' : running,
      command: [],
    };
  }

  /** It starts no process. */
  ownEndedSessions(): readonly SessionRecord[] {
    return [];
  }

  hasStaleLock(): boolean {
    return false;
  }

  forgetEmptySessions(): void {
    // There are none.
  }

  /** Tells the callbacks that the term is over, waits for them, and gives the lock back last. */
  async #finishTerm(hurry: AbortController): Promise<void> {
    const active = this.#term;
    if (active === null) return;
    active.controller.abort(new Error('the term is over'));
    const { demote } = this;
    if (demote !== null && active.promoted) {
      const done = this.#call(() => demote(active.term, hurry.signal));
      await untilAborted(done, hurry.signal).catch((error: unknown) => {
        this.#options.warn(`the demote callback failed: ${messageOf(error)}`);
      });
    }
    await untilAborted(this.#allEnded(), hurry.signal).catch(() => {
      this.#options.warn(
        'a callback is still running although its signal was aborted; the lease is released without it',
      );
    });
    active.description.close();
    this.#term = null;
  }

  async #allEnded(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Calls back, also when it throws at once, and remembers it for as long as it goes on. */
  async #call<Value>(callback: () => Promise<Value>): Promise<Value> {
    const call = callNow(callback);
    const ended = call.then(
      () => undefined,
      () => undefined,
    );
    this.#running.add(ended);
    void ended.then(() => {
      this.#running.delete(ended);
    });
    return call;
  }
}

/** At once, before anything can abort its signal; what it throws is a rejection. */
async function callNow<Value>(callback: () => Promise<Value>): Promise<Value> {
  return await callback();
}

function stoppedWhileStarting(): FailoverError {
  return new FailoverError(
    'FAILOVER_PROMOTION_FAILED',
    'Cannot promote: it was told to stop during the promotion',
  );
}

function graceIsOver(): Error {
  return new Error('the grace is over');
}

/** The outcome of the work, or the reason of the signal if that is aborted first. */
async function untilAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const ended = new AbortController();
  const { promise: aborted, reject } = withReject();
  const onAbort = (): void => {
    // The work may end by the same abort: its own word goes first.
    void delay(0).then(() => {
      reject(signal.reason);
    });
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true, signal: ended.signal });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    ended.abort();
  }
}

function withReject(): {
  readonly promise: Promise<never>;
  readonly reject: (why: unknown) => void;
} {
  let reject: (why: unknown) => void = () => undefined;
  const promise = new Promise<never>((_, refuse) => {
    reject = refuse;
  });
  promise.catch(() => undefined);
  return { promise, reject };
}
