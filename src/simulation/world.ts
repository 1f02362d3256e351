// The simulated machine: time, nodes, their processes, one state directory and a network, all from one seed.
import type { Event } from '../core/event.ts';
import type { HealthSettings, Settings } from '../core/settings.ts';
import type { NodeState } from '../core/state.ts';
import type { Transition } from '../core/transition.ts';
import { Checker } from './checker.ts';
import { Directory, FOREIGN } from './directory.ts';
import { Life } from './life.ts';
import { Network } from './network.ts';
import type { Plan } from './plan.ts';
import type { TimedLease, WorkloadTraits } from './profile.ts';
import { Proxies } from './proxies.ts';
import { Random } from './random.ts';
import { Requests } from './requests.ts';
import type { Session } from './session.ts';
import { TimedStore } from './timed-store.ts';
import { Timeline } from './timeline.ts';

export type Decide = (before: NodeState, event: Event, settings: Settings) => Transition;

export interface WorldOptions {
  readonly plan: Plan;
  /** The core under test. */
  readonly transition: Decide;
  /** Takes each change of phase and each fault, for people. */
  readonly tell: ((atMs: number, line: string) => void) | null;
}

export class World {
  readonly timeline: Timeline = new Timeline();
  readonly network: Network;
  readonly checker: Checker;
  readonly proxies: Proxies;
  readonly requests: Requests = new Requests();
  readonly transition: Decide;
  readonly traits: WorkloadTraits;
  readonly looksTakeTime: boolean;
  /** Every process of workloads and hooks that is alive. */
  readonly sessions: Session[] = [];
  /** The supervisors that are alive, in the order of their starts. */
  readonly lives: Life[] = [];
  /** Of the machine that all nodes of a file lease are on. */
  directory: Directory = new Directory();
  /** Null: it is a file lease. */
  readonly store: TimedStore | null;
  readonly timedLease: TimedLease | null;
  /** Whether the trouble is over. */
  calm = false;
  steps = 0;
  activations = 0;
  fences = 0;
  readonly #plan: Plan;
  readonly #tell: WorldOptions['tell'];
  readonly #random: Random;
  /** A source for each node: what one node does changes nothing of the chances of another. */
  readonly #randomOf: readonly Random[];
  readonly #lifeOf: (Life | null)[];
  /** What each machine keeps to itself, where each node has its own. */
  readonly #directories: readonly Directory[];
  #runs = 0;
  #digest = 0x811c9dc5;

  constructor({ plan, transition, tell }: WorldOptions) {
    this.#plan = plan;
    this.#tell = tell;
    this.transition = transition;
    this.traits = plan.profile.workload;
    this.looksTakeTime = plan.profile.looksTakeTime;
    this.#random = new Random(plan.seed);
    this.#randomOf = Array.from({ length: plan.nodes }, () => this.#random.fork());
    this.#lifeOf = this.#randomOf.map(() => null);
    this.#directories = this.#randomOf.map(() => Directory.made());
    const { lease } = plan.profile;
    this.timedLease = lease;
    this.store = lease === null ? null : new TimedStore(this, lease.storeDriftPpm / 1e6);
    this.network = new Network(this);
    this.proxies = new Proxies(plan.profile.proxies, plan.seed);
    this.checker = new Checker(this);
  }

  get at(): number {
    return this.timeline.at;
  }

  /** A number that two runs share only if they took the same steps at the same times. */
  get digest(): string {
    return (this.#digest >>> 0).toString(16).padStart(8, '0');
  }

  get isFullyUp(): boolean {
    return this.lives.length === this.#plan.nodes;
  }

  /** Whose the lease is by now. */
  get leaseHolder(): Life | typeof FOREIGN | null {
    return this.store === null ? this.directory.holder : this.store.holder;
  }

  /** The highest epoch that something tells of. */
  get toldEpoch(): number {
    if (this.store !== null) {
      return Math.max(this.store.epoch, ...this.lives.map(({ lease }) => lease.toldEpoch));
    }
    const noted = this.lives.map((life) => life.lease.noted);
    return Math.max(this.directory.epoch, this.directory.noted, ...noted);
  }

  /** Where the machine of a node keeps its records and locks. */
  directoryOf({ host }: Pick<Life, 'host'>): Directory {
    return this.store === null ? this.directory : (this.#directories[host] ?? this.directory);
  }

  /** The node of that number, while it lives. */
  life(index: number): Life | null {
    return this.#lifeOf[index] ?? null;
  }

  sessionsOf(owner: Life): readonly Session[] {
    return this.sessions.filter((session) => session.owner === owner);
  }

  /** Starts a node unless it runs. */
  start(index: number): void {
    const random = this.#randomOf[index];
    if (random === undefined || this.life(index) !== null) return;
    this.#runs += 1;
    const { profile } = this.#plan;
    const nodeId = nodeName(index);
    const drift = (profile.clockDriftPpm / 1e6) * random.between(-1, 1);
    const settings: Settings = {
      nodeId,
      run: `${nodeId}${String(this.#runs)}`,
      version: '0.0.0',
      startRole: random.happens(0.2) ? 'secondary' : 'auto',
      ...this.#orderOf(index, random.pick([100, 100, 50])),
      leaseTtlMs: profile.lease?.ttlMs ?? 0,
      leaseTickMs: profile.lease?.tickMs ?? 0,
      leaseRequestTimeoutMs: profile.lease?.requestTimeoutMs ?? 0,
      leaseMaxDriftMs: profile.lease?.maxDriftMs ?? 0,
      ...(profile.health ?? NOT_ASKED),
      ...profile.settings,
    };
    const host = profile.lease === null ? 0 : index;
    const life = new Life(this, { host, settings, random, clockDrift: drift });
    this.#lifeOf[index] = life;
    this.lives.push(life);
    this.tell(() => `${life.name} starts`);
    life.lease.open();
    life.dispatch({ type: 'started' });
  }

  /** How a node goes before others, or after them. */
  #orderOf(index: number, drawn: number): OrderSettings {
    const { nodes, profile } = this.#plan;
    const { order } = profile;
    if (order === null) return { ...RACE, priority: drawn };
    const { priorityWindowMs, preemptDelayMs } = order;
    const races = order.strategy === 'race' || (order.strategy === 'mixed' && index % 2 === 1);
    const isLast = nodes > 2 && index === nodes - 1;
    return {
      strategy: races ? 'race' : 'priority',
      priority: isLast && order.lastNeverLeads ? 0 : drawn,
      preempt: order.preempt && !races,
      priorityWindowMs,
      preemptDelayMs,
    };
  }

  /** A supervisor's process has ended; somebody starts it again after a while. */
  remove(life: Life): void {
    this.tell(() => `${life.name} has ended`);
    this.lives.splice(this.lives.indexOf(life), 1);
    // One that takes long to end may leave something when the trouble is over already.
    if (this.calm) this.endUnrecorded();
    const index = this.#lifeOf.indexOf(life);
    this.#lifeOf[index] = null;
    this.checker.forget();
    this.timeline.schedule(this.at + this.#random.between(100, LONGEST_ABSENCE_MS), null, () => {
      this.start(index);
    });
  }

  /** With the directory the records or locks of what dead nodes left were removed: somebody has to end it. */
  endUnrecorded(): void {
    for (const session of this.sessions) {
      const directory = this.directoryOf(session.owner);
      const isOnRecord = session.recordedIn === directory;
      const isLockedElsewhere = session.holdsLock && session.description !== directory;
      if (!session.owner.alive && (!isOnRecord || isLockedElsewhere)) session.kill();
    }
  }

  /** The directory is gone, with all that it said. */
  removeDirectory(): void {
    this.directory = new Directory();
    this.checker.forget();
    this.leaseChanged();
  }

  /** The records of all epochs are gone; the lock files stay. */
  removeEpochs(): void {
    this.directory.removeEpochs();
    this.checker.forget();
    this.leaseChanged();
  }

  /** The records of all nodes are gone. */
  removeNodes(): void {
    this.directory.records.clear();
    for (const session of this.sessions) session.recordedIn = null;
  }

  get paused(): boolean {
    return this.store?.paused ?? this.directory.paused;
  }

  setPaused(paused: boolean): void {
    if (this.store !== null) this.store.paused = paused;
    else {
      this.directory.exists = true;
      this.directory.paused = paused;
    }
    this.leaseChanged();
  }

  /** A process of another program takes the lock as soon as it is free, for a while. */
  lockByStranger(untilMs: number): void {
    const { directory } = this;
    if (this.at >= untilMs || directory !== this.directory) return;
    if (directory.holder !== null || !directory.hasLockFiles) {
      this.timeline.schedule(this.at + 1, null, () => {
        this.lockByStranger(untilMs);
      });
      return;
    }
    directory.holder = FOREIGN;
    this.timeline.schedule(untilMs, null, () => {
      if (directory.holder === FOREIGN) directory.holder = null;
    });
  }

  /** The watchers of the directory see a change. */
  leaseChanged(): void {
    for (const life of this.lives) {
      if (Math.max(life.watchLostUntil, life.storeCutUntil) > this.at) continue;
      life.later(life.random.between(0.3, 3), () => {
        life.dispatch({ type: 'lease-changed' });
      });
    }
  }

  /** A step of a promotion failed: a while later nothing of that promotion may be left. */
  promotionFailed(life: Life, epoch: number): void {
    const failedAt = this.at;
    const { stopGraceMs, demoteTimeoutMs } = life.settings;
    const emptyingMs = Math.max(stopGraceMs, this.traits.stopMs);
    const boundMs = emptyingMs + demoteTimeoutMs + UNWINDING_MARGIN_MS;
    this.timeline.schedule(failedAt + boundMs, null, () => {
      // One that was disturbed meanwhile may take longer.
      if (life.troubledUntil <= failedAt) this.checker.leftAfterFailure(life, epoch);
    });
  }

  fenced(target: Life, fencer: Life): void {
    if (!target.alive) return;
    const { lossUntil, delayUntil } = this.network;
    const trouble = [target.troubledUntil, fencer.troubledUntil, lossUntil, delayUntil];
    this.checker.fenced(target, fencer, Math.max(target.startedAt, ...trouble));
  }

  /** After each step of a core. */
  stepped(life: Life, { before, event }: Stepped, next: Transition): void {
    this.steps += 1;
    life.lease.saw(epochIn(event));
    if (this.steps > STEP_LIMIT) this.checker.broken('S4', `${life.name} does not come to rest`);
    const { type } = event;
    const code = type.charCodeAt(0) + (type.charCodeAt(5) << 8) + (type.length << 16);
    this.#mix(code);
    this.#mix(Math.round(this.at * 1_000));
    this.#mix(next.effects.length + next.state.phase.length * 64);
    if (next.move === 'demote-unhealthy') this.checker.handsOverUnhealthy(life);
    if (isOwnClaim(before, next)) this.checker.claims(life);
    if (next.move !== null) this.tell(() => `${life.name} ${next.state.phase}: ${next.reason}`);
  }

  /** The line is made only where somebody listens. */
  tell(line: () => string): void {
    this.#tell?.(this.at, line());
  }

  /** Fowler, Noll and Vo's hash, by words. */
  #mix(value: number): void {
    this.#digest = Math.imul(this.#digest ^ value, 0x01000193);
  }
}

/** The highest epoch that an answer of the lease tells of; 0: it is none. */
function epochIn(event: Event): number {
  switch (event.type) {
    case 'lease-granted':
    case 'epoch-advanced':
      return event.epoch;
    case 'lease-observed':
    case 'lease-denied':
      return event.observation.epoch;
    case 'holder-inspected':
      return event.inspection.observation.epoch;
    default:
      return 0;
  }
}

interface Stepped {
  readonly before: NodeState;
  readonly event: Event;
}

/** One that nobody asked for, as the first of its candidature. */
function isOwnClaim(before: NodeState, { state, effects, move }: Transition): boolean {
  if (move === null || state.phase !== 'acquiring' || before.role !== 'secondary') return false;
  // What it asked for itself it was healthy for.
  if (state.loss.chosen === true || before.phase === 'asking') return false;
  return effects.some(({ type }) => type === 'acquire-lease');
}

type OrderSettings = Pick<
  Settings,
  'strategy' | 'priority' | 'preempt' | 'priorityWindowMs' | 'preemptDelayMs'
>;

const RACE = {
  strategy: 'race',
  preempt: false,
  priorityWindowMs: 1_000,
  preemptDelayMs: 1_000,
} as const;

const NOT_ASKED: HealthSettings = {
  hasHealthCheck: false,
  hasStandbyHealthCheck: false,
  healthIntervalMs: 2_000,
  healthTimeoutMs: 1_000,
  healthFastIntervalMs: 500,
  healthFall: 3,
  healthRise: 2,
  healthGraceMs: 0,
  healthHoldMs: 60_000,
};

/** a, b, … z, then n26, n27, … */
export function nodeName(index: number): string {
  return index < 26 ? String.fromCharCode(97 + index) : `n${String(index)}`;
}

/** The longest until a node that ended is started again, ms. */
const LONGEST_ABSENCE_MS = 2_500;

/** Far more than any run takes that comes to an end. */
const STEP_LIMIT = 5_000_000;

/** For the stop ladder's own steps and slow answers, ms. */
const UNWINDING_MARGIN_MS = 4_000;
