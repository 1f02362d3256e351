// Chooses among upstreams by what checks and traffic say of each.
import { FailoverError } from '../errors.ts';
import { systemClock } from '../runtime/clock.ts';
import { callOut } from '../runtime/call-out.ts';
import { onAbort } from '../runtime/on-abort.ts';
import { nextInTurn, tierOf } from './balancing.ts';
import { CheckQueue } from './check-queue.ts';
import type { CheckResult } from './check-queue.ts';
import { freshScore, scored } from './score.ts';
import type { Score } from './score.ts';
import { byId, idOf, settingsOf } from './upstream-options.ts';
import type { UpstreamListOptions, UpstreamSettings } from './upstream-options.ts';

/** What is known of one upstream. */
export interface UpstreamStatus<Item> {
  readonly upstream: Item;
  readonly isUsable: boolean;
  readonly score: number;
  /** The lower is chosen first; before a check has passed it is the last one. */
  readonly tier: number;
  /** Of the last check that passed, ms; null: none has. */
  readonly latencyMs: number | null;
  /** Why the last check failed; null: it passed, or there was none. */
  readonly failure: string | null;
}

interface Entry<Item> {
  readonly id: string;
  upstream: Item;
  score: Score;
  isUsable: boolean;
  isChecked: boolean;
  tier: number;
  latencyMs: number | null;
  failure: string | null;
}

/**
 * A list to choose from, in turn among the usable ones of the lowest tier. Each upstream is checked at once and
 * then at every interval, never twice at a time; what traffic says of it counts as much as a check.
 *
 * Not promised: that one which is chosen serves. It did when it was asked last.
 */
export class UpstreamList<Item> implements Disposable {
  readonly #settings: UpstreamSettings<Item>;
  readonly #queue: CheckQueue<Entry<Item>>;
  readonly #listeners = new Set<(usable: readonly Item[]) => void>();
  #entries: readonly Entry<Item>[] = [];
  #last = -1;
  #told: readonly Item[] = [];
  #isTelling = false;
  /** Of the next round; null: it is stopped. */
  #stopWaiting: (() => void) | null = null;
  #tellReady: () => void = () => undefined;
  readonly #signal: AbortSignal | undefined;
  #forgetSignal: () => void = () => undefined;
  /** Resolves once each upstream of the start was checked, or it is stopped; never rejects. */
  readonly ready: Promise<void>;

  /** Checks nothing yet. @throws FAILOVER_BAD_OPTION */
  constructor(options: UpstreamListOptions<Item>) {
    this.#settings = settingsOf(options);
    this.#signal = options.signal;
    const { check, timeoutMs, checksAtOnce } = this.#settings;
    this.#queue = new CheckQueue<Entry<Item>>({
      check: ({ upstream }, signal) => check(upstream, signal),
      onResult: (entry, result) => {
        this.#checked(entry, result);
      },
      ...{ timeoutMs, checksAtOnce },
    });
    this.ready = new Promise((resolve) => {
      this.#tellReady = resolve;
    });
    this.update(options.upstreams ?? []);
    this.#told = this.usable;
  }

  /** Begins to check, and resolves as `ready` does. A second time it does nothing more. */
  start(): Promise<void> {
    if (this.#stopWaiting === null) {
      this.#round();
      this.#tellReadyIfChecked();
      this.#forgetSignal = onAbort(this.#signal, () => {
        this.stop();
      });
    }
    return this.ready;
  }

  /** Checks no more, and aborts what is under way; what is known stays. Safe at any time and twice. */
  stop(): void {
    this.#forgetSignal();
    this.#stopWaiting?.();
    this.#stopWaiting = null;
    this.#queue.drop(this.#entries);
    this.#tellReady();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  /**
   * Makes these the upstreams, in this order: those that stay keep what is known of them, new ones begin afresh
   * and are checked at once.
   *
   * @throws FAILOVER_BAD_OPTION, and nothing is changed
   */
  update(upstreams: readonly Item[]): void {
    const wanted = byId(upstreams);
    const known = new Map(this.#entries.map((entry) => [entry.id, entry]));
    const entries = [...wanted].map(([id, upstream]) => {
      const entry = known.get(id) ?? this.#fresh(id, upstream);
      entry.upstream = upstream;
      return entry;
    });
    this.#queue.drop(this.#entries.filter(({ id }) => !wanted.has(id)));
    // The turn goes on after the one that was chosen last, or after the nearest before it that is left.
    const past = this.#entries.slice(0, this.#last + 1).findLast(({ id }) => wanted.has(id));
    this.#entries = entries;
    this.#last = past === undefined ? -1 : entries.indexOf(past);
    if (this.#stopWaiting !== null) {
      for (const entry of entries) if (!known.has(entry.id)) this.#queue.add(entry);
      this.#tellReadyIfChecked();
    }
    this.#tellSoon();
  }

  /**
   * The next one in turn.
   *
   * @param mayTake which ones are chosen among; by default all
   * @throws FAILOVER_NO_UPSTREAM when none of them is usable
   */
  pick(mayTake: (upstream: Item) => boolean = () => true): Item {
    const candidates = this.#entries.map(({ upstream, isUsable, tier }) => {
      return { tier, isUsable: isUsable && mayTake(upstream) };
    });
    const index = nextInTurn(candidates, this.#last);
    const entry = this.#entries[index];
    if (entry === undefined) throw this.#noUpstream();
    this.#last = index;
    return entry.upstream;
  }

  /** Counts what traffic has shown of an upstream, as a check would; of one that is not in the list nothing. */
  report(upstream: Item, success: boolean): void {
    const id = idOf(upstream);
    const entry = this.#entries.find((one) => one.id === id);
    if (entry !== undefined) this.#count(entry, success);
  }

  /** Those that may be chosen, of all tiers. */
  get usable(): readonly Item[] {
    return this.#entries.filter(({ isUsable }) => isUsable).map(({ upstream }) => upstream);
  }

  status(): readonly UpstreamStatus<Item>[] {
    return this.#entries.map(({ upstream, isUsable, score, tier, latencyMs, failure }) => ({
      ...{ upstream, isUsable, score: score.value, tier, latencyMs, failure },
    }));
  }

  /** Calls back with all usable ones soon after that has changed; returns how to end it. */
  onChange(listener: (usable: readonly Item[]) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #fresh(id: string, upstream: Item): Entry<Item> {
    const { scores, tiersMs, waitForCheck } = this.#settings;
    const score = freshScore(scores);
    // In the first tier, one that nothing is known of would get all there is to do.
    const tier = tiersMs.length - 1;
    const isUsable = score.isUsable && !waitForCheck;
    return {
      ...{ id, upstream, score, isUsable, tier },
      ...{ isChecked: false, latencyMs: null, failure: null },
    };
  }

  #round(): void {
    // Each list at times of its own: many of them would ask an upstream all at once.
    const pauseMs = this.#settings.intervalMs * (0.9 + 0.2 * Math.random());
    this.#stopWaiting = systemClock.wakeAt(systemClock.now() + pauseMs, () => {
      this.#round();
    });
    for (const entry of this.#entries) this.#queue.add(entry);
  }

  #checked(entry: Entry<Item>, { latencyMs, failure }: CheckResult): void {
    entry.isChecked = true;
    entry.failure = failure;
    if (failure === null) {
      entry.latencyMs = latencyMs;
      entry.tier = tierOf(latencyMs, this.#settings.tiersMs);
    }
    this.#tellReadyIfChecked();
    this.#count(entry, failure === null);
  }

  #count(entry: Entry<Item>, success: boolean): void {
    const { scores, waitForCheck } = this.#settings;
    entry.score = scored(entry.score, success, scores);
    entry.isUsable = entry.score.isUsable && (!waitForCheck || entry.latencyMs !== null);
    this.#tellSoon();
  }

  /** Once what is under way here is done: a listener may well stop the list, or change it. */
  #tellSoon(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      const { usable } = this;
      const told = this.#told;
      this.#told = usable;
      if (usable.length === told.length && usable.every((one, i) => one === told[i])) return;
      for (const listener of this.#listeners)
        callOut(() => {
          listener(usable);
        });
    });
  }

  #tellReadyIfChecked(): void {
    if (this.#entries.every(isChecked)) this.#tellReady();
  }

  #noUpstream(): FailoverError {
    const count = this.#entries.length;
    const failed = this.#entries.find(({ failure }) => failure !== null);
    const isEarly = this.#settings.waitForCheck && !this.#entries.some(isChecked);
    const why = isEarly ? 'no check has finished yet' : (failed?.failure ?? 'too many have failed');
    const fact = count === 0 ? 'there is none' : `none of ${String(count)} is usable: ${why}`;
    return new FailoverError('FAILOVER_NO_UPSTREAM', `Cannot choose an upstream: ${fact}`);
  }
}

function isChecked(entry: { readonly isChecked: boolean }): boolean {
  return entry.isChecked;
}
