// After lock files were removed or replaced: what stands by with one of before is started anew.
import type { EventBody } from '../core/event.ts';
import type { NodeState } from '../core/state.ts';
import type { Step } from '../core/transition.ts';
import { messageOf } from '../error-message.ts';
import type { NodeWorkload } from './ports.ts';

export interface StandbyRenewalParts {
  readonly workload: () => Pick<NodeWorkload, 'hasStaleLock' | 'stop'>;
  readonly stopGraceMs: number;
  readonly state: () => NodeState;
  readonly dispatch: (event: EventBody) => void;
  readonly warn: (message: string) => void;
}

/**
 * A process inherits its lock file when it is spawned, and one whose file was replaced can't be activated: that
 * cost a failed promotion. So it is ended as soon as that shows: while another leads, and the core has it spawned
 * again, or with a grant, where the start waits for its end and spawns what it needs.
 */
export class StandbyRenewal {
  readonly #parts: StandbyRenewalParts;
  #isUnderWay = false;

  constructor(parts: StandbyRenewalParts) {
    this.#parts = parts;
  }

  after({ event, state }: Pick<Step, 'event' | 'state'>): void {
    const another = event.type === 'lease-observed' && event.observation.held;
    const isLed = another && state.role === 'secondary';
    const isGranted = event.type === 'lease-granted' && state.phase === 'clearing';
    if (this.#isUnderWay || !(isLed || isGranted)) return;
    if (this.#parts.workload().hasStaleLock()) void this.#renew();
  }

  async #renew(): Promise<void> {
    const { workload, stopGraceMs, state, dispatch, warn } = this.#parts;
    this.#isUnderWay = true;
    warn('the standby process here is restarted: its lock file was removed or replaced');
    try {
      await workload().stop(stopGraceMs);
      const { role, phase } = state();
      // In a term the start itself goes on from here, and an end that was ordered is answered as such.
      if (role === 'secondary' || phase === 'acquiring') dispatch({ type: 'workload-stopped' });
    } catch (error) {
      warn(`the standby process here could not be stopped: ${messageOf(error)}`);
    } finally {
      this.#isUnderWay = false;
    }
  }
}
