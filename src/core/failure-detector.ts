// Judges a silent holder of the lease. Independent signs must agree before it is called dead.
import { STARVATION_LIMIT, latenessToleranceMs } from './settings.ts';
import type { Settings } from './settings.ts';
import type { HolderInspection } from './event.ts';

export type Verdict =
  /** Nobody holds the lease. */
  | 'free'
  /** A higher epoch has begun meanwhile. */
  | 'changed'
  /** Somebody else's process holds the lock file. */
  | 'foreign'
  /** The holder touched its lock file within the timeout: it cannot be reached, but it is not dead. */
  | 'alive'
  /** The holder is on another machine: only its lease tells when it is over. */
  | 'elsewhere'
  /** The process is ending: the kernel frees the lock in a moment. */
  | 'ending'
  /** The silence is shorter than the timeout. */
  | 'too-early'
  /** The process wants to run and gets no CPU. */
  | 'starved'
  /** The process is stopped by a signal or a debugger. */
  | 'stopped'
  /** The process runs or sleeps and answers nothing. */
  | 'hung';

export interface Silence {
  readonly inspection: HolderInspection;
  /** The epoch under suspicion. */
  readonly epoch: number;
  /** Since the last heartbeat or answer, ms. */
  readonly silentForMs: number;
  /** Since its lock file was seen to change, ms. */
  readonly untouchedForMs: number;
}

export function judgeSilence(silence: Silence, settings: Settings): Verdict {
  const { inspection } = silence;
  const timeoutMs = settings.heartbeatTimeoutMs;
  if (!inspection.observation.held) return 'free';
  if (inspection.observation.epoch > silence.epoch) return 'changed';
  if (inspection.holder === 'foreign') return 'foreign';
  if (inspection.holder === 'elsewhere') return 'elsewhere';
  if (inspection.process === 'ending') return 'ending';
  if (silence.untouchedForMs < timeoutMs) {
    // The last heartbeat came with a touch of the lock file, which this node sees one look later, and that may be
    // late.
    const afterLastWordMs = silence.silentForMs - silence.untouchedForMs;
    const seenWithinMs = 1.25 * settings.heartbeatIntervalMs + latenessToleranceMs(settings);
    return afterLastWordMs > seenWithinMs ? 'alive' : 'too-early';
  }
  if (silence.silentForMs < timeoutMs) return 'too-early';
  if (inspection.process === 'stopped') return 'stopped';
  const limitMs = STARVATION_LIMIT * timeoutMs;
  return isStarved(inspection) && silence.silentForMs < limitMs ? 'starved' : 'hung';
}

/** Whether the process mostly waited for the CPU since the last look, or waited at all on a machine where all do. */
function isStarved(inspection: HolderInspection): boolean {
  if (inspection.process === 'uninterruptible') return false;
  const crowded = (inspection.cpuPressure ?? 0) > 0.5;
  if (inspection.sample === null) return crowded;
  const { overMs, waitingMs } = inspection.sample;
  if (overMs <= 0) return crowded;
  const waitingShare = waitingMs / overMs;
  return waitingShare > 0.5 || (crowded && waitingShare > 0.2);
}
