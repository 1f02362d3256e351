// The processes of one run of a workload, or of one hook: a first one, and perhaps a helper that it started.
import type { Directory } from './directory.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

export interface SessionStart {
  readonly kind: 'workload' | 'hook';
  readonly owner: Life;
  readonly description: Directory;
}

export class Session {
  readonly kind: 'workload' | 'hook';
  readonly owner: Life;
  /** What its descriptor of the workload lock is of. */
  readonly description: Directory;
  /** Where its record is; null: it was removed. */
  recordedIn: Directory | null;
  epoch = 0;
  /** Whether it does anything yet. */
  opened = false;
  /** Whether it acts as the primary's. */
  active = false;
  /** Told to end by its supervisor: its end is no news. */
  dismissed = false;
  locked = false;
  firstAlive = true;
  helperAlive = false;
  /** Until when its whole machine stands still, in the world's time. */
  machineFrozenUntil = 0;
  /** When a machine that stood still is done with what its guard owes then, in the world's time. */
  #owedUntil = 0;
  #told = false;
  #frozen = false;
  readonly #stubborn: boolean;
  readonly #world: World;

  constructor(world: World, { kind, owner, description }: SessionStart) {
    this.#world = world;
    this.kind = kind;
    this.owner = owner;
    this.description = description;
    this.recordedIn = world.directoryOf(owner);
    owner.lease.register();
    this.#stubborn = owner.random.happens(world.traits.stubborn);
    world.sessions.push(this);
  }

  get alive(): boolean {
    return this.firstAlive || this.helperAlive;
  }

  /** Stopped, with its machine or alone: it answers nobody. */
  get standsStill(): boolean {
    return this.#frozen || this.machineFrozenUntil > this.#world.at;
  }

  get isActive(): boolean {
    return this.active && this.alive;
  }

  /**
   * Whether it does anything at this instant that another one must not do beside it. What went on before its
   * machine stood still may do so after that, until the guard has had its tick.
   */
  get isActing(): boolean {
    return this.isActive && this.#owedUntil <= this.#world.at;
  }

  get name(): string {
    return `the ${this.kind} of ${this.owner.name} at epoch ${String(this.epoch)}`;
  }

  /** Never signalled once its supervisor is dead. */
  get isKept(): boolean {
    return this.kind === 'workload' && this.#world.traits.orphan === 'keep';
  }

  /** Whether the kernel told it when its supervisor died. */
  get stopsWithSupervisor(): boolean {
    return this.kind === 'workload' && this.#world.traits.orphan === 'stop';
  }

  /** Whether a lock on its description keeps others out. */
  get holdsLock(): boolean {
    if (!this.locked) return false;
    // The gate keeps its own.
    if (!this.opened && this.kind === 'hook') return this.alive;
    if (this.#world.traits.keepsDescriptor) return this.alive;
    // A hot workload's supervisor keeps its own copy open.
    return this.firstAlive && this.owner.alive && this.owner.settings.standby === 'hot';
  }

  /** Begins to act: at the opened gate, or by being told that it is primary. */
  activate(epoch: number): void {
    // Nothing is forgiven that begins after the thaw.
    this.#owedUntil = 0;
    this.epoch = epoch;
    this.opened = true;
    this.active = true;
    this.#world.tell(() => `${this.name} begins`);
    if (this.kind === 'hook') this.#world.checker.hookBegins(this);
    else this.#world.checker.activated(this);
    if (this.kind === 'workload' && this.owner.random.happens(this.#world.traits.helpers)) {
      this.helperAlive = true;
    }
  }

  /** SIGTERM, with SIGCONT: the ladders send both. */
  tell(): void {
    this.#frozen = false;
    if (this.#told || this.#stubborn) return;
    this.#told = true;
    const { traits } = this.#world;
    const longestMs = this.opened ? traits.stopMs : 1;
    this.#after(this.#between(0.2, longestMs), () => {
      this.endFirst('SIGTERM');
      this.helperAlive = false;
      this.#noteEnd();
    });
  }

  /** SIGKILL to every member. */
  kill(): void {
    this.#end(this.#between(0.1, 1), () => {
      this.endFirst('SIGKILL');
      this.helperAlive = false;
      this.#noteEnd();
    });
  }

  /** The kernel ends what the guard itself had started, and its backstop what that has started. */
  loseGuard(withinMs: number): void {
    this.#end(this.#between(0.1, 1), () => {
      this.endFirst('SIGKILL');
    });
    this.#end(this.#between(0.5, withinMs), () => {
      this.helperAlive = false;
      this.#noteEnd();
    });
  }

  /** SIGSTOP: it does nothing of what it is told until SIGCONT comes. */
  freeze(forMs: number): void {
    const { timeline } = this.#world;
    this.#frozen = true;
    timeline.schedule(timeline.at + forMs, null, () => {
      this.#frozen = false;
    });
  }

  /** Stands still with its whole machine, whose guard then has a tick to end it. */
  standStill(untilMs: number, tickMs: number): void {
    this.machineFrozenUntil = Math.max(this.machineFrozenUntil, untilMs);
    this.#owedUntil = this.machineFrozenUntil + tickMs;
  }

  /** The first process ends; what it started goes on. */
  endFirst(how: number | string): void {
    if (!this.firstAlive) return;
    this.firstAlive = false;
    if (this.opened) this.#world.tell(() => `${this.name} ends: ${String(how)}`);
    this.#noteEnd();
    this.owner.workload.firstEnded(this, how);
  }

  /** Its supervisor is gone. */
  orphan(): void {
    const { traits } = this.#world;
    if (!this.opened || this.kind === 'hook') {
      this.#after(this.#between(0.3, 1.5), () => {
        this.endFirst('SIGKILL');
      });
    } else if (this.owner.guard !== null) {
      // It is the guard that ends it then.
    } else if (traits.orphan === 'stop') {
      // Only the first process gets the signal.
      if (this.#stubborn) return;
      this.#after(this.#between(0.2, traits.stopMs), () => {
        this.endFirst('SIGTERM');
      });
    } else if (traits.orphan === 'kill') {
      this.#end(this.#between(0.2, 1), () => {
        this.endFirst('SIGKILL');
      });
    } else {
      this.#after(this.#between(0, 3_000), () => {
        this.kill();
      });
    }
  }

  #noteEnd(): void {
    if (this.alive) return;
    const { sessions } = this.#world;
    const index = sessions.indexOf(this);
    if (index < 0) return;
    sessions.splice(index, 1);
    this.owner.workload.sessionEnded();
  }

  /** What it does of itself, once it is not stopped. */
  #after(delayMs: number, act: () => void): void {
    this.#onceThawed(delayMs, () => {
      if (this.#frozen) this.#after(LOOK_MS, act);
      else act();
    });
  }

  /** By SIGKILL, which no SIGSTOP delays, be it sent before or after. */
  #end(delayMs: number, act: () => void): void {
    this.#onceThawed(delayMs, act);
  }

  #onceThawed(delayMs: number, act: () => void): void {
    const { timeline } = this.#world;
    timeline.schedule(timeline.at + delayMs, null, () => {
      if (this.machineFrozenUntil > timeline.at) this.#onceThawed(LOOK_MS, act);
      else act();
    });
  }

  #between(least: number, most: number): number {
    return this.owner.random.between(Math.min(least, most), most);
  }
}

/** How often it is looked whether something that stands still goes on, ms. */
const LOOK_MS = 10;
