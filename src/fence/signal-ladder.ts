// TERM with CONT, grace, KILL: each signal only to the very process that was found.
import { performance } from 'node:perf_hooks';
import { formatDuration } from '../config/duration.ts';
import { activityOf, describeProcess } from './process-view.ts';
import { hasEnded, readStat } from './process-identity.ts';
import type { ProcessStat } from './process-identity.ts';

export interface Target extends Pick<ProcessStat, 'pid' | 'startTime' | 'session'> {
  /** How long it may take to end, ms. */
  readonly graceMs: number;
  /** The kernel sent SIGTERM to the first process of its session when the supervisor died. */
  readonly isStopping: boolean;
}

/** One emptying. `step` is called with all that still lives, over and over, until it says that it ends. */
export class SignalLadder {
  readonly #told = new Set<string>();
  readonly #woken = new Set<string>();
  readonly #killed = new Set<string>();
  readonly #refused = new Map<string, string>();
  /** When each was first seen: its grace counts from there. */
  readonly #seenAtMs = new Map<string, number>();
  /** What was there at the first look; what came later was started by one that is ending in order. */
  #first: ReadonlySet<string> | null = null;
  #giveUpAtMs = Infinity;
  #dueAtMs = Infinity;
  #sent = 0;
  /** What forks a successor before its grace is over would be given one for ever. */
  readonly #deadlineMs: number;

  /** `longestGraceMs`: of all that may be found. Once that and the wait after SIGKILL are over, all are killed. */
  constructor(longestGraceMs: number) {
    this.#deadlineMs = performance.now() + longestGraceMs + KILL_WAIT_MS;
  }

  /** How many processes were sent a signal. */
  get signalled(): number {
    return new Set([...this.#told, ...this.#woken]).size;
  }

  /** How many signals were sent: what was told something now may end within a moment. */
  get sent(): number {
    return this.#sent;
  }

  /** Until the first grace is over, ms. */
  get dueInMs(): number {
    return Math.max(0, this.#dueAtMs - performance.now());
  }

  /**
   * Sends what is due; false: nothing to wait for, each has ended, refused or outlived its SIGKILL, or the
   * time of the whole is over.
   */
  step(targets: readonly Target[]): boolean {
    const open = targets.filter((target) => !this.#refused.has(keyOf(target)));
    if (open.length === 0) return false;
    const now = performance.now();
    if (now >= this.#deadlineMs) {
      for (const target of open) this.#kill(target);
      return false;
    }
    if (now >= this.#giveUpAtMs) return false;
    this.#first ??= new Set(open.map(keyOf));
    const leaders = new Set(open.filter(isLeader).map(({ pid }) => pid));
    let allKilled = true;
    this.#dueAtMs = Infinity;
    for (const target of open) {
      const seenAtMs = this.#seenAtMs.get(keyOf(target)) ?? now;
      this.#seenAtMs.set(keyOf(target), seenAtMs);
      const ageMs = now - seenAtMs;
      if (ageMs >= target.graceMs) {
        this.#kill(target);
        continue;
      }
      allKilled = false;
      this.#dueAtMs = Math.min(this.#dueAtMs, seenAtMs + target.graceMs);
      if (this.#mayTell(target, { ageMs, isLed: leaders.has(target.session) })) this.#tell(target);
      else this.#wake(target);
    }
    if (allKilled && this.#giveUpAtMs === Infinity) this.#giveUpAtMs = now + KILL_WAIT_MS;
    return true;
  }

  /**
   * While the first process of a session ends in order, what it starts to clean up is left alone, and a
   * second SIGTERM would make many programs skip that. One that did not end by then is told again.
   */
  #mayTell(target: Target, { ageMs, isLed }: { ageMs: number; isLed: boolean }): boolean {
    if (!isLed) return true;
    if (target.isStopping) return ageMs >= target.graceMs / 2;
    return this.#first?.has(keyOf(target)) === true;
  }

  /** Why it is still there. */
  describe(target: Target): string {
    const key = keyOf(target);
    const description = describeProcess(target.pid);
    const refused = this.#refused.get(key);
    if (refused !== undefined) return `${description}: ${refused}`;
    const activity = activityOf(readStat(target.pid));
    return this.#killed.has(key)
      ? `${description}: ${activity}, not gone ${formatDuration(KILL_WAIT_MS)} after SIGKILL`
      : `${description}: ${activity}, still running`;
  }

  /** A stopped process acts on the signal that it has only once it is continued. */
  #wake(target: Target): void {
    const key = keyOf(target);
    if (this.#woken.has(key)) return;
    this.#woken.add(key);
    this.#send(target, 'SIGCONT');
  }

  #tell(target: Target): void {
    const key = keyOf(target);
    if (this.#told.has(key)) return;
    this.#told.add(key);
    // A stopped process acts on SIGTERM only once it is continued.
    if (this.#send(target, 'SIGTERM')) this.#send(target, 'SIGCONT');
  }

  #kill(target: Target): void {
    const key = keyOf(target);
    if (this.#killed.has(key)) return;
    this.#told.add(key);
    this.#killed.add(key);
    this.#send(target, 'SIGKILL');
  }

  #send(target: Target, signal: 'SIGTERM' | 'SIGCONT' | 'SIGKILL'): boolean {
    if (!isThere(target)) return false;
    try {
      process.kill(target.pid, signal);
      this.#sent += 1;
      return true;
    } catch (error) {
      // ESRCH: it ended since; the next look shows it.
      if (error instanceof Error && 'code' in error && error.code === 'EPERM') {
        this.#told.delete(keyOf(target));
        this.#refused.set(keyOf(target), 'no permission to signal it');
      }
      return false;
    }
  }
}

/** Anything but an uninterruptible process is gone long before. */
const KILL_WAIT_MS = 2000;

function isLeader(target: Target): boolean {
  return target.pid === target.session;
}

function keyOf(target: Target): string {
  return `${String(target.pid)}:${target.startTime}`;
}

/** Looked at right before each signal: the pid may have gone to another process since it was found. */
function isThere(target: Target): boolean {
  const stat = readStat(target.pid);
  return stat !== null && stat.startTime === target.startTime && !hasEnded(stat);
}
