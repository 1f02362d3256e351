// Does to a world what a plan says, and in the end takes all of it back.
import { guardTickMs } from '../core/lease-term.ts';
import { ANSWER_LIMIT_MS } from '../core/settings.ts';
import type { EventBody } from '../core/event.ts';
import type { Fault, FaultKind } from './faults.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';
import { nodeName } from './world.ts';

export class Nemesis {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Puts every fault on the timeline. */
  prepare(faults: readonly Fault[]): void {
    for (const fault of faults) {
      this.#world.timeline.schedule(fault.atMs, null, () => {
        this.#strike(fault);
      });
    }
  }

  /** Trouble ends everywhere at once; what was stopped goes on. */
  end(): void {
    const world = this.#world;
    const { network, at } = world;
    world.tell(() => 'the trouble ends');
    world.calm = true;
    network.lossUntil = at;
    network.duplicateUntil = at;
    network.delayUntil = at;
    if (world.store !== null) {
      world.store.downUntil = at;
      world.store.slowUntil = at;
    }
    if (world.paused) world.setPaused(false);
    for (const life of world.lives) {
      heal(life, at);
      life.continue();
      // After whatever still waits for a process that was stopped, or had no time.
      world.timeline.schedule(at + LATE_MS + life.settings.heartbeatTimeoutMs, null, () => {
        tellWhetherEnabled(life);
      });
    }
    world.endUnrecorded();
  }

  #strike(fault: Fault): void {
    const world = this.#world;
    if (world.calm) return;
    const life = world.life(fault.node);
    const frozenUntil = life?.machineFrozenUntil ?? 0;
    if (frozenUntil > world.at && INSIDE.has(fault.kind)) {
      world.timeline.schedule(frozenUntil, null, () => {
        this.#strike(fault);
      });
      return;
    }
    const until = world.at + fault.forMs;
    if (!this.#strikeGroup(fault, until) && life !== null) {
      if (DISTURBING.has(fault.kind)) life.trouble(until + effectsLast(fault));
      if (strikeNode(life, fault, until) === null) this.#ask(life, fault);
    }
    world.tell(() => `fault: ${fault.kind} ${nodeName(fault.node)} for ${String(fault.forMs)} ms`);
  }

  /** False: it is a fault of one node. */
  #strikeGroup({ kind, forMs }: Fault, until: number): boolean {
    const { network, timeline, at } = this.#world;
    switch (kind) {
      case 'loss':
        network.lossUntil = Math.max(network.lossUntil, until);
        return true;
      case 'duplicate':
        network.duplicateUntil = Math.max(network.duplicateUntil, until);
        return true;
      case 'delay':
        network.delayUntil = Math.max(network.delayUntil, until);
        return true;
      case 'store-down':
      case 'store-slow':
        strikeStore(this.#world, kind, until);
        return true;
      case 'store-wipe':
        this.#world.store?.forgetSince(Number.NEGATIVE_INFINITY);
        return true;
      case 'store-lag':
        this.#world.store?.forgetSince(at - forMs);
        return true;
      case 'remove-directory':
        for (const life of this.#world.lives) life.trouble(at);
        this.#world.removeDirectory();
        return true;
      case 'remove-epochs':
        for (const life of this.#world.lives) life.trouble(at);
        this.#world.removeEpochs();
        return true;
      case 'remove-nodes':
        this.#world.removeNodes();
        return true;
      case 'foreign-lock':
        this.#world.lockByStranger(until);
        return true;
      case 'pause':
        this.#world.setPaused(true);
        timeline.schedule(until, null, () => {
          if (this.#world.paused) this.#world.setPaused(false);
        });
        return true;
      default:
        return false;
    }
  }

  /** Everything on a machine, and what its guard owes once it goes on. */
  #freeze(life: Life, forMs: number): void {
    const { sessions, timeline, at, checker, timedLease } = this.#world;
    const until = at + forMs;
    const tickMs = guardTickMs(timedLease?.ttlMs ?? 0);
    const guards = new Set([life.guard]);
    for (const session of sessions) {
      if (session.owner.host !== life.host) continue;
      session.standStill(until, tickMs);
      guards.add(session.owner.guard);
    }
    for (const guard of guards) guard?.freeze(until);
    life.machineFrozenUntil = Math.max(life.machineFrozenUntil, until);
    life.stop(forMs, { uninterruptible: false });
    timeline.schedule(until + tickMs, null, () => {
      for (const session of sessions) {
        if (session.owner.host === life.host) checker.thawed(session);
      }
    });
  }

  /** Before it is stopped, while it steps down, or when it has been stopped for a while. */
  #continueWithin(life: Life, forMs: number): void {
    const { timeline, at } = this.#world;
    const longestMs = Math.min(forMs, life.random.pick([5, 80, 1_000]));
    timeline.schedule(at + life.random.between(0, longestMs), null, () => {
      life.suspension.continue();
    });
  }

  /** As the command does: what is not decided yet is asked for again. */
  #check(life: Life, { answerEarly }: { readonly answerEarly: boolean }): void {
    const requestId = this.#world.requests.ask((outcome) => {
      if (outcome.ok && outcome.undecided === true) this.#check(life, { answerEarly: false });
    });
    tell(life, { type: 'check-requested', requestId, answerEarly });
  }

  #promote(life: Life, order: { readonly force: boolean; readonly answerEarly: boolean }): void {
    const requestId = this.#world.requests.ask((outcome) => {
      if (outcome.ok && outcome.undecided === true) {
        this.#promote(life, { ...order, answerEarly: false });
      }
    });
    tell(life, { type: 'promote-requested', requestId, ...order });
  }

  /** What people and applications ask of a node. */
  #ask(life: Life, { kind, forMs }: Fault): void {
    const { requests, timeline, at } = this.#world;
    const ask = (): string => requests.ask(() => undefined);
    switch (kind) {
      case 'promote':
      case 'promote-force': {
        const force = kind === 'promote-force';
        if (force) life.forcedUntil = at + FORCE_MS;
        this.#promote(life, { force, answerEarly: force });
        return;
      }
      case 'demote':
      case 'demote-hold': {
        const holdMs = kind === 'demote-hold' ? forMs : null;
        const order = { successor: null, holdMs, answerEarly: false };
        tell(life, { type: 'demote-requested', requestId: ask(), ...order });
        return;
      }
      case 'check':
        this.#check(life, { answerEarly: true });
        return;
      case 'disable':
        life.enabled = false;
        tellWhetherEnabled(life);
        timeline.schedule(at + forMs, null, () => {
          life.enabled = true;
          tellWhetherEnabled(life);
        });
        return;
      case 'suspend':
        tell(life, { type: 'suspend-requested' });
        if (life.random.happens(0.4)) this.#continueWithin(life, forMs);
        return;
      case 'disconnect':
        this.#world.network.dropConnections(life);
        return;
      case 'freeze':
        this.#freeze(life, forMs);
        return;
      default:
        return;
    }
  }
}

/** A request or a signal reaches the process: one that is stopped sees it when it goes on. */
function tell(life: Life, event: EventBody): void {
  life.later(life.random.between(0.05, 0.5), () => {
    life.dispatch(event);
  });
}

function tellWhetherEnabled(life: Life): void {
  life.later(life.random.between(0.05, 0.5), () => {
    life.dispatch({ type: 'enabled-changed', enabled: life.enabled });
  });
}

/** How long a node may still act on what it was not told, ms. */
function effectsLast({ kind }: Fault): number {
  return kind === 'lost-answer' ? 3 * ANSWER_LIMIT_MS : 0;
}

/** What keeps a node from doing its part as long as it lasts. */
const DISTURBING: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'stop',
  'stall',
  'starve',
  'suspend',
  'workload-stop',
  'slow-start',
  'hook-hang',
  'partition',
  'disk-error',
  'lost-race',
  'watch-loss',
  'late-answer',
  'lost-answer',
  'stop-failure',
  'disable',
  'store-cut',
  'guard-crash',
  'freeze',
]);

/** What a machine that stands still does only once it goes on: no process there ends, or sends a signal. */
const INSIDE: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'crash',
  'workload-crash',
  'workload-exit',
  'workload-complete',
  'workload-stop',
  'guard-crash',
]);

/** Longer than what was deferred by a stop takes to be taken in, ms. */
const LATE_MS = 100;

/** For how long after a forced promotion a kill by that node counts as ordered, ms. */
const FORCE_MS = 60_000;

/** Null: it is none that is done to the node's process, its workload or its adapters. */
function strikeNode(life: Life, fault: Fault, until: number): true | null {
  const { forMs } = fault;
  const { active } = life.workload;
  switch (fault.kind) {
    case 'crash':
      life.kill();
      return true;
    case 'stop':
      life.stop(forMs, { uninterruptible: false });
      return true;
    case 'stall':
      life.stop(forMs, { uninterruptible: true });
      return true;
    case 'quit':
    case 'quit-now': {
      const order = { exitCode: 0, reason: 'SIGTERM', immediate: fault.kind === 'quit-now' };
      life.endsAtOnce ||= order.immediate;
      tell(life, { type: 'stop-requested', order, requestId: null });
      return true;
    }
    case 'workload-crash':
      active?.endFirst('SIGSEGV');
      return true;
    case 'workload-exit':
      active?.endFirst(1);
      return true;
    case 'workload-complete':
      active?.endFirst(0);
      return true;
    case 'workload-stop':
      active?.freeze(forMs);
      return true;
    case 'clock-leap':
      life.leap(forMs);
      return true;
    case 'guard-crash':
      life.guard?.crash();
      return true;
    default:
      return strikeAdapters(life, fault, until);
  }
}

function strikeStore({ store }: World, kind: 'store-down' | 'store-slow', until: number): void {
  if (store === null) return;
  if (kind === 'store-down') store.downUntil = Math.max(store.downUntil, until);
  else store.slowUntil = Math.max(store.slowUntil, until);
}

function strikeAdapters(life: Life, { kind }: Fault, until: number): true | null {
  switch (kind) {
    case 'starve':
      life.starvedUntil = until;
      return true;
    case 'slow-start':
      life.slowStartUntil = until;
      return true;
    case 'start-failure':
      life.startFailsUntil = until;
      return true;
    case 'hook-failure':
      life.hooksFailUntil = until;
      return true;
    case 'hook-hang':
      life.hooksHangUntil = until;
      return true;
    case 'unhealthy':
      life.sickUntil = Math.max(life.sickUntil, until);
      return true;
    case 'check-hang':
      life.checksHangUntil = until;
      return true;
    case 'partition':
      life.cutUntil = until;
      return true;
    case 'store-cut':
      life.storeCutUntil = until;
      return true;
    case 'disk-error':
      life.diskErrorUntil = until;
      return true;
    case 'slow-disk':
      life.slowDiskUntil = Math.max(life.slowDiskUntil, until);
      return true;
    case 'lost-race':
      life.lostRaceUntil = until;
      return true;
    case 'watch-loss':
      life.watchLostUntil = until;
      return true;
    case 'late-answer':
      life.lateAnswersUntil = until;
      return true;
    case 'lost-answer':
      life.lostAnswersUntil = until;
      return true;
    case 'stop-failure':
      life.stopFailsUntil = until;
      return true;
    default:
      return null;
  }
}

function heal(life: Life, at: number): void {
  life.starvedUntil = at;
  life.slowStartUntil = at;
  life.startFailsUntil = at;
  life.hooksFailUntil = at;
  life.hooksHangUntil = at;
  life.sickUntil = at;
  life.checksHangUntil = at;
  life.cutUntil = at;
  life.storeCutUntil = at;
  life.diskErrorUntil = at;
  life.slowDiskUntil = at;
  life.lostRaceUntil = at;
  life.watchLostUntil = at;
  life.lateAnswersUntil = at;
  life.lostAnswersUntil = at;
  life.stopFailsUntil = at;
  life.enabled = true;
}
