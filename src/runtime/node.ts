// The loop of one node: one queue of events, one state, one timer. The only mutable state there is.
import type { RequestOutcome } from '../core/effect.ts';
import type { Event, EventBody } from '../core/event.ts';
import type { NodeState, StopOrder } from '../core/state.ts';
import { initialState } from '../core/state.ts';
import type { Settings } from '../core/settings.ts';
import { asStopped, brokenOff } from '../core/ending.ts';
import { kept } from '../core/copy.ts';
import { assignInto } from '../core/outcome.ts';
import { nextWakeAt } from '../core/schedule.ts';
import { transition } from '../core/transition.ts';
import type { Step, Transition } from '../core/transition.ts';
import { messageOf } from '../error-message.ts';
import type { Clock } from './ports.ts';
import { perform } from './perform.ts';
import type { EffectContext, NodePorts } from './perform.ts';
import { Orders } from './orders.ts';
import { RecentLateness } from './recent-lateness.ts';

/** Events that may wait; more than this means that the loop no longer runs, and what comes then is dropped. */
const QUEUE_LIMIT = 10_000;

/** From this lateness of its timer on a node does not count as deciding, ms: on a starved machine timers fire late. */
const WAKE_OVERDUE_MS = 1_000;

interface NodeHooks {
  /** After every event, before its effects are performed. The state before changes as soon as this has returned. */
  readonly onStep?: (step: Step) => void;
  /** The node has ended in order. */
  readonly onExit: (order: StopOrder) => void;
  /** The process is to be stopped by the terminal's request; returns when it continues. */
  readonly onSuspend: () => void;
  /** A port failed where no event can say it. */
  readonly onReport: (what: string, error: unknown) => void;
  /** The core refused an event; its state is still the one before it. */
  readonly onRefusal?: (event: Event, error: unknown) => void;
  /**
   * An invariant is broken: the workload has to end now, nothing else can be trusted. It has stopped, as far as its
   * state says; with this order.
   */
  readonly onFatal: (order: StopOrder) => void;
}

export interface NodeOptions {
  readonly settings: Settings;
  readonly ports: NodePorts;
  readonly clock: Clock;
  readonly seed: number;
  readonly hooks: NodeHooks;
}

/** Runs the core: takes events from anywhere, one at a time, and performs what follows. */
export class NodeLoop {
  readonly #options: NodeOptions;
  readonly #context: EffectContext;
  readonly #queue: Event[] = [];
  readonly #answers = new Map<string, (outcome: RequestOutcome) => void>();
  readonly #lateness = new RecentLateness();
  #state: NodeState;
  #hasStarted = false;
  #draining = false;
  #dead = false;
  /** Whether it was said that events are dropped, since none waited. */
  #saysFull = false;
  #requests = 0;
  #cancelWake: (() => void) | null = null;
  #wakeAt = Infinity;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.#state = initialState(options.clock.now(), options.seed);
    const { settings, ports, hooks } = options;
    this.#context = {
      settings,
      ports,
      orders: new Orders(),
      dispatch: (event) => {
        this.dispatch(event);
      },
      now: () => options.clock.now(),
      answer: (requestId, outcome) => {
        this.#answer(requestId, outcome);
      },
      suspend: hooks.onSuspend,
      exit: hooks.onExit,
      report: hooks.onReport,
    };
  }

  /** The present state: while the phase lasts it changes with each step, under whoever keeps it. */
  get state(): NodeState {
    return this.#state;
  }

  /** The most that its timer was late in the last minute, or is now, ms. */
  get latenessMs(): number {
    const now = this.#options.clock.now();
    return Math.max(this.#lateness.worst(now), now - this.#wakeAt);
  }

  /** Whether it still decides when its time has come: else nothing that it says of itself counts. */
  get isTurning(): boolean {
    if (this.#dead || !this.#hasStarted) return false;
    return this.#wakeAt === Infinity || this.#options.clock.now() - this.#wakeAt < WAKE_OVERDUE_MS;
  }

  start(): void {
    this.#hasStarted = true;
    this.#queue.unshift({ type: 'started', at: this.#options.clock.now() });
    this.#drain();
  }

  /**
   * Queues an event; it is decided on before this returns, unless an event is being decided now. What comes
   * before the start waits for it: a node that already followed somebody would not begin as one that joins.
   *
   * @param body it becomes the event: the time is put into it, as a copy of each would leave garbage that lives long. So
   *   it was made for this call; who keeps it as well only reads what it had put into it
   */
  dispatch(body: EventBody): void {
    if (!this.#dead) this.#take(assignInto(body, { at: this.#options.clock.now() }));
  }

  #take(event: Event): void {
    if (this.#queue.length >= QUEUE_LIMIT) {
      this.#drop(event);
      return;
    }
    this.#queue.push(event);
    this.#drain();
  }

  /** Said once for as long as the queue lasts: more words would only keep it full. */
  #drop(event: Event): void {
    if (!this.#saysFull) {
      this.#saysFull = true;
      this.#options.hooks.onReport('take in what happens', new Error(FULL.message));
    }
    if ('requestId' in event && event.requestId !== null) this.#answer(event.requestId, FULL);
  }

  /** Dispatches a request and resolves with the outcome once the core knows it. */
  async request(build: (requestId: string) => EventBody): Promise<RequestOutcome> {
    this.#requests += 1;
    const requestId = String(this.#requests);
    return new Promise((resolve) => {
      this.#answers.set(requestId, resolve);
      this.dispatch(build(requestId));
      if (this.#dead) this.#answer(requestId, ENDED);
    });
  }

  /** Ends the loop: no event is taken any more, every open request is answered. */
  end(): void {
    this.#dead = true;
    if (this.#state.role === 'stopped') this.#state = asStopped(this.#state);
    this.#cancelWake?.();
    for (const requestId of [...this.#answers.keys()]) this.#answer(requestId, ENDED);
  }

  #drain(): void {
    if (this.#draining || !this.#hasStarted || this.#dead) return;
    this.#draining = true;
    try {
      for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) {
        this.#step(event);
      }
      this.#saysFull = false;
    } catch (error) {
      this.end();
      const order = { exitCode: 1, reason: messageOf(error), immediate: true };
      this.#state = brokenOff(this.#state, order, this.#options.clock.now());
      this.#options.hooks.onFatal(order);
    } finally {
      this.#draining = false;
    }
    this.#schedule();
  }

  #step(event: Event): void {
    const before = this.#state;
    const next = this.#decide(before, event);
    this.#state = next.state;
    // By name, as all that is made for each event: what adds properties to a spread leaves garbage that lives long.
    const { state, effects, move, reason } = next;
    this.#options.hooks.onStep?.({ state, effects, move, reason, before, event });
    for (const effect of effects) perform(effect, this.#context);
    this.#state = kept(before, state);
  }

  #decide(before: NodeState, event: Event): Transition {
    try {
      return transition(before, event, this.#options.settings);
    } catch (error) {
      this.#options.hooks.onRefusal?.(event, error);
      throw error;
    }
  }

  #schedule(): void {
    if (this.#dead) return;
    const wakeAt = nextWakeAt(this.#state, this.#options.settings);
    if (wakeAt === this.#wakeAt && this.#cancelWake !== null) return;
    this.#cancelWake?.();
    this.#wakeAt = wakeAt;
    this.#cancelWake =
      wakeAt === Infinity ? null : this.#options.clock.wakeAt(wakeAt, this.#onWake);
  }

  /** One function for all wakes: a thousand nodes are woken two thousand times a second. */
  readonly #onWake = (): void => {
    const dueAt = this.#wakeAt;
    const now = this.#options.clock.now();
    this.#cancelWake = null;
    this.#wakeAt = Infinity;
    this.#lateness.note(dueAt, now);
    this.#take({ type: 'time-passed', at: now });
  };

  #answer(requestId: string, outcome: RequestOutcome): void {
    const resolve = this.#answers.get(requestId);
    this.#answers.delete(requestId);
    resolve?.(outcome);
  }
}

const FULL = {
  ok: false,
  code: 'FAILOVER_REFUSED',
  message: `${String(QUEUE_LIMIT)} events wait already`,
} as const;

const ENDED: RequestOutcome = {
  ok: false,
  code: 'FAILOVER_REFUSED',
  message: 'this node has exited',
};
