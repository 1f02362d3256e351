// What one node runs: a process behind its gate, the workload, its hooks, and the way out of them.
import type { Effect } from '../core/effect.ts';
import type { IsNewest } from '../runtime/orders.ts';
import type { Life } from './life.ts';
import { Session } from './session.ts';
import type { World } from './world.ts';

interface Order {
  readonly isNewest: IsNewest;
}

interface Activation extends Order {
  readonly epoch: number;
}

interface Hook {
  readonly epoch: number;
  readonly timeoutMs: number;
  readonly finish: (ok: boolean, detail: string) => void;
}

interface Stopping {
  killAt: number;
  isNewest: IsNewest;
}

interface Arming {
  readonly stops: number;
  isNewest: IsNewest;
}

export class Workload {
  readonly #world: World;
  readonly #life: Life;
  /** The newest run; earlier ones may still have members. */
  #run: Session | null = null;
  #stopping: Stopping | null = null;
  #arming: Arming | null = null;
  /** What begins once the stop that is under way has ended. */
  #afterStop: (() => void)[] = [];
  #stops = 0;
  /** Whether its last hook was a demote command that succeeded. */
  #hasObeyed = false;

  constructor(world: World, life: Life) {
    this.#world = world;
    this.#life = life;
  }

  /** What acts as the primary's; null: nothing does. */
  get active(): Session | null {
    const isIt = (one: Session): boolean =>
      one.owner === this.#life && one.kind === 'workload' && one.isActive;
    return this.#world.sessions.find(isIt) ?? null;
  }

  /** One at a time: an order that comes meanwhile is answered with the one that is under way. */
  arm(): void {
    const isNewest = this.#life.orders.begin('workload');
    if (this.#arming?.stops === this.#stops) {
      this.#arming.isNewest = isNewest;
      return;
    }
    const arming: Arming = { stops: this.#stops, isNewest };
    this.#arming = arming;
    this.#onceStopped(() => {
      if (this.#waiting() !== null) {
        this.#armed(arming);
        return;
      }
      this.#spawn(arming, (session) => {
        if (session !== null) session.opened = this.#isHot;
        this.#armed(arming, session !== null);
      });
    });
  }

  activate(epoch: number): void {
    const order = { epoch, isNewest: this.#life.orders.begin('workload') };
    this.#onceStopped(() => {
      if (this.#world.sessions.some((one) => one.owner === this.#life && !one.firstAlive)) {
        this.#fail(order, 'something of the last run has not ended');
        return;
      }
      const waiting = this.#waiting();
      if (waiting !== null) this.#takeLock(waiting, order);
      else {
        this.#spawn(order, (session) => {
          if (session !== null) this.#takeLock(session, order);
        });
      }
    });
  }

  /** Hot: the workload goes on as secondary. */
  deactivate(): void {
    const order = { isNewest: this.#life.orders.begin('workload') };
    const run = this.#run;
    if (run?.firstAlive !== true) {
      this.#fail(order, 'the hot workload has exited');
      return;
    }
    // One that was not confirmed to have obeyed goes on as it likes; its lock is given up all the same.
    run.active = !this.#hasObeyed;
    run.locked = false;
    this.#life.answerTo(order.isNewest, { type: 'workload-deactivated' });
  }

  stop(graceMs: number): void {
    const { stopFailsUntil, random, orders } = this.#life;
    const isNewest = orders.begin('workload');
    if (stopFailsUntil > this.#world.at && random.happens(0.7)) {
      const message = 'it cannot be signalled';
      this.#life.answerTo(isNewest, { type: 'workload-stop-failed', message });
      return;
    }
    const killAt = this.#world.at + graceMs;
    if (this.#stopping !== null) {
      this.#stopping.isNewest = isNewest;
      if (killAt < this.#stopping.killAt) {
        this.#stopping.killAt = killAt;
        this.#lookAt(graceMs);
      }
      return;
    }
    this.#stops += 1;
    if (this.#run !== null) this.#run.dismissed = true;
    this.#stopping = { killAt, isNewest };
    this.#look();
    this.#lookAt(graceMs);
  }

  runHook({ hook, epoch, timeoutMs }: Extract<Effect, { type: 'run-hook' }>): void {
    const life = this.#life;
    const isNewest = life.orders.begin('hook');
    const finish = (ok: boolean, detail: string): void => {
      if (ok && hook === 'promote') life.term.confirmedEpoch = epoch;
      this.#hasObeyed = ok && hook === 'demote';
      if (!ok && hook === 'promote') this.#world.promotionFailed(life, epoch);
      life.answerTo(isNewest, { type: 'hook-finished', hook, ok, detail });
    };
    if (this.#stopping !== null) {
      finish(false, 'not started: the workload is stopping');
      return;
    }
    const stops = this.#stops;
    const session = this.#gatedHook();
    life.later(this.#spawnMs(), () => {
      if (stops === this.#stops) this.#beginHook(session, { epoch, timeoutMs, finish });
      else {
        session.kill();
        finish(false, 'could not be started: the workload is stopping');
      }
    });
  }

  /** Its supervisor saw a first process end. */
  firstEnded(session: Session, how: number | string): void {
    const life = this.#life;
    if (!life.alive || session.kind === 'hook') return;
    const end =
      typeof how === 'number' ? { exitCode: how, signal: null } : { exitCode: null, signal: how };
    life.later(life.random.between(0.1, 1.5), () => {
      if (session.dismissed) return;
      if (session.active) life.dispatch({ type: 'workload-ended', ...end });
      else life.dispatch({ type: 'workload-disarmed', detail: 'the process that stood by ended' });
    });
  }

  sessionEnded(): void {
    if (this.#life.alive && this.#stopping !== null) this.#lookAt(0.5);
  }

  /** The supervisor is gone. */
  orphan(): void {
    for (const session of this.#world.sessionsOf(this.#life)) session.orphan();
    this.#life.guard?.supervisorEnded();
  }

  get #isHot(): boolean {
    return this.#life.settings.standby === 'hot';
  }

  /** What stands by for an activation. */
  #waiting(): Session | null {
    const run = this.#run;
    if (run?.firstAlive !== true || run.dismissed) return null;
    return this.#isHot || !run.opened ? run : null;
  }

  /** Of a failure the spawn itself has answered. */
  #armed(arming: Arming, done = true): void {
    if (this.#arming === arming) this.#arming = null;
    if (done) this.#life.answerTo(arming.isNewest, { type: 'workload-armed' });
  }

  #onceStopped(act: () => void): void {
    if (this.#stopping === null) act();
    else this.#afterStop.push(act);
  }

  #spawn(order: Order, take: (session: Session | null) => void): void {
    const life = this.#life;
    const stops = this.#stops;
    const { at } = this.#world;
    const directory = this.#world.directoryOf(life);
    // Its descriptor of the lock is opened first.
    const fails =
      !directory.hasLockFiles || (life.startFailsUntil > at && life.random.happens(0.7));
    life.later(this.#spawnMs(), () => {
      if (fails || stops !== this.#stops) {
        const overtaken = 'it was told to stop while it was starting';
        this.#fail(order, fails ? 'it could not be spawned' : overtaken);
        take(null);
        return;
      }
      const session = new Session(this.#world, {
        kind: 'workload',
        owner: life,
        description: directory,
      });
      this.#run = session;
      take(session);
    });
  }

  /** With a short bounded retry: somebody may be testing it just now. */
  #takeLock(session: Session, order: Activation, tries = 0): void {
    const { sessions } = this.#world;
    const directory = this.#world.directoryOf(this.#life);
    const { description } = session;
    const isTaken = sessions.some(
      (one) => one !== session && one.description === description && one.holdsLock,
    );
    if (session.dismissed || !session.firstAlive) {
      this.#fail(order, 'its standby process has exited');
    } else if (!isTaken && description === directory) {
      session.locked = true;
      this.#open(session, order);
    } else if (tries < LOCK_TRIES) {
      this.#life.later(LOCK_INTERVAL_MS, () => {
        this.#takeLock(session, order, tries + 1);
      });
    } else {
      // Also a description of a file that was replaced: it is of no use any more.
      session.dismissed = true;
      session.kill();
      this.#fail(order, 'its lock is still held by another process');
    }
  }

  #open(session: Session, order: Activation): void {
    const life = this.#life;
    const { epoch, isNewest } = order;
    if (life.guard?.mayStart === false) {
      session.dismissed = true;
      session.kill();
      this.#fail(order, 'its guard does not let it start any more');
      return;
    }
    session.activate(epoch);
    life.term.activatedEpoch = epoch;
    this.#world.activations += 1;
    life.answerTo(isNewest, { type: 'workload-activated' });
    if (!life.settings.hasReadyCheck) return;
    if (life.startFailsUntil > this.#world.at && life.random.happens(0.5)) return;
    life.later(life.random.between(1, this.#world.traits.readyMs), () => {
      if (session.dismissed || !session.firstAlive) return;
      life.term.readyEpoch = epoch;
      life.dispatch({ type: 'workload-ready' });
    });
  }

  /** Behind its gate, with its copy of the lock: nobody else starts anything while it is being spawned. */
  #gatedHook(): Session {
    const { sessions } = this.#world;
    const owner = this.#life;
    const directory = this.#world.directoryOf(owner);
    const isTaken = sessions.some(
      (one) => one.owner !== owner && one.description === directory && one.holdsLock,
    );
    const session = new Session(this.#world, { kind: 'hook', owner, description: directory });
    session.locked = directory.hasLockFiles && !isTaken;
    return session;
  }

  #beginHook(session: Session, { epoch, timeoutMs, finish }: Hook): void {
    const life = this.#life;
    const { at } = this.#world;
    if (!session.firstAlive || life.guard?.mayStart === false) {
      session.kill();
      finish(false, 'could not be started: it was ended');
      return;
    }
    session.activate(epoch);
    const hangs = life.hooksHangUntil > at && life.random.happens(0.5);
    const ok = life.hooksFailUntil <= at || life.random.happens(0.3);
    life.later(hangs ? timeoutMs : Math.min(timeoutMs, life.random.between(2, 100)), () => {
      // Whoever emptied the sessions meanwhile has ended it.
      const ended = !session.firstAlive;
      if (hangs) session.kill();
      else session.endFirst(ok ? 0 : 1);
      finish(ok && !hangs && !ended, hangs ? 'timed out' : 'exit code');
    });
  }

  #look(): void {
    const stopping = this.#stopping;
    if (stopping === null) return;
    const living = this.#world.sessionsOf(this.#life);
    if (living.length === 0) {
      this.#finishStop(stopping);
      return;
    }
    for (const session of living) {
      session.dismissed = true;
      if (this.#world.at >= stopping.killAt) session.kill();
      else session.tell();
    }
  }

  #lookAt(delayMs: number): void {
    this.#life.later(delayMs, () => {
      this.#look();
    });
  }

  #finishStop({ isNewest }: Stopping): void {
    this.#stopping = null;
    this.#run = null;
    this.#life.answerTo(isNewest, { type: 'workload-stopped' });
    const waiting = this.#afterStop;
    this.#afterStop = [];
    for (const act of waiting) this.#onceStopped(act);
  }

  #spawnMs(): number {
    const { random, slowStartUntil } = this.#life;
    return random.between(0.8, slowStartUntil > this.#world.at ? SLOWEST_SPAWN_MS : 6);
  }

  #fail({ isNewest }: Order, message: string): void {
    const code = 'FAILOVER_PROMOTION_FAILED';
    this.#life.answer(() => {
      // That of an order that another has followed is no failure of the promotion.
      if (!isNewest()) return;
      const { lease, term, state } = this.#life;
      // Before it is told of the grant a node loses no more than a process that was to stand by.
      const isPromoting = lease.heldEpoch !== null && state.phase !== 'acquiring';
      if (isPromoting && lease.heldEpoch !== term.activatedEpoch) {
        this.#world.promotionFailed(this.#life, lease.heldEpoch);
      }
      this.#life.dispatch({ type: 'workload-failed', code, message });
    });
  }
}

const LOCK_TRIES = 10;
const LOCK_INTERVAL_MS = 5;

/** The longest that a spawn takes where starts are slow, ms. */
const SLOWEST_SPAWN_MS = 1_500;
