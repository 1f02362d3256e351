// Which targets are healthy, after how many results in a row.
import { quoted } from '../config/quoted.ts';
import { normalizedThresholds, observe, settled } from '../core/hysteresis.ts';
import type { Hysteresis, Thresholds } from '../core/hysteresis.ts';
import { FailoverError } from '../errors.ts';
import { addressText } from './health-target.ts';
import type { HealthTarget } from './health-target.ts';

export interface StateTrackerOptions<T extends HealthTarget> extends Partial<Thresholds> {
  readonly targets?: readonly T[];
}

export interface HealthCounts {
  readonly total: number;
  readonly healthy: number;
  readonly unhealthy: number;
}

/** After so many failures in a row a target is not healthy. */
const FALL = 3;

/** After so many successes in a row it is again. */
const RISE = 2;

/** More than anybody checks from one place. */
const TARGET_LIMIT = 10_000;

/** Keeps the health of a list of targets. It checks nothing by itself: it is told what a check has found. */
export class StateTracker<T extends HealthTarget = HealthTarget> {
  readonly thresholds: Thresholds;
  /** By id, in the order in which they were given. */
  #entries: ReadonlyMap<string, Entry<T>> = new Map();

  /**
   * `fall` is 3 and `rise` 2 by default; one below 1 counts as 1.
   *
   * @throws FAILOVER_BAD_OPTION when two targets have one id, or they are more than 10,000
   */
  constructor({ fall = FALL, rise = RISE, targets = [] }: StateTrackerOptions<T> = {}) {
    this.thresholds = normalizedThresholds({ fall, rise });
    this.sync(targets);
  }

  /**
   * These are the targets from now on; true: one was added or removed. A new one is healthy until it has failed
   * often enough. One whose address is another keeps its health, but not the results that spoke against it.
   *
   * @throws FAILOVER_BAD_OPTION as the constructor; nothing has changed then
   */
  sync(targets: readonly T[]): boolean {
    const before = this.#entries;
    const entries = new Map(
      targets.map((target) => [target.id, entryOf(target, before.get(target.id))]),
    );
    requireUnique(targets, entries.size);
    this.#entries = entries;
    return entries.size !== before.size || targets.some(({ id }) => !before.has(id));
  }

  /** Notes what a check has found; true: it changed the health. One that is not known is left out. */
  record(id: string, success: boolean): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    const { state, flipped } = observe(entry.state, success, this.thresholds);
    entry.state = state;
    return flipped;
  }

  /** False for one that is not known. */
  isHealthy(id: string): boolean {
    return this.#entries.get(id)?.state.healthy ?? false;
  }

  /** Null: not known. */
  target(id: string): T | null {
    return this.#entries.get(id)?.target ?? null;
  }

  /** All of them, in the order in which they were given. */
  targets(): readonly T[] {
    return [...this.#entries.values()].map(({ target }) => target);
  }

  /** The healthy ones, in the same order. */
  healthy(): readonly T[] {
    return this.targets().filter(({ id }) => this.isHealthy(id));
  }

  counts(): HealthCounts {
    const [total, healthy] = [this.#entries.size, this.healthy().length];
    return { total, healthy, unhealthy: total - healthy };
  }
}

interface Entry<T> {
  readonly target: T;
  state: Hysteresis;
}

function entryOf<T extends HealthTarget>(target: T, before: Entry<T> | undefined): Entry<T> {
  if (before === undefined) return { target, state: settled(true) };
  const isSame = addressText(target.address) === addressText(before.target.address);
  return { target, state: isSame ? before.state : settled(before.state.healthy) };
}

function requireUnique(targets: readonly HealthTarget[], ids: number): void {
  if (targets.length > TARGET_LIMIT) throw refuse(`they are ${String(targets.length)}`);
  if (ids === targets.length) return;
  const seen = new Set<string>();
  const twice = targets.find(({ id }) => {
    const isKnown = seen.has(id);
    seen.add(id);
    return isKnown;
  });
  throw refuse(`two have the id ${quoted(twice?.id ?? '')}`);
}

function refuse(fact: string): FailoverError {
  const expected = `at most ${String(TARGET_LIMIT)} targets, each with a unique id`;
  return new FailoverError('FAILOVER_BAD_OPTION', `Cannot use targets: ${fact}`, {
    details: { option: 'targets', expected },
  });
}
