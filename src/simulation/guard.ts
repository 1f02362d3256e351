// The process beside a supervisor that ends its workload at the deadline, or when the supervisor is gone, and
// then gives the lease back: what a lease with a time to live needs where no kernel frees it.
import { guardTickMs } from '../core/lease-term.ts';
import type { Life } from './life.ts';
import type { TimedLease } from './profile.ts';
import type { Session } from './session.ts';
import type { TimedStore } from './timed-store.ts';
import type { World } from './world.ts';

export class Guard {
  readonly #world: World;
  readonly #life: Life;
  readonly #store: TimedStore;
  readonly #tickMs: number;
  /** Of the acquisition that it watches over. */
  #token = 0;
  #isAlive = true;
  /** By the clock of its machine, which is that of its supervisor, ms. */
  #deadlineAt = Infinity;
  #looks = 0;
  #frozenUntil = 0;
  #killAt = Infinity;

  constructor(world: World, life: Life, store: TimedStore, { ttlMs }: TimedLease) {
    this.#world = world;
    this.#life = life;
    this.#store = store;
    // It looks often enough to have emptied a session when the tick is over.
    this.#tickMs = guardTickMs(ttlMs) / LOOKS_PER_TICK;
  }

  /** Before each claim: one that has ended is replaced. */
  begin(token: number): void {
    this.#token = token;
    this.#isAlive = true;
    this.rest();
  }

  extend(deadlineAt: number): void {
    this.#deadlineAt = deadlineAt;
    this.#plan();
  }

  /** Nothing is active that it would have to end. */
  rest(): void {
    this.#deadlineAt = Infinity;
    this.#looks += 1;
  }

  /** Its clock leapt. */
  leapt(): void {
    this.#plan();
  }

  /** It opens the gates: what comes after the deadline is not started any more. */
  get mayStart(): boolean {
    return this.#isAlive && this.#deadlineAt < Infinity && this.#life.now < this.#deadlineAt;
  }

  /** With its whole machine. */
  freeze(untilMs: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, untilMs);
  }

  /** SIGKILL: the kernel ends what it had started, and the supervisor sees that. */
  crash(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    const life = this.#life;
    for (const session of this.#sessions) session.loseGuard(Math.min(BACKSTOP_MS, this.#tickMs));
    life.later(life.random.between(0.2, this.#tickMs), () => {
      if (!this.#isAlive) {
        life.dispatch({ type: 'lease-lost', cause: 'the guard is gone', withinMs: 0 });
      }
    });
  }

  /** End of its pipe: the workload first, within what is left, and then the lease. */
  supervisorEnded(): void {
    // Its backstop has ended all of it.
    if (!this.#isAlive) return;
    this.#killAt = this.#world.at + this.#life.settings.stopGraceMs;
    for (const session of this.#sessions) session.tell();
    this.#empty();
  }

  get #sessions(): readonly Session[] {
    return this.#world.sessionsOf(this.#life);
  }

  /** Looks at the deadline, and from then on until nothing is left. */
  #plan(): void {
    if (this.#deadlineAt === Infinity) return;
    this.#looks += 1;
    const number = this.#looks;
    const leftMs = Math.max(0, (this.#deadlineAt - this.#life.now) / this.#life.clockRate);
    this.#later(leftMs, () => {
      if (number !== this.#looks || !this.#isAlive) return;
      if (this.#life.now >= this.#deadlineAt) {
        for (const session of this.#sessions) session.kill();
      }
      if (this.#sessions.length > 0 || this.#life.alive) this.#plan();
    });
  }

  #empty(): void {
    const sessions = this.#sessions;
    if (sessions.length === 0) {
      const { timeline } = this.#world;
      const token = this.#token;
      if (this.#life.storeCutUntil > this.#world.at) return;
      timeline.schedule(this.#world.at + this.#life.random.between(0.2, 2), null, () => {
        if (this.#store.downUntil <= this.#world.at) this.#store.release(token);
      });
      return;
    }
    if (this.#world.at >= this.#killAt) for (const session of sessions) session.kill();
    this.#later(0, () => {
      if (this.#isAlive) this.#empty();
    });
  }

  /** Its own process: it is not stopped with the supervisor, only with the machine. */
  #later(delayMs: number, act: () => void): void {
    const { timeline } = this.#world;
    const at = Math.max(this.#world.at + delayMs, this.#frozenUntil) + this.#tickMs;
    timeline.schedule(at, null, () => {
      if (this.#frozenUntil > this.#world.at) this.#later(0, act);
      else act();
    });
  }
}

const LOOKS_PER_TICK = 4;

/** What a backstop takes at most, where the lease is not as short as that. */
const BACKSTOP_MS = 50;
