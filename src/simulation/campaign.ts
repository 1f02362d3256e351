// Many runs, one seed after the other, until enough steps are made or a promise is broken.
import type { Violation } from './checker.ts';
import type { FaultKind } from './faults.ts';
import { drawPlan } from './plan.ts';
import type { Plan } from './plan.ts';
import { play } from './play.ts';
import type { LeaseKind } from './profile.ts';
import type { Decide } from './world.ts';

export interface CampaignOptions {
  /** Of the first run; each further one has the next. */
  readonly seed: number;
  /** Ends with the run that makes the total as large as this. */
  readonly steps: number;
  /** Null: two to five, by the seed. */
  readonly nodes: number | null;
  /** Of a file if none is given. */
  readonly lease?: LeaseKind;
  readonly kinds: readonly FaultKind[];
  /** The core under test; the real one if none is given. */
  readonly transition?: Decide;
}

export interface Failure {
  readonly seed: number;
  readonly violation: Violation;
  readonly plan: Plan;
}

export interface Totals {
  readonly runs: number;
  readonly steps: number;
  readonly simulatedMs: number;
  readonly activations: number;
  readonly fences: number;
  /** Starts with an epoch that nobody could know of, after the directory was removed. */
  readonly repeats: number;
  readonly longestRecoveryMs: number;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** The same for the same runs of the same code. */
  readonly digest: string;
}

export class Campaign {
  readonly #options: CampaignOptions;
  readonly #faults: Partial<Record<FaultKind, number>> = {};
  #totals: Omit<Totals, 'faults'> = NOTHING_YET;
  #failure: Failure | null = null;

  constructor(options: CampaignOptions) {
    this.#options = options;
  }

  get totals(): Totals {
    return { ...this.#totals, faults: this.#faults };
  }

  /** Null: every promise has held so far. */
  get failure(): Failure | null {
    return this.#failure;
  }

  get isOver(): boolean {
    return this.#failure !== null || this.#totals.steps >= this.#options.steps;
  }

  /** One more run. */
  run(): void {
    const { seed: first, nodes, lease = 'file', kinds, transition } = this.#options;
    const seed = first + this.#totals.runs;
    const plan = drawPlan({ seed, nodes, lease, kinds });
    const result = play(plan, transition === undefined ? {} : { transition });
    for (const { kind } of plan.faults) this.#faults[kind] = (this.#faults[kind] ?? 0) + 1;
    const so = this.#totals;
    this.#totals = {
      runs: so.runs + 1,
      steps: so.steps + result.steps,
      simulatedMs: so.simulatedMs + result.simulatedMs,
      activations: so.activations + result.activations,
      fences: so.fences + result.fences,
      repeats: so.repeats + result.repeats,
      longestRecoveryMs: Math.max(so.longestRecoveryMs, result.recoveryMs),
      digest: combine(so.digest, result.digest),
    };
    const { violation } = result;
    if (violation !== null) this.#failure = { seed, violation, plan };
  }
}

const NOTHING_YET = {
  runs: 0,
  steps: 0,
  simulatedMs: 0,
  activations: 0,
  fences: 0,
  repeats: 0,
  longestRecoveryMs: 0,
  digest: '00000000',
};

function combine(a: string, b: string): string {
  const mixed = Math.imul(Number.parseInt(a, 16) ^ 0x811c9dc5, 0x01000193);
  return ((mixed ^ Number.parseInt(b, 16)) >>> 0).toString(16).padStart(8, '0');
}
