// Makes a failing run short: fewer faults, fewer nodes and shorter faults, as long as the same promise breaks.
import type { Fault } from './faults.ts';
import { play } from './play.ts';
import type { PlayOptions } from './play.ts';
import { isPossible } from './plan.ts';
import type { Plan } from './plan.ts';

export interface ShrinkOptions extends PlayOptions {
  /** How often the run may be tried again; 400 if not given. */
  readonly tries?: number;
}

/** A plan that breaks the same promise; the given one if none is shorter. */
export function shrink(plan: Plan, options: ShrinkOptions = {}): Plan {
  const { violation } = play(plan, options);
  if (violation === null) return plan;
  const trial = new Trial(violation.promise, options);
  let shortest = trial.keep(withoutWhatFollows(plan, violation.atMs), plan);
  for (let before = Infinity; sizeOf(shortest) < before && trial.goesOn;) {
    before = sizeOf(shortest);
    shortest = withFewerFaults(shortest, trial);
    shortest = withFewerNodes(shortest, trial);
    shortest = withShorterFaults(shortest, trial);
  }
  return shortest;
}

class Trial {
  readonly #promise: string;
  readonly #options: ShrinkOptions;
  #left: number;

  constructor(promise: string, options: ShrinkOptions) {
    this.#promise = promise;
    this.#options = options;
    this.#left = options.tries ?? 400;
  }

  get goesOn(): boolean {
    return this.#left > 0;
  }

  /** The candidate if it fails in the same way, else the other. */
  keep(candidate: Plan, otherwise: Plan): Plan {
    if (!this.goesOn) return otherwise;
    this.#left -= 1;
    const { transition } = this.#options;
    const { violation } = play(candidate, transition === undefined ? {} : { transition });
    return violation?.promise === this.#promise ? candidate : otherwise;
  }
}

function sizeOf({ faults, nodes, troubleMs }: Plan): number {
  return faults.length * 1_000 + nodes * 100 + troubleMs / 1_000;
}

/** A run whose trouble ends soon after what went wrong. */
function withoutWhatFollows(plan: Plan, atMs: number): Plan {
  const faults = plan.faults.filter((fault) => fault.atMs <= atMs);
  const last = faults.at(-1)?.atMs ?? 0;
  return { ...plan, faults, troubleMs: Math.min(plan.troubleMs, Math.max(last, 100)) };
}

/** Without halves, then quarters, … then single ones. */
function withFewerFaults(plan: Plan, trial: Trial): Plan {
  let shortest = plan;
  for (let size = Math.ceil(plan.faults.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < shortest.faults.length && trial.goesOn;) {
      const faults = shortest.faults.filter((_, i) => i < from || i >= from + size);
      const candidate = trial.keep({ ...shortest, faults }, shortest);
      if (candidate === shortest) from += size;
      shortest = candidate;
    }
  }
  return shortest;
}

/** The last nodes go first: the others keep their numbers. */
function withFewerNodes(plan: Plan, trial: Trial): Plan {
  let shortest = plan;
  const lease = plan.profile.lease === null ? 'file' : 'timed';
  for (let nodes = plan.nodes - 1; nodes >= 1; nodes -= 1) {
    const faults = shortest.faults.filter(
      ({ kind, node }) => node < nodes && isPossible(kind, { nodes, lease }),
    );
    const candidate = trial.keep({ ...shortest, nodes, faults }, shortest);
    if (candidate === shortest) break;
    shortest = candidate;
  }
  return shortest;
}

function withShorterFaults(plan: Plan, trial: Trial): Plan {
  let shortest = plan;
  for (let i = 0; i < shortest.faults.length && trial.goesOn; i += 1) {
    shortest = trial.keep(withFault(shortest, i, { forMs: 1 }), shortest);
  }
  return shortest;
}

function withFault(plan: Plan, index: number, change: Partial<Fault>): Plan {
  const faults = plan.faults.map((fault, i) => (i === index ? { ...fault, ...change } : fault));
  return { ...plan, faults };
}
