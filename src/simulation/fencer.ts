// Looks at the process that holds the lease, and ends it when it is still the one that was judged.
import type { Effect } from '../core/effect.ts';
import type { FenceOutcome, HolderInspection } from '../core/event.ts';
import type { IsNewest } from '../runtime/orders.ts';
import { FOREIGN } from './directory.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

type Target = Extract<Effect, { type: 'fence-holder' }>;

/** A target under an order. */
type Shot = Target & { readonly isNewest: IsNewest };

interface Sighting {
  readonly holder: Life;
  readonly firstSeenAt: number;
  readonly seenAt: number;
}

export class Fencer {
  readonly #world: World;
  readonly #life: Life;
  #last: Sighting | null = null;

  constructor(world: World, life: Life) {
    this.#world = world;
    this.#life = life;
  }

  inspect(): void {
    const inspection = this.#inspect();
    const askedAt = this.#life.now;
    this.#life.answer(() => {
      this.#life.dispatch({ type: 'holder-inspected', inspection, askedAt });
    });
  }

  fence(effect: Target): void {
    const target: Shot = { ...effect, isNewest: this.#life.orders.begin('fence') };
    if (this.#world.store !== null) {
      this.#answer(target, this.#world.leaseHolder === null ? 'gone' : 'elsewhere');
      return;
    }
    const { holder } = this.#world.directory;
    if (holder !== null && holder !== FOREIGN) {
      if (this.#last !== null && this.#last.holder !== holder) {
        this.#answer(target, 'stale');
        return;
      }
      this.#last ??= this.#sighting(holder);
      this.#giveTimeToClaim(target, holder);
    } else this.#answer(target, this.#refusal(target, null) ?? 'gone');
  }

  /** A holder other than the judged run may have taken the lease a moment ago, and is about to claim. */
  #giveTimeToClaim(target: Shot, holder: Life): void {
    const refusal = this.#refusal(target, holder);
    if (refusal !== null) {
      this.#answer(target, refusal);
      return;
    }
    const isJudged = holder.settings.run === target.run;
    const until = (this.#last?.firstSeenAt ?? this.#world.at) + CLAIM_TIME_MS;
    if (!isJudged && this.#world.at < until) {
      this.#life.later(CLAIM_POLL_MS, () => {
        this.#giveTimeToClaim(target, holder);
      });
      return;
    }
    const isOrdered = this.#life.forcedUntil > this.#world.at;
    if (!isOrdered) this.#world.fenced(holder, this.#life);
    this.#world.fences += 1;
    holder.kill();
    this.#awaitRelease(holder, target, this.#world.at + RELEASE_WAIT_MS);
  }

  /** Why no signal may be sent; looked at right before it. */
  #refusal({ epoch, mode }: Target, expected: Life | null): FenceOutcome | null {
    const { directory } = this.#world;
    const { holder } = directory;
    if (directory.epoch !== epoch) return 'stale';
    if (holder === null) return 'gone';
    if (holder === FOREIGN) return 'foreign';
    if (holder !== expected || holder === this.#life) return 'stale';
    if (mode === 'none') return 'not-permitted';
    return mode === 'kill-unless-stopped' && isStopped(holder) ? 'spared-stopped' : null;
  }

  #awaitRelease(holder: Life, target: Shot, until: number): void {
    if (this.#world.directory.holder !== holder) this.#answer(target, 'killed');
    else if (this.#world.at >= until) this.#answer(target, 'not-released');
    else {
      this.#life.later(RELEASE_POLL_MS, () => {
        this.#awaitRelease(holder, target, until);
      });
    }
  }

  #inspect(): HolderInspection {
    const observation = this.#life.lease.observe();
    const holder = this.#world.leaseHolder;
    const nothing = { observation, process: null, sample: null, cpuPressure: null };
    if (holder === null) {
      this.#last = null;
      return { ...nothing, holder: 'none', description: 'nobody' };
    }
    if (holder === FOREIGN) return { ...nothing, holder: 'foreign', description: 'a stranger' };
    if (this.#world.store !== null) {
      return {
        ...nothing,
        holder: 'elsewhere',
        description: `${holder.name} is on another machine`,
      };
    }
    return {
      observation,
      holder: 'ours',
      description: holder.name,
      process: activityOf(holder),
      sample: this.#sample(holder),
      cpuPressure: null,
    };
  }

  #sample(holder: Life): HolderInspection['sample'] {
    const previous = this.#last;
    const now = this.#sighting(holder);
    const isSame = previous?.holder === holder;
    this.#last = isSame ? { ...now, firstSeenAt: previous.firstSeenAt } : now;
    if (!isSame) return null;
    const overMs = now.seenAt - previous.seenAt;
    const waitingMs = holder.isStarved ? 0.8 * overMs : 0;
    return { overMs, onCpuMs: 0, waitingMs };
  }

  #sighting(holder: Life): Sighting {
    return { holder, firstSeenAt: this.#world.at, seenAt: this.#world.at };
  }

  #answer({ isNewest }: Shot, outcome: FenceOutcome): void {
    this.#life.answerTo(isNewest, { type: 'fence-finished', outcome, detail: outcome });
  }
}

/** Longer than the step from the lock to the epoch takes. */
const CLAIM_TIME_MS = 250;
const CLAIM_POLL_MS = 10;

const RELEASE_WAIT_MS = 2_000;
const RELEASE_POLL_MS = 2;

function isStopped(life: Life): boolean {
  return life.stopped && !life.uninterruptible;
}

function activityOf(life: Life): HolderInspection['process'] {
  if (life.ending) return 'ending';
  if (life.uninterruptible) return 'uninterruptible';
  return life.stopped ? 'stopped' : 'sleeping';
}
