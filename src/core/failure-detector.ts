// Judges a silent holder of the lease. Independent signs must agree before it is called dead.
import { STARVATION_LIMIT, latenessToleranceMs } from './settings.ts';
import type { Settings } from './settings.ts';
import type { HolderInspection } from './event.ts';

export type Verdict =
  /** Nobody holds the lease. */
  | 'free'
  /** Another epoch began meanwhile. */
  | 'changed'
  /** Somebody else's process holds the lock file. */
  | 'foreign'
  /** It touched its lock file within the timeout: unreachable, not dead. */
  | 'alive'
  /** It is on another machine: only its lease tells when it is over. */
  | 'elsewhere'
  /** Its process is ending: the kernel frees the lock in a moment. */
  | 'ending'
  /** The silence is shorter than the timeout. */
  | 'too-early'
  /** It wants to run and gets no CPU. */
  | 'starved'
  /** Stopped by a signal or a debugger. */
  | 'stopped'
  /** It runs or sleeps and answers nothing. */
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
    // The touch that belongs to the last word is seen at the look after it, which may be late itself.
    const afterLastWordMs = silence.silentForMs - silence.untouchedForMs;
    const seenWithinMs = 1.25 * settings.heartbeatIntervalMs + latenessToleranceMs(settings);
    return afterLastWordMs > seenWithinMs ? 'alive' : 'too-early';
  }
  if (silence.silentForMs < timeoutMs) return 'too-early';
  if (inspection.process === 'stopped') return 'stopped';
  const limitMs = STARVATION_LIMIT * timeoutMs;
  return isStarved(inspection) && silence.silentForMs < limitMs ? 'starved' : 'hung';
}

/** Mostly waiting for the CPU since the last look, or some waiting on a machine where all wait. */
function isStarved(inspection: HolderInspection): boolean {
  if (inspection.process === 'uninterruptible') return false;
  const crowded = (inspection.cpuPressure ?? 0) > 0.5;
  if (inspection.sample === null) return crowded;
  const { overMs, waitingMs } = inspection.sample;
  if (overMs <= 0) return crowded;
  const waitingShare = waitingMs / overMs;
  return waitingShare > 0.5 || (crowded && waitingShare > 0.2);
}
