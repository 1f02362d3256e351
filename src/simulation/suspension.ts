// Ctrl-Z and fg: the core's order to be stopped, what it waits for, and what withdraws it.
import { holdsNothing } from '../core/suspending.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

export class Suspension {
  readonly #world: World;
  readonly #life: Life;
  /** Counts the orders, and what came instead: an order stands as long as nothing followed it. */
  #orders = 0;

  constructor(world: World, life: Life) {
    this.#world = world;
    this.#life = life;
  }

  /** Once the last messages have left; asked again if something has to be given back meanwhile. */
  order(): void {
    const life = this.#life;
    this.#world.checker.suspends(life);
    this.#orders += 1;
    const number = this.#orders;
    life.later(LINGER_MS, () => {
      if (number !== this.#orders) return;
      if (!holdsNothing(life.state)) {
        life.dispatch({ type: 'suspend-requested' });
        return;
      }
      this.#world.checker.suspends(life);
      const longestMs = this.#world.calm ? LONGEST_CALM_MS : LONGEST_MS;
      life.stop(life.random.between(10, longestMs), { uninterruptible: false });
      life.defer(() => {
        this.#withdraw();
      });
    });
  }

  /** SIGCONT: a process that was stopped goes on, and one that is about to be is not. */
  continue(): void {
    const life = this.#life;
    if (life.uninterruptible) return;
    life.continue();
    life.later(life.random.between(0.05, 0.5), () => {
      this.#withdraw();
    });
  }

  #withdraw(): void {
    this.#orders += 1;
    this.#life.dispatch({ type: 'suspend-withdrawn' });
  }
}

/** As long as the runtime lets the last messages leave, ms. */
const LINGER_MS = 50;

/** The longest until somebody lets it go on, ms; and once the trouble is over. */
const LONGEST_MS = 4_000;
const LONGEST_CALM_MS = 50;
