// One run of a workload: its process behind the gate, and the lock that it inherited.
import type { GatedProcess } from './gate.ts';
import type { StartLock } from './workload-lock.ts';

export interface Run {
  readonly gated: GatedProcess;
  /** Our copy of what the process inherited; null once only the process and its children have it. */
  description: StartLock | null;
  /** Whether its gate was opened: it is the command from then on. */
  opened: boolean;
  /** Whether it does what only a primary may do. */
  active: boolean;
  ended: boolean;
  /** Whether its end is expected, so that nobody is told of it. */
  dismissed: boolean;
  /** Ends the waiting for readiness. */
  readiness: AbortController | null;
}

export function newRun(gated: GatedProcess, description: StartLock): Run {
  return {
    gated,
    description,
    opened: false,
    active: false,
    ended: false,
    dismissed: false,
    readiness: null,
  };
}

/** Closes our copy of the lock; whoever inherited it keeps it. */
export function closeDescription(run: Run): void {
  run.description?.close();
  run.description = null;
}

/** Ends what can be ended without a signal, and makes the rest of its life nobody's news. */
export function dismiss(run: Run): void {
  run.dismissed = true;
  run.readiness?.abort();
  run.gated.close();
}
