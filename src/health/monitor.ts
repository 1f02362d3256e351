// Checks a list of targets again and again, and tells when other ones are healthy than before.
import { callOut } from '../runtime/call-out.ts';
import { attempt } from './attempt.ts';
import { checkAll } from './check-all.ts';
import type { CheckResult, Fault } from './check-result.ts';
import { addressText } from './health-target.ts';
import type { HealthTarget } from './health-target.ts';
import { monitorTermsOf } from './monitor-options.ts';
import type { HealthMonitorOptions, MonitorTerms } from './monitor-options.ts';
import { Rounds } from './rounds.ts';
import { StateTracker } from './tracker.ts';
import type { HealthCounts } from './tracker.ts';

export interface TargetHealth<T extends HealthTarget = HealthTarget> {
  readonly target: T;
  readonly healthy: boolean;
  /** What the latest check of this address has found; null: none has yet. */
  readonly result: CheckResult | null;
}

/**
 * Rounds of checks, the first at once, never two at a time; in each every target is checked once. `fall` failures in a
 * row (3) make a target unhealthy, `rise` successes (2) healthy again; a new one is healthy.
 *
 * What is known changes with the end of a round, all of it at once, and by `setTargets`. A check that was called off,
 * by `stop` or because its target is gone or has another address, counts for nothing. A round lasts at most as long
 * as all its checks, so many at a time, may take; it is never cut short.
 */
export class HealthMonitor<T extends HealthTarget = HealthTarget> implements AsyncDisposable {
  readonly #terms: MonitorTerms<T>;
  readonly #options: HealthMonitorOptions<T>;
  readonly #tracker: StateTracker<T>;
  readonly #rounds: Rounds;
  #results: ReadonlyMap<string, AddressResult> = new Map();
  /** Checks that have not ended, also those whose time was over, by target and address. */
  readonly #underWay = new Map<string, Promise<void>>();

  /** @throws FAILOVER_BAD_OPTION for a number out of its range, for two targets with one id, for a bad address */
  constructor(options: HealthMonitorOptions<T> = {}) {
    this.#options = options;
    this.#terms = monitorTermsOf(options);
    this.#terms.requireTargets(options.targets ?? []);
    this.#tracker = new StateTracker(options);
    this.#rounds = new Rounds({
      work: (signal) => this.#round(signal),
      // Monitors that were started together do not stay together.
      intervalMs: () => this.#terms.intervalMs * (0.9 + Math.random() / 5),
    });
  }

  get isRunning(): boolean {
    return this.#rounds.isRunning;
  }

  /** Begins the first round. A second time it does nothing, and neither when the signal of the options has aborted. */
  start(): void {
    const { signal } = this.#options;
    if (signal?.aborted === true) return;
    signal?.addEventListener('abort', this.#abort);
    this.#rounds.start();
  }

  /**
   * Calls off what is under way, and resolves when nothing is. What is known stays; `start` begins again. Safe at any
   * time and twice; never rejects.
   */
  stop(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#abort);
    return this.#rounds.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /**
   * Resolves after a round that begins now, or right after the one that is under way; the next is an interval later.
   * It does nothing while the monitor does not run. Never rejects.
   */
  forceCheck(): Promise<void> {
    return this.#rounds.now();
  }

  /**
   * Checks these from the next round on; true: one was added or removed, and `onChange` was called. One that is
   * removed is not healthy any more, also when none is left.
   *
   * @throws FAILOVER_BAD_OPTION for two with one id, for a bad address; nothing has changed then
   */
  setTargets(targets: readonly T[]): boolean {
    this.#terms.requireTargets(targets);
    const hasChanged = this.#tracker.sync(targets);
    this.#keepResults([]);
    if (hasChanged) this.#tell();
    return hasChanged;
  }

  /** False for one that is not known. */
  isHealthy(id: string): boolean {
    return this.#tracker.isHealthy(id);
  }

  /** In the order in which they were given. */
  healthy(): readonly T[] {
    return this.#tracker.healthy();
  }

  counts(): HealthCounts {
    return this.#tracker.counts();
  }

  status(): readonly TargetHealth<T>[] {
    return this.#tracker.targets().map((target) => {
      const result = this.#results.get(target.id)?.result ?? null;
      return { target, healthy: this.isHealthy(target.id), result };
    });
  }

  readonly #abort = (): void => {
    void this.stop();
  };

  async #round(signal: AbortSignal): Promise<void> {
    const { concurrency, timeoutMs } = this.#terms;
    const targets = this.#tracker.targets();
    const results = await checkAll(targets, { concurrency, signal }, (target, own) =>
      attempt({ timeoutMs, signal: own }, (limit) => this.#look(target, limit)),
    );
    if (!signal.aborted) this.#take(targets, results);
  }

  /** One check, after an earlier one of the same target that has outlived its time. */
  async #look(target: T, signal: AbortSignal): Promise<Fault | null> {
    const key = JSON.stringify([target.id, addressText(target.address)]);
    await orAborted(this.#underWay.get(key) ?? Promise.resolve(), signal);
    if (signal.aborted) return TOO_LATE;
    const work = this.#terms.look(target, signal);
    const ended = work.then(nothing, nothing).then(() => {
      this.#underWay.delete(key);
    });
    this.#underWay.set(key, ended);
    return orAborted(work, signal);
  }

  /** @param results those of the targets, in their order */
  #take(targets: readonly T[], results: readonly CheckResult[]): void {
    const found = targets.flatMap((target, index) => {
      const result = results[index];
      const isGone = !isSameAddress(this.#tracker.target(target.id), target);
      return result === undefined || isGone || isCancelled(result) ? [] : [{ target, result }];
    });
    let hasChanged = false;
    for (const { target, result } of found) {
      if (this.#tracker.record(target.id, result.healthy)) hasChanged = true;
    }
    this.#keepResults(found);
    const { onCheck } = this.#options;
    for (const { target, result } of found) callOut(() => onCheck?.(target, result));
    if (hasChanged) this.#tell();
  }

  /** Takes these, and forgets those of targets that are gone or elsewhere. */
  #keepResults(found: readonly { readonly target: T; readonly result: CheckResult }[]): void {
    const news = found.map(
      ({ target: { id, address }, result }) => [id, { address, result }] as const,
    );
    const all = new Map<string, AddressResult>([...this.#results, ...news]);
    this.#results = new Map(
      [...all].filter(([id, { address }]) => isSameAddress(this.#tracker.target(id), { address })),
    );
  }

  #tell(): void {
    callOut(() => this.#options.onChange?.(this.healthy(), this.counts()));
  }
}

type AddressResult = Pick<HealthTarget, 'address'> & { readonly result: CheckResult };

const TOO_LATE: Fault = { reason: 'timed-out', error: 'an earlier check is still running' };

/** What it resolves with, or `TOO_LATE` when the signal aborts before: one that heeds no signal holds up nobody. */
function orAborted<R>(work: Promise<R>, signal: AbortSignal): Promise<R | Fault> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      resolve(TOO_LATE);
    };
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    void work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}

function nothing(): void {
  // Only that it has ended counts.
}

function isSameAddress(
  one: Pick<HealthTarget, 'address'> | null,
  other: Pick<HealthTarget, 'address'>,
): boolean {
  return one !== null && addressText(one.address) === addressText(other.address);
}

function isCancelled(result: CheckResult): boolean {
  return !result.healthy && result.reason === 'cancelled';
}
