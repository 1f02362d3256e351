// What must hold at every instant, judged by the processes and locks of the world: never by what a core says.
import { yieldsBecause } from '../core/yielding.ts';
import type { Announcement } from '../core/effect.ts';
import type { Directory, FOREIGN } from './directory.ts';
import type { Life } from './life.ts';
import type { Session } from './session.ts';

/** What is promised, and `core` for an invariant that the core itself found broken. */
export type Promised = 'S1' | 'S2' | 'S3' | 'S4' | 'S5' | 'S6' | 'order' | 'core';

/** Each promise in a sentence. */
export const PROMISES: Readonly<Record<Promised, string>> = {
  S1: 'at most one workload is active at any instant',
  S2: 'every start has a higher epoch than all before it',
  S3: 'a lease with a time to live goes to another only once the old workload is gone',
  S4: 'there is a primary again within a bounded time',
  S5: 'nothing is announced before it is so, and a failed promotion leaves a free lease',
  S6: 'no process is ended that is not proved dead or left over',
  order:
    'who goes before others leads where that was asked for, nothing flaps, who is unhealthy goes last, and priority 0 never leads',
  core: 'the core holds its own invariants',
};

export interface Violation {
  readonly promise: Promised;
  readonly atMs: number;
  readonly what: string;
}

/** Ends a run at the first promise that is broken. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
  readonly violation: Violation;

  constructor(violation: Violation) {
    super(`${violation.promise} at ${violation.atMs.toFixed(1)} ms: ${violation.what}`);
    this.violation = violation;
  }
}

/** What the checker looks at. */
interface Seen {
  readonly at: number;
  readonly sessions: readonly Session[];
  readonly directory: Directory;
  readonly leaseHolder: Life | typeof FOREIGN | null;
  readonly toldEpoch: number;
}

export class Checker {
  readonly #seen: Seen;
  /** Of all starts. */
  #highestEpoch = 0;
  /** Of the starts that something which exists still tells of. */
  #knownEpoch = 0;
  #repeats = 0;

  constructor(seen: Seen) {
    this.#seen = seen;
  }

  /**
   * A workload begins to be active: only then can there come to be two of them, so that looking here is
   * looking at every instant.
   */
  activated(session: Session): void {
    const other = this.#seen.sessions.find((one) => one !== session && one.isActing);
    if (other !== undefined) {
      this.broken('S1', `${session.name} begins beside ${other.name}`);
    }
    if (session.owner.settings.priority === 0) {
      this.broken('order', `${session.name} begins, whose node has priority 0`);
    }
    this.#epochBegins(session);
  }

  /**
   * Something was removed, or a process that had it open has ended: what nothing tells of is forgotten.
   *
   * @param told what somebody tells of it just now
   */
  forget(told = 0): void {
    this.#knownEpoch = Math.min(this.#knownEpoch, Math.max(this.#seen.toldEpoch, told));
  }

  /** Lock files were made anew, with the highest epoch that their maker could find. */
  directoryMade(epoch: number): void {
    if (epoch >= this.#knownEpoch) return;
    const known = String(this.#knownEpoch);
    this.broken('S2', `a directory is made with epoch ${String(epoch)} while ${known} is known`);
  }

  /** Starts that repeated an epoch which nobody could have told them of. */
  get repeats(): number {
    return this.#repeats;
  }

  /** A server grants its lease: what ran under the lease before is gone by then. */
  granted(life: Life, epoch: number): void {
    const other = this.#seen.sessions.find((one) => one.owner !== life && one.isActing);
    if (other === undefined) return;
    this.broken('S3', `epoch ${String(epoch)} is granted to ${life.name} beside ${other.name}`);
  }

  /** A guard's tick after a machine goes on that stood still, all of it: whoever got the lease has it alone. */
  thawed(session: Session): void {
    if (!session.isActing) return;
    const { sessions, leaseHolder: holder } = this.#seen;
    const what = `${session.name} is active a guard tick after the thaw`;
    const other = sessions.find((one) => one.owner !== session.owner && one.isActing);
    if (other !== undefined) this.broken('S3', `${what}, beside ${other.name}`);
    if (holder === null || holder === session.owner) return;
    this.broken('S3', `${what}, and the lease is another's`);
  }

  /** A promote or demote command begins: beside its own node's workload, and no other's. */
  hookBegins(session: Session): void {
    const other = this.#seen.sessions.find((one) => one.owner !== session.owner && one.isActing);
    if (other !== undefined) this.broken('S1', `${session.name} begins beside ${other.name}`);
  }

  announced(life: Life, announcement: Announcement): void {
    switch (announcement.kind) {
      case 'promoted':
        this.#promotionAnnounced(life, announcement.epoch, announcement.reason === 'restart');
        return;
      case 'heartbeat':
        if (announcement.phase !== 'primary' || life.term.announced) return;
        this.broken('S5', `${life.name} says that it leads before it was promoted`);
        return;
      case 'shutdown':
        this.#endAnnounced(life, announcement.completed);
        return;
      case 'role':
        return;
    }
  }

  /** A supervisor is about to be ended by another node that judged it dead by itself. */
  fenced(target: Life, fencer: Life, calmSinceMs: number): void {
    const { settings } = fencer;
    this.#fencedInSight(target, fencer);
    const doubtMs = settings.heartbeatTimeoutMs + settings.probeAttempts * settings.probeTimeoutMs;
    const calmForMs = this.#seen.at - calmSinceMs;
    if (calmForMs <= doubtMs + FENCE_MARGIN_MS) return;
    const calm = `undisturbed for ${calmForMs.toFixed(0)} ms`;
    this.broken('S6', `${fencer.name} ends ${target.name}, which was ${calm}`);
  }

  /** A supervisor stops itself, by Ctrl-Z: what it held then nobody could have before fg. */
  suspends(life: Life): void {
    // That of a server ends by itself, also one whose answer was never heard.
    if (this.#seen.directory.holder === life) {
      this.broken('S4', `${life.name} is suspended while it holds the lease`);
    }
    const active = this.#seen.sessions.find((one) => one.owner === life && one.isActive);
    if (active !== undefined) {
      this.broken('S4', `${life.name} is suspended while ${active.name} is active`);
    }
  }

  /** Whatever else is silent: its lock file was touched within the timeout, and its fencer could see that. */
  #fencedInSight(target: Life, { name, settings, troubledUntil }: Life): void {
    const { at } = this.#seen;
    const { heartbeatTimeoutMs, heartbeatIntervalMs } = settings;
    if (at - troubledUntil <= heartbeatTimeoutMs + FENCE_MARGIN_MS) return;
    // The first look at a holder tells nothing of when it was touched.
    const longestMs = heartbeatTimeoutMs - 2 * heartbeatIntervalMs;
    const touchedAt = target.touches.find((time) => at - time > SIGHT_MARGIN_MS) ?? -Infinity;
    if (at - touchedAt >= longestMs) return;
    const touched = `touched its lock file ${(at - touchedAt).toFixed(0)} ms ago`;
    this.broken('S6', `${name} ends ${target.name}, which ${touched}`);
  }

  /** A node hands over because its workload does not serve: as often as that may be, by its own clock. */
  handsOverUnhealthy(life: Life): void {
    const { healthHoldMs } = life.settings;
    const { handovers } = life;
    const last = handovers.at(-1);
    const holdMs = healthHoldMs * Math.min(LONGEST_HOLD, 2 ** (handovers.length - 1));
    // After that much peace they begin anew; a run hardly lasts as long.
    const isNear = last !== undefined && life.now - last < holdMs;
    if (isNear) {
      const agoMs = (life.now - last).toFixed(0);
      this.broken('order', `${life.name} hands over again ${agoMs} ms after it did the last time`);
    }
    life.handovers = [...handovers, life.now];
  }

  /** A node claims the lease by itself. */
  claims(life: Life): void {
    const { state, settings } = life;
    const because = yieldsBecause(state, settings);
    // By the time of the event: the clock of a life is a rounding error away from it.
    if (because === null || (state.health.yieldsUntil ?? Infinity) <= state.at) return;
    this.broken('order', `${life.name} leaves no time to healthy nodes: ${because}`);
  }

  /** Long after a promotion failed: the node may not be where it was. */
  leftAfterFailure(life: Life, epoch: number): void {
    if (!life.alive || life.lease.heldEpoch !== epoch) return;
    this.broken('S5', `${life.name} still holds epoch ${String(epoch)}, whose promotion failed`);
  }

  broken(promise: Promised, what: string): never {
    throw new BrokenPromise({ promise, atMs: this.#seen.at, what });
  }

  #epochBegins({ epoch, name }: Session): void {
    if (epoch <= this.#knownEpoch) {
      this.broken('S2', `${name} begins after epoch ${String(this.#highestEpoch)}`);
    }
    if (epoch <= this.#highestEpoch) this.#repeats += 1;
    this.#highestEpoch = Math.max(this.#highestEpoch, epoch);
    this.#knownEpoch = epoch;
  }

  #promotionAnnounced(life: Life, epoch: number, isRestart: boolean): void {
    const { term, settings } = life;
    const what = `${life.name} announces epoch ${String(epoch)}`;
    if (life.lease.heldEpoch !== epoch) this.broken('S5', `${what} and does not hold it`);
    if (term.activatedEpoch !== epoch) this.broken('S5', `${what}, whose workload never began`);
    if (settings.hasReadyCheck && term.readyEpoch !== epoch) {
      this.broken('S5', `${what}, whose workload is not ready`);
    }
    if (settings.hasPromoteCommand && !isRestart && term.confirmedEpoch !== epoch) {
      this.broken('S5', `${what}, whose promote command has not succeeded`);
    }
    term.announced = true;
  }

  #endAnnounced(life: Life, isCompleted: boolean): void {
    life.term.announced = false;
    if (isCompleted && !life.lease.hasRecordedCompletion && !life.endsAtOnce) {
      this.broken(
        'S5',
        `${life.name} announces that its work is completed, and nothing has it on record`,
      );
    }
    if (this.#seen.leaseHolder === life) {
      this.broken('S5', `${life.name} announces its end and holds the lease`);
    }
    const active = this.#seen.sessions.find((one) => one.owner === life && one.isActive);
    if (active !== undefined) {
      this.broken('S5', `${life.name} announces its end while ${active.name} is active`);
    }
  }
}

/** Longer than the step from the last look to the signal takes, ms. */
const SIGHT_MARGIN_MS = 400;

/** As a multiple of the first: an hour, after a minute. */
const LONGEST_HOLD = 60;

/** For looks and late timers between the silence and its end, ms. */
const FENCE_MARGIN_MS = 3_000;
