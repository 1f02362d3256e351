// One run: trouble, then calm in which the group has to recover, then a crash that it has to survive.
import { unwillingBecause } from '../core/election-order.ts';
import { nextDemotionAt } from '../core/health.ts';
import { isProved } from '../core/yielding.ts';
import { transition } from '../core/transition.ts';
import { BrokenPromise } from './checker.ts';
import type { Violation } from './checker.ts';
import type { Life } from './life.ts';
import { Nemesis } from './nemesis.ts';
import type { Plan } from './plan.ts';
import { noticeBoundMs, recoveryBoundMs } from './profile.ts';
import { World } from './world.ts';
import type { Decide, WorldOptions } from './world.ts';

export interface RunResult {
  /** Null: every promise held. */
  readonly violation: Violation | null;
  readonly steps: number;
  readonly activations: number;
  readonly fences: number;
  readonly repeats: number;
  readonly digest: string;
  /** The longest that the group took to have a primary again once the trouble had ended, ms. */
  readonly recoveryMs: number;
  readonly simulatedMs: number;
}

export interface PlayOptions {
  /** The core under test; the real one if none is given. */
  readonly transition?: Decide;
  readonly tell?: WorldOptions['tell'];
}

export function play(plan: Plan, options: PlayOptions = {}): RunResult {
  const world = new World({
    plan,
    transition: options.transition ?? transition,
    tell: options.tell ?? null,
  });
  const course = new Course(world, plan);
  let violation: Violation | null = null;
  try {
    course.run();
  } catch (error) {
    if (!(error instanceof BrokenPromise)) throw error;
    violation = error.violation;
    world.tell(() => error.message);
  }
  const { steps, activations, fences, digest, at } = world;
  const { recoveryMs } = course;
  const { repeats } = world.checker;
  return { violation, steps, activations, fences, repeats, digest, recoveryMs, simulatedMs: at };
}

class Course {
  recoveryMs = 0;
  readonly #world: World;
  readonly #plan: Plan;

  constructor(world: World, plan: Plan) {
    this.#world = world;
    this.#plan = plan;
  }

  run(): void {
    const world = this.#world;
    const nemesis = new Nemesis(world);
    for (let index = 0; index < this.#plan.nodes; index += 1) world.start(index);
    nemesis.prepare(this.#plan.faults);
    world.timeline.runUntil(this.#plan.troubleMs);
    nemesis.end();
    this.#recover('once the trouble had ended');
    const holder = world.leaseHolder;
    if (holder === null || holder === 'foreign') return;
    world.tell(() => `${holder.name} is killed, as the last trial`);
    holder.kill();
    this.#recover('after a crash in calm');
    if (isPreempting(this.#plan)) this.#settle();
    this.#fallIll();
  }

  /** In calm the workload of the primary stops to serve: another leads then, if one could, and goes on to. */
  #fallIll(): void {
    const { timeline, checker, leaseHolder: ill } = this.#world;
    const { profile } = this.#plan;
    const { health } = profile;
    if (health?.hasHealthCheck !== true || ill === null || ill === 'foreign') return;
    const isCalm = this.#whatIsMissing() === null && this.#couldTakeOver(ill);
    if (!isCalm) return;
    this.#world.tell(() => `the workload of ${ill.name} stops to serve, as the last trial`);
    ill.sickUntil = Infinity;
    const heldUntil = nextDemotionAt(ill.state.health.demotions, ill.settings);
    const heldMs = Math.max(0, heldUntil - ill.now);
    // While it is held it is started again in place, and each start has its grace.
    const noticeMs = 2 * noticeBoundMs(health);
    const until = timeline.at + heldMs + noticeMs + 2 * recoveryBoundMs(profile);
    const isLed = (): boolean => this.#whatIsMissing() === null && this.#world.leaseHolder !== ill;
    while (!isLed() && timeline.at < until) timeline.runUntil(timeline.at + LOOK_MS);
    const boundMs = (until - timeline.at).toFixed(0);
    if (!isLed()) checker.broken('order', `${ill.name} is unhealthy and leads; ${boundMs} ms left`);
    // One that goes before the others comes back, and falls again, at longer and longer intervals.
    if (profile.order?.preempt === true) return;
    const leads = this.#world.leaseHolder;
    timeline.runUntil(timeline.at + CALM_BEATS * profile.settings.heartbeatTimeoutMs);
    if (this.#world.leaseHolder !== leads) checker.broken('order', 'the primary changes in calm');
  }

  /** Whether another node is there to which an unhealthy one could hand over. */
  #couldTakeOver(ill: Life): boolean {
    return this.#world.lives.some(
      ({ state, settings }) =>
        settings.nodeId !== ill.settings.nodeId &&
        unwillingBecause(state, settings) === null &&
        isProved(state, settings),
    );
  }

  /** In calm the lead goes to one that no other goes before, in few changes, and stays there. */
  #settle(): void {
    const { timeline, checker, lives } = this.#world;
    const { profile } = this.#plan;
    const heldDownMs = Math.max(
      ...lives.map(({ state, settings }) => settings.preemptDelayMs * 2 ** state.preemptions),
    );
    const until = timeline.at + 2 * heldDownMs + this.#heldOffMs() + recoveryBoundMs(profile);
    let better = this.#betterThanPrimary();
    while (better !== null && timeline.at < until) {
      timeline.runUntil(timeline.at + LOOK_MS);
      better = this.#betterThanPrimary();
    }
    if (better !== null) checker.broken('order', `in calm ${better.name} goes before the primary`);
    const leads = this.#world.leaseHolder;
    timeline.runUntil(timeline.at + Math.min(2 * heldDownMs, LONGEST_PEACE_MS));
    if (this.#world.leaseHolder !== leads) checker.broken('order', 'the primary changes in calm');
  }

  /** Null: there is none. One that was told to step down does not come back by itself. */
  #betterThanPrimary(): Life | null {
    const { leaseHolder: holder, lives } = this.#world;
    const missing = this.#whatIsMissing();
    if (holder === null || holder === 'foreign') return lives[0] ?? null;
    if (missing !== null) return holder;
    // A person has asked for it: it was stepping down for that when the trouble ended.
    if (holder.state.role === 'primary' && holder.state.chosen) return null;
    const able = lives.filter(
      ({ settings, state }) =>
        settings.priority > 0 && settings.preempt && state.heldOffUntilEpochAbove === 0,
    );
    return able.find(({ settings }) => settings.priority < holder.settings.priority) ?? null;
  }

  #heldOffMs(): number {
    return Math.max(0, ...this.#world.lives.map((life) => life.holdsOffForMs));
  }

  /** Runs until one node leads, all others follow it, and that has been so for a while; or the bound has passed. */
  #recover(when: string): void {
    const { timeline, checker } = this.#world;
    const since = timeline.at;
    const { settings } = this.#plan.profile;
    // Asked of the cores, but not for long: nobody can put it off again and again. What the trouble ended
    // may be seen only now, and be followed by a demotion and a cool-off.
    const askedUntil =
      since + settings.heartbeatTimeoutMs + settings.demoteTimeoutMs + 2 * settings.stopGraceMs;
    let boundMs = recoveryBoundMs(this.#plan.profile) + this.#heldOffMs();
    const calmMs = CALM_BEATS * this.#plan.profile.settings.heartbeatTimeoutMs;
    let missing: string | null = 'nothing yet';
    let ledBy = this.#world.leaseHolder;
    let ledSince = since;
    while (ledSince < since + boundMs) {
      timeline.runUntil(timeline.at + LOOK_MS);
      const heldOffMs = timeline.at <= askedUntil ? this.#heldOffMs() : 0;
      if (heldOffMs > 0) {
        const passedMs = timeline.at - since;
        boundMs = Math.max(boundMs, recoveryBoundMs(this.#plan.profile) + passedMs + heldOffMs);
      }
      const holder = this.#world.leaseHolder;
      missing = this.#whatIsMissing();
      if (missing !== null || holder !== ledBy) {
        ledBy = holder;
        ledSince = timeline.at;
      } else if (timeline.at - ledSince >= calmMs) {
        this.recoveryMs = Math.max(this.recoveryMs, ledSince - since);
        return;
      }
    }
    const why = missing ?? 'the primary changes again and again';
    checker.broken('S4', `${boundMs.toFixed(0)} ms ${when}: ${why}`);
  }

  /** By the processes alone: one holds the lease and has an active workload, the others are connected to it. */
  #whatIsMissing(): string | null {
    const { leaseHolder: holder, lives, isFullyUp } = this.#world;
    if (holder === null) return 'the lease is not held';
    if (holder === 'foreign') return 'a stranger holds the lease';
    if (!holder.alive || !isFullyUp) return 'a node is not started again';
    if (holder.workload.active?.firstAlive !== true) return `${holder.name} runs no workload`;
    if (!holder.term.announced) return `${holder.name} has not announced itself`;
    const { run } = holder.settings;
    const astray = lives.find((life) => life !== holder && life.link.follows?.run !== run);
    return astray === undefined ? null : `${astray.name} does not follow ${holder.name}`;
  }
}

function isPreempting({ profile: { order } }: Plan): boolean {
  return order?.preempt === true && order.strategy === 'priority';
}

/** How long it is looked whether nothing changes any more, ms: it may be held down for very long. */
const LONGEST_PEACE_MS = 20_000;

/** How often a recovering group is looked at, ms. */
const LOOK_MS = 100;

/** How many heartbeat timeouts of calm there are before the last trial. */
const CALM_BEATS = 3;
