// A workload that runs only while its node is primary: started at promotion, or waiting behind its gate.
import type { Term } from '../runtime/ports.ts';
import { resolveCommand } from './command-path.ts';
import { termMessage } from './environment.ts';
import { prepareRoleFile } from './role-file.ts';
import { closeDescription } from './run.ts';
import type { Run } from './run.ts';
import { SupervisedWorkload } from './supervised-workload.ts';
import type { StartPlace } from './start-places.ts';
import type { RunStart } from './supervised-workload.ts';
import { takeWorkloadLock } from './workload-lock.ts';

/** The workload of a cold or armed node; they differ in whether the core arms it beforehand. */
export class CommandWorkload extends SupervisedWorkload {
  /** Spawns the gate ahead of time, beside what an ended run may have left. */
  protected async prepare(): Promise<void> {
    const begun = await this.beginStart();
    if (this.#waiting() !== null) return;
    this.forgetEmptySessions();
    resolveCommand(this.options.command[0] ?? '', process.env);
    await this.#spawn({ place: this.#takePlace(), active: false, begun });
  }

  protected async lead(term: Term): Promise<void> {
    const begun = await this.beginStart();
    this.requireEmpty();
    resolveCommand(this.options.command[0] ?? '', process.env);
    const run = await this.underWay(this.#lockedRun(begun));
    const message = termMessage(term, 'primary');
    this.openGateTelling(run, message);
    if (!this.#hooksNeedLock()) closeDescription(run);
    this.awaitReadiness(run, message);
  }

  startAhead(): void {
    prepareRoleFile(this.options.context.roleFile);
    // What waits behind its gate is further than that.
    if (this.#waiting() === null) this.places.prepare();
  }

  deactivate(): Promise<void> {
    return Promise.reject(new Error('Only a hot workload keeps running as secondary'));
  }

  /** A recorded run behind its gate whose lock is taken; on failure nothing is left of it. */
  async #lockedRun(begun: number): Promise<Run> {
    const waiting = this.#waiting();
    const description = waiting?.description ?? null;
    if (waiting === null || description === null) return this.#spawnLocked(begun);
    if (description.isReplaced()) {
      // The process was armed before its lock file was removed or replaced.
      this.abandon(waiting);
      return this.#spawnLocked(begun);
    }
    try {
      await takeWorkloadLock(description);
      this.requireCurrent(waiting);
      this.book.setActive(waiting.gated.identity.pid, true);
      this.activated(waiting);
      return waiting;
    } catch (error) {
      // Abandoned also when only the lock failed: its description may be of a file that was replaced.
      this.abandon(waiting);
      throw error;
    }
  }

  async #spawnLocked(begun: number): Promise<Run> {
    const place = this.#takePlace();
    try {
      await takeWorkloadLock(place.description);
    } catch (error) {
      place.leave();
      throw error;
    }
    return this.#spawn({ place, active: true, begun });
  }

  async #spawn(start: RunStart): Promise<Run> {
    try {
      this.run = await this.spawnRun(start);
      return this.run;
    } catch (error) {
      start.place.leave();
      throw error;
    }
  }

  /** What runs its hooks with the lock needs a description of its own, and what is to be kept no parent that ends it. */
  #takePlace(): StartPlace {
    const { orphan, deathSignal } = this.options;
    return this.places.take({
      mayBeElsewhere: deathSignal && orphan !== 'keep' && !this.#hooksNeedLock(),
    });
  }

  /** The run that waits behind its gate, if there is one. */
  #waiting(): Run | null {
    return this.run !== null && !this.run.ended && !this.run.opened ? this.run : null;
  }

  #hooksNeedLock(): boolean {
    return this.options.promoteCommand !== null || this.options.demoteCommand !== null;
  }
}
