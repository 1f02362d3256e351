// What one node runs: a process behind its gate, the workload, its hooks, and the way out of them.
import type { Effect } from '../core/effect.ts';
import type { EventBody } from '../core/event.ts';
import type { Life } from './life.ts';
import { Session } from './session.ts';
import type { World } from './world.ts';

interface Stopping {
  killAt: number;
  orders: number;
}

interface Arming {
  readonly stops: number;
  orders: number;
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
    if (this.#arming?.stops === this.#stops) {
      this.#arming.orders += 1;
      return;
    }
    const arming = { stops: this.#stops, orders: 1 };
    this.#arming = arming;
    this.#onceStopped(() => {
      if (this.#waiting() !== null) {
        this.#armed(arming);
        return;
      }
      this.#spawn((session) => {
        if (session !== null) session.opened = this.#isHot;
        this.#armed(arming, session !== null);
      });
    });
  }

  activate(epoch: number): void {
    this.#onceStopped(() => {
      if (this.#world.sessions.some((one) => one.owner === this.#life && !one.firstAlive)) {
        this.#fail('something of the last run has not ended');
        return;
      }
      const waiting = this.#waiting();
      if (waiting !== null) this.#takeLock(waiting, epoch);
      else {
        this.#spawn((session) => {
          if (session !== null) this.#takeLock(session, epoch);
        });
      }
    });
  }

  /** Hot: the workload goes on as secondary. */
  deactivate(): void {
    const run = this.#run;
    if (run?.firstAlive !== true) {
      this.#fail('the hot workload has ended');
      return;
    }
    run.active = false;
    run.locked = false;
    this.#answer({ type: 'workload-deactivated' });
  }

  stop(graceMs: number): void {
    const { stopFailsUntil, random } = this.#life;
    if (stopFailsUntil > this.#world.at && random.happens(0.7)) {
      this.#answer({ type: 'workload-stop-failed', message: 'it can not be signalled' });
      return;
    }
    const killAt = this.#world.at + graceMs;
    if (this.#stopping !== null) {
      this.#stopping.orders += 1;
      if (killAt < this.#stopping.killAt) {
        this.#stopping.killAt = killAt;
        this.#lookAt(graceMs);
      }
      return;
    }
    this.#stops += 1;
    if (this.#run !== null) this.#run.dismissed = true;
    this.#stopping = { killAt, orders: 1 };
    this.#look();
    this.#lookAt(graceMs);
  }

  runHook({ hook, epoch, timeoutMs }: Extract<Effect, { type: 'run-hook' }>): void {
    const life = this.#life;
    const finish = (ok: boolean, detail: string): void => {
      if (ok && hook === 'promote') life.term.confirmedEpoch = epoch;
      if (!ok && hook === 'promote') this.#world.promotionFailed(life, epoch);
      this.#answer({ type: 'hook-finished', hook, ok, detail });
    };
    if (this.#stopping !== null) {
      finish(false, 'not started: the workload is stopping');
      return;
    }
    const stops = this.#stops;
    life.later(this.#spawnMs(), () => {
      if (stops !== this.#stops) finish(false, 'could not be started: the workload is stopping');
      else this.#beginHook(epoch, timeoutMs, finish);
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

  /** Of a failure the spawn itself has answered the first order. */
  #armed(arming: Arming, done = true): void {
    if (this.#arming === arming) this.#arming = null;
    for (let i = done ? 0 : 1; i < arming.orders; i += 1) {
      if (done) this.#answer({ type: 'workload-armed' });
      else this.#fail('it could not be spawned');
    }
  }

  #onceStopped(act: () => void): void {
    if (this.#stopping === null) act();
    else this.#afterStop.push(act);
  }

  #spawn(take: (session: Session | null) => void): void {
    const life = this.#life;
    const stops = this.#stops;
    const { directory, at } = this.#world;
    // Its descriptor of the lock is opened first.
    const fails =
      !directory.hasLockFiles || (life.startFailsUntil > at && life.random.happens(0.7));
    life.later(this.#spawnMs(), () => {
      if (fails || stops !== this.#stops) {
        this.#fail(fails ? 'it could not be spawned' : 'it was told to stop while it was starting');
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
  #takeLock(session: Session, epoch: number, tries = 0): void {
    const { directory, sessions } = this.#world;
    const { description } = session;
    const isTaken = sessions.some(
      (one) => one !== session && one.description === description && one.holdsLock,
    );
    if (session.dismissed || !session.firstAlive) {
      this.#fail('the process that stood by for it has ended');
    } else if (!isTaken && description === directory) {
      session.locked = true;
      this.#open(session, epoch);
    } else if (tries < LOCK_TRIES) {
      this.#life.later(LOCK_INTERVAL_MS, () => {
        this.#takeLock(session, epoch, tries + 1);
      });
    } else {
      // Also a description of a file that was replaced: it is of no use any more.
      session.dismissed = true;
      session.kill();
      this.#fail('its lock is still held by another process');
    }
  }

  #open(session: Session, epoch: number): void {
    const life = this.#life;
    session.activate(epoch);
    life.term.activatedEpoch = epoch;
    this.#world.activations += 1;
    this.#answer({ type: 'workload-activated' });
    if (!life.settings.hasReadyCheck) return;
    if (life.startFailsUntil > this.#world.at && life.random.happens(0.5)) return;
    life.later(life.random.between(1, this.#world.traits.readyMs), () => {
      if (session.dismissed || !session.firstAlive) return;
      life.term.readyEpoch = epoch;
      life.dispatch({ type: 'workload-ready' });
    });
  }

  #beginHook(
    epoch: number,
    timeoutMs: number,
    finish: (ok: boolean, detail: string) => void,
  ): void {
    const life = this.#life;
    const { at, directory } = this.#world;
    const session = new Session(this.#world, { kind: 'hook', owner: life, description: directory });
    session.locked = true;
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

  #finishStop({ orders }: Stopping): void {
    this.#stopping = null;
    this.#run = null;
    for (let i = 0; i < orders; i += 1) this.#answer({ type: 'workload-stopped' });
    const waiting = this.#afterStop;
    this.#afterStop = [];
    for (const act of waiting) this.#onceStopped(act);
  }

  #spawnMs(): number {
    const { random, slowStartUntil } = this.#life;
    return random.between(0.8, slowStartUntil > this.#world.at ? SLOWEST_SPAWN_MS : 6);
  }

  #fail(message: string): void {
    const { lease, term } = this.#life;
    if (lease.heldEpoch !== null && lease.heldEpoch !== term.activatedEpoch) {
      this.#world.promotionFailed(this.#life, lease.heldEpoch);
    }
    this.#answer({ type: 'workload-failed', code: 'FAILOVER_PROMOTION_FAILED', message });
  }

  #answer(event: EventBody): void {
    this.#life.answer(() => {
      this.#life.dispatch(event);
    });
  }
}

const LOCK_TRIES = 10;
const LOCK_INTERVAL_MS = 5;

/** The longest that a spawn takes where starts are slow, ms. */
const SLOWEST_SPAWN_MS = 1_500;
