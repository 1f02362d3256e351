// A hot workload: it runs on every node and is told its role by a file, a signal and a hook.
import { performance } from 'node:perf_hooks';
import { messageOf } from '../error-message.ts';
import { FailoverError } from '../errors.ts';
import { hasKnownStart, readStat } from '../fence/process-identity.ts';
import { errnoOf } from '../lease/file/storage-error.ts';
import type { HookResult, Term } from '../runtime/ports.ts';
import { resolveCommand } from './command-path.ts';
import { STANDING_BY, termMessage } from './environment.ts';
import type { GateMessage } from './environment.ts';
import { awaitListening } from './listening.ts';
import type { Run } from './run.ts';
import { SupervisedWorkload } from './supervised-workload.ts';
import { takeWorkloadLock } from './workload-lock.ts';
import type { StartLock } from './workload-lock.ts';

/**
 * Each run has its own description of the lock, not locked while it stands by and kept open for its
 * life: locking it makes the run active, and unlocking it is sound only after a confirmed demotion.
 */
export class HotWorkload extends SupervisedWorkload {
  /** Whether the running workload was told that it is secondary since it last became primary. */
  #toldSecondary = true;
  /** When the newest run began, on this process's monotonic clock. */
  #startedAtMs = 0;

  /** Starts the workload as secondary. */
  protected async prepare(): Promise<void> {
    const begun = await this.beginStart();
    if (this.#living() !== null) return;
    this.forgetEmptySessions();
    const run = await this.#spawn(false, begun);
    this.#tellOrAbandon(run, STANDING_BY);
    this.#startedAtMs = performance.now();
    this.openGate(run, STANDING_BY);
  }

  /** Makes the running workload primary; where none runs, starts one that is primary from the start. */
  protected async lead(term: Term): Promise<void> {
    const begun = await this.beginStart();
    this.requireEmpty();
    const message = termMessage(term, 'primary');
    const run = this.#living();
    this.#toldSecondary = false;
    const description = run?.description ?? null;
    if (run === null || description === null) await this.#startAsPrimary(message, begun);
    else await this.#promote(run, description, message);
  }

  /** A demote command confirms that the workload obeys, so it runs after the workload was told. */
  override async runHook(
    hook: 'promote' | 'demote',
    term: Term,
    timeoutMs: number,
  ): Promise<HookResult> {
    if (hook === 'demote') {
      try {
        this.#tellSecondary(termMessage(term, 'secondary'));
      } catch (error) {
        return { ok: false, detail: `the workload was not told: ${messageOf(error)}` };
      }
    }
    return super.runHook(hook, term, timeoutMs);
  }

  /** Frees the lock for every copy: only after the demote command has confirmed the demotion. */
  async deactivate(): Promise<void> {
    const run = this.#living();
    // What it started may live on as the primary's: only a stop ends that.
    if (run === null) throw new Error('the hot workload has exited');
    const message = { ...STANDING_BY, reason: 'demoted' } as const;
    if (!this.#tellSecondary(message)) throw new Error('the hot workload has exited');
    run.readiness?.abort();
    await this.endHookHelpers();
    // A stop that came meanwhile ends it, and frees the lock when it has.
    if (this.#living() !== run || run.dismissed) throw new Error('the hot workload has exited');
    run.active = false;
    this.book.setActive(run.gated.identity.pid, false);
    run.description?.unlock();
    this.deactivated();
  }

  async #startAsPrimary(message: GateMessage, begun: number): Promise<void> {
    const run = await this.underWay(this.#spawn(true, begun));
    this.#tellOrAbandon(run, message);
    this.openGate(run, message);
    this.awaitReadiness(run, message);
  }

  async #promote(run: Run, description: StartLock, message: GateMessage): Promise<void> {
    await this.#awaitListening(run);
    await takeWorkloadLock(description);
    this.requireCurrent(run);
    this.book.setActive(run.gated.identity.pid, true);
    this.activated(run);
    this.tellRole(message);
    if (!this.#signal(run, this.options.promoteSignal)) throw promotedTooLate();
    this.awaitReadiness(run, message);
  }

  /** A workload that has just started would die of the signal that is to tell it its role. */
  async #awaitListening(run: Run): Promise<void> {
    const { promoteSignal } = this.options;
    if (promoteSignal === null) return;
    const { pid } = run.gated.identity;
    const isOver = (): boolean => run.ended || run.dismissed;
    await awaitListening(promoteSignal, { pid, atMs: this.#startedAtMs, isOver });
    this.requireCurrent(run);
  }

  async #spawn(active: boolean, begun: number): Promise<Run> {
    resolveCommand(this.options.command[0] ?? '', process.env);
    const place = this.places.take();
    try {
      if (active) await takeWorkloadLock(place.description);
      this.run = await this.spawnRun({ place, active, begun });
      return this.run;
    } catch (error) {
      place.leave();
      throw error;
    }
  }

  #tellOrAbandon(run: Run, message: GateMessage): void {
    try {
      this.tellRole(message);
    } catch (error) {
      this.abandon(run);
      throw error;
    }
  }

  /** Whether it was told: what has ended can't be. @throws what kept it from being told */
  #tellSecondary(message: GateMessage): boolean {
    if (this.#toldSecondary) return true;
    this.tellRole(message);
    const run = this.#living();
    // Said only now: what was not signalled is told again, or stopped.
    this.#toldSecondary = run === null || this.#signal(run, this.options.demoteSignal);
    return this.#toldSecondary;
  }

  /**
   * To the group: a workload behind a shell gets it too. False: it has ended.
   *
   * @throws when it is there and did not get it, or nobody can look: it does not know its role
   */
  #signal(run: Run, signal: NodeJS.Signals | null): boolean {
    if (signal === null) return true;
    if (run.ended) return false;
    const { identity } = run.gated;
    // Its parent may be another process, which has waited for it: its number may be a stranger's by now. One that
    // changed its user may be hidden, and is signalled all the same.
    const seen = readStat(identity.pid);
    if (seen !== null && hasKnownStart(identity) && seen.startTime !== identity.startTime)
      return false;
    try {
      return process.kill(-identity.pid, signal);
    } catch (error) {
      if (errnoOf(error) === 'ESRCH') return false;
      throw notSignalled(signal, error);
    }
  }

  #living(): Run | null {
    return this.run === null || this.run.ended ? null : this.run;
  }
}

function promotedTooLate(): FailoverError {
  return new FailoverError(
    'FAILOVER_PROMOTION_FAILED',
    'Cannot start the workload: it exited before it could be told to be primary',
  );
}

function notSignalled(signal: NodeJS.Signals, cause: unknown): FailoverError {
  return new FailoverError(
    'FAILOVER_PROMOTION_FAILED',
    `Cannot send ${signal} to the workload: ${messageOf(cause)}`,
    { cause },
  );
}
