// One life of one node's process: the core with its queue and timer, as the production loop runs it.
import type { Event, EventBody } from '../core/event.ts';
import { InvariantViolation } from '../core/invariants.ts';
import { nextWakeAt } from '../core/schedule.ts';
import type { Transition } from '../core/transition.ts';
import type { Settings } from '../core/settings.ts';
import { initialState } from '../core/state.ts';
import { Orders } from '../runtime/orders.ts';
import type { IsNewest } from '../runtime/orders.ts';
import type { LeaseHolder, NodeState } from '../core/state.ts';
import { Clearing } from './clearing.ts';
import { Fencer } from './fencer.ts';
import { Guard } from './guard.ts';
import { FileLeaseClient } from './lease-client.ts';
import type { LeaseClient } from './lease-client.ts';
import { Link } from './network.ts';
import { perform } from './perform.ts';
import type { Random } from './random.ts';
import { Suspension } from './suspension.ts';
import { Term } from './term.ts';
import { TimedLeaseClient } from './timed-lease.ts';
import type { Doer } from './timeline.ts';
import type { World } from './world.ts';
import { Workload } from './workload.ts';

export interface LifeOptions {
  /** Of its machine; all nodes of a file lease are on one. */
  readonly host: number;
  readonly settings: Settings;
  readonly random: Random;
  /** The share by which its clock runs fast. */
  readonly clockDrift: number;
}

export class Life implements Doer {
  readonly host: number;
  readonly settings: Settings;
  readonly random: Random;
  readonly holder: LeaseHolder;
  readonly startedAt: number;
  readonly link: Link = new Link();
  readonly term: Term = new Term();
  readonly lease: LeaseClient;
  readonly workload: Workload;
  readonly fencer: Fencer;
  readonly clearing: Clearing;
  /** Null: the kernel does what it is for. */
  readonly guard: Guard | null;
  readonly suspension: Suspension;
  readonly orders: Orders = new Orders();
  state: NodeState;
  alive = true;
  /** Closing its files: it decides nothing any more and still has its locks. */
  ending = false;
  stopped = false;
  /** Told to, by a person who waits for no record. */
  endsAtOnce = false;
  uninterruptible = false;
  // Until when each fault lasts, in the world's time.
  starvedUntil = 0;
  lateAnswersUntil = 0;
  lostAnswersUntil = 0;
  cutUntil = 0;
  storeCutUntil = 0;
  machineFrozenUntil = 0;
  diskErrorUntil = 0;
  slowDiskUntil = 0;
  lostRaceUntil = 0;
  watchLostUntil = 0;
  slowStartUntil = 0;
  startFailsUntil = 0;
  stopFailsUntil = 0;
  hooksFailUntil = 0;
  hooksHangUntil = 0;
  sickUntil = 0;
  checksHangUntil = 0;
  forcedUntil = 0;
  /** What its application wants by now: what it is told late must not be what was wanted before. */
  enabled = true;
  /** When it has handed over because its workload did not serve, by its own clock. */
  handovers: readonly number[] = [];
  /** When it touched its lock file, newest first; some of many, and the last ones only. */
  touches: readonly number[] = [];
  /** The end of the latest fault that touched it. */
  troubledUntil = 0;
  readonly #world: World;
  /** How much its clock counts in one of the world's milliseconds. */
  readonly clockRate: number;
  #clockBase: number;
  readonly #queue: Event[] = [];
  #deferred: (() => void)[] = [];
  #draining = false;
  #wakeAt = Infinity;
  #wakes = 0;
  #stops = 0;
  #killPending = false;

  constructor(world: World, { host, settings, random, clockDrift }: LifeOptions) {
    this.#world = world;
    this.host = host;
    this.settings = settings;
    this.random = random;
    this.clockRate = 1 + clockDrift;
    this.startedAt = world.at;
    // Clocks of different machines have nothing in common.
    this.#clockBase = random.below(1_000_000);
    const { nodeId: node, run } = settings;
    this.holder = { node, run, endpoints: { bus: run, rpc: run } };
    const { store, timedLease } = world;
    if (store === null || timedLease === null) {
      this.lease = new FileLeaseClient(world, this);
      this.guard = null;
    } else {
      this.lease = new TimedLeaseClient(world, this, store, timedLease);
      this.guard = new Guard(world, this, store, timedLease);
    }
    this.workload = new Workload(world, this);
    this.fencer = new Fencer(world, this);
    this.clearing = new Clearing(world, this);
    this.suspension = new Suspension(world, this);
    this.state = initialState(this.now, random.below(2 ** 32));
  }

  get name(): string {
    return this.settings.run;
  }

  /** On its machine's clock, ms. */
  get now(): number {
    const passedMs = (this.#world.at - this.startedAt) * this.clockRate;
    return this.#clockBase + passedMs;
  }

  get isStarved(): boolean {
    return this.starvedUntil > this.#world.at;
  }

  /** For how long it will leave the lead to others: a cool-off, or an order of a person. */
  get holdsOffForMs(): number {
    return Math.max(0, this.state.heldOffUntil - this.now) / this.clockRate;
  }

  /** Takes an event, decides, and performs what follows, as the production loop does. */
  dispatch(body: EventBody): void {
    if (!this.alive) return;
    this.#queue.push({ at: this.now, ...body });
    this.#drain();
  }

  /** What this process does in a while: later if it is stopped or starved, never if it is gone. */
  later(delayMs: number, act: () => void): void {
    const lagMs = this.isStarved ? this.random.between(0, this.settings.heartbeatTimeoutMs) : 0;
    this.#world.timeline.schedule(this.#world.at + delayMs + lagMs, this, act);
  }

  /** What became of an order, unless another of its kind was given meanwhile. */
  answerTo(isNewest: IsNewest, event: EventBody): void {
    this.answer(() => {
      if (isNewest()) this.dispatch(event);
    });
  }

  /** An answer to an order of the core. */
  answer(act: () => void): void {
    if (this.lostAnswersUntil > this.#world.at && this.random.happens(LOST_ANSWERS)) return;
    const isLate = this.lateAnswersUntil > this.#world.at;
    this.later(this.random.between(0.05, isLate ? LATEST_ANSWER_MS : 0.6), act);
  }

  defer(act: () => void): void {
    this.#deferred.push(act);
  }

  /** SIGSTOP, or an uninterruptible wait, that ends after a while. */
  stop(forMs: number, { uninterruptible }: { readonly uninterruptible: boolean }): void {
    if (!this.alive) return;
    this.stopped = true;
    this.uninterruptible = uninterruptible;
    this.#stops += 1;
    const stops = this.#stops;
    this.#world.timeline.schedule(this.#world.at + forMs, null, () => {
      if (stops === this.#stops) this.continue();
    });
  }

  continue(): void {
    if (!this.stopped) return;
    if (this.machineFrozenUntil > this.#world.at) {
      this.#world.timeline.schedule(this.machineFrozenUntil, null, () => {
        this.continue();
      });
      return;
    }
    this.stopped = false;
    this.uninterruptible = false;
    this.#stops += 1;
    if (this.#killPending) {
      this.kill();
      return;
    }
    // Timers, messages and answers that waited come in no order.
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const act of deferred) this.later(this.random.between(0, 3), act);
  }

  /** SIGKILL. */
  kill(): void {
    if (!this.alive) return;
    if (this.uninterruptible) {
      this.#killPending = true;
      return;
    }
    this.#end(this.random.between(0.1, 2));
  }

  /** The node has ended in order: it leaves the lease, lingers, and its process ends, come what may. */
  exit(): void {
    const end = (): void => {
      this.later(this.random.between(1, 50), () => {
        this.#end(this.random.between(0.1, 1));
      });
    };
    this.lease.release(end);
    this.later(LONGEST_EXIT_MS, end);
  }

  /** Marks it as troubled until then, for those who judge whether it was left alone. */
  trouble(untilMs: number): void {
    this.troubledUntil = Math.max(this.troubledUntil, untilMs);
  }

  /** Its machine's clock goes on by so much at once, as after a suspend. */
  leap(ms: number): void {
    this.#clockBase += ms;
    this.guard?.leapt();
    if (!this.alive || this.stopped) return;
    this.#wakeAt = Infinity;
    this.#wakes += 1;
    this.#schedule();
  }

  touched(): void {
    const { at } = this.#world;
    const [last = -Infinity] = this.touches;
    if (at - last >= TOUCHES_APART_MS) this.touches = [at, ...this.touches.slice(0, TOUCHES_KEPT)];
  }

  #end(closingMs: number): void {
    this.alive = false;
    this.ending = true;
    this.#deferred = [];
    this.#world.remove(this);
    this.#world.timeline.schedule(this.#world.at + closingMs, null, () => {
      this.ending = false;
      this.lease.dropped();
      this.#world.network.dropConnections(this);
    });
    this.workload.orphan();
  }

  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) {
      if (this.alive) this.#step(event);
    }
    this.#draining = false;
    this.#schedule();
  }

  #step(event: Event): void {
    const world = this.#world;
    const next = this.#decided(event);
    const before = this.state;
    this.state = next.state;
    world.stepped(this, { before, event }, next);
    for (const effect of next.effects) perform(effect, this, world);
  }

  /** Whatever a core throws, a mistake as well as an invariant, has broken the run, and is worth its seed. */
  #decided(event: Event): Transition {
    const { checker, transition } = this.#world;
    try {
      return transition(this.state, event, this.settings);
    } catch (error) {
      const what = error instanceof InvariantViolation ? error.message : String(error);
      return checker.broken('core', `${this.name} on ${event.type}: ${what}`);
    }
  }

  #schedule(): void {
    if (!this.alive) return;
    const wakeAt = nextWakeAt(this.state, this.settings);
    if (wakeAt === this.#wakeAt) return;
    this.#wakeAt = wakeAt;
    this.#wakes += 1;
    if (wakeAt === Infinity) return;
    const number = this.#wakes;
    this.later(Math.max(0, (wakeAt - this.now) / this.clockRate), () => {
      if (number !== this.#wakes) return;
      this.#wakeAt = Infinity;
      // A timer never fires early, whatever the fractions say.
      this.#queue.push({ type: 'time-passed', at: Math.max(wakeAt, this.now) });
      this.#drain();
    });
  }
}

/** How long an exit waits for the lease to be given back, ms. */
const LONGEST_EXIT_MS = 500;

/** The share of answers that are lost where answers are. */
const LOST_ANSWERS = 0.5;

/** The longest that an answer takes where answers are late, ms. */
const LATEST_ANSWER_MS = 3_000;

const TOUCHES_APART_MS = 100;
const TOUCHES_KEPT = 20;
