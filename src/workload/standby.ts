// A hot workload: it runs on every node and is told its role by a file, a signal and a hook.
import { performance } from 'node:perf_hooks';
import { readStat, UNKNOWN_TIME } from '../fence/process-identity.ts';
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
        return { ok: false, detail: `the role file could not be written: ${String(error)}` };
      }
    }
    return super.runHook(hook, term, timeoutMs);
  }

  /** Frees the lock for every copy: only after the demote command has confirmed the demotion. */
  async deactivate(): Promise<void> {
    const run = this.#living();
    // What it started may live on as the primary's: only a stop ends that.
    if (run === null) throw new Error('the hot workload has exited');
    this.#tellSecondary({ ...STANDING_BY, reason: 'demoted' });
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
    this.#signal(run, this.options.promoteSignal);
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

  #tellSecondary(message: GateMessage): void {
    if (this.#toldSecondary) return;
    this.tellRole(message);
    const run = this.#living();
    if (run !== null) this.#signal(run, this.options.demoteSignal);
    // Last: what could not be signalled is told again, or stopped.
    this.#toldSecondary = true;
  }

  /** To the group: a workload behind a shell gets it too. @throws where nobody can look who has its number */
  #signal(run: Run, signal: NodeJS.Signals | null): void {
    if (signal === null || run.ended) return;
    const { pid, startTime } = run.gated.identity;
    // Its parent may be another process, which has waited for it: its number may be a stranger's by now. That has to be
    // seen: one that has changed its user may be hidden, and would go on in its old role.
    const seen = readStat(pid);
    if (seen !== null && startTime !== UNKNOWN_TIME && seen.startTime !== startTime) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // The process is ending: its end is reported as such.
    }
  }

  #living(): Run | null {
    return this.run === null || this.run.ended ? null : this.run;
  }
}
