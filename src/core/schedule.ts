// When a state wants to be woken: the core has no timers, only times.
import type { CandidateState, NodeState, PrimaryState, SecondaryState } from './state.ts';
import type { StartPlan } from './state-parts.ts';
import type { Settings } from './settings.ts';
import { OVERDUE_MS } from './settings.ts';
import { askingUntil } from './deadlines.ts';
import { termWakeAt } from './lease-term.ts';
import { isApart } from './apart.ts';
import { checkDueAt } from './health.ts';
import { preemptAt } from './preemption.ts';

/** The time of the next `time-passed` event, ms; Infinity when only another event can matter. */
export function nextWakeAt(state: NodeState, settings: Settings): number {
  return Math.min(checkDueAt(state.health, settings), roleWakeAt(state, settings));
}

function roleWakeAt(state: NodeState, settings: Settings): number {
  switch (state.role) {
    case 'secondary':
      return Math.min(
        state.pulseAt,
        state.observeAt ?? Infinity,
        state.rearmAt ?? Infinity,
        state.releaseAt ?? Infinity,
        state.probe === null ? Infinity : state.probe.sentAt + settings.probeTimeoutMs + OVERDUE_MS,
        secondaryDeadline(state, settings),
      );
    case 'candidate':
      return Math.min(state.pulseAt, termWakeAt(state), candidateDeadline(state));
    case 'primary':
      return Math.min(state.pulseAt, termWakeAt(state), primaryDeadline(state));
    case 'stopped':
      return state.phase === 'stopping' ? state.until : Infinity;
  }
}

function secondaryDeadline(state: SecondaryState, settings: Settings): number {
  switch (state.phase) {
    case 'listening':
    case 'waiting':
    case 'fencing':
      return state.until;
    case 'asking':
      return askingUntil(state, settings);
    case 'watching': {
      const silence = silentAt(state, settings);
      return Math.min(silence, probeDueAt(state), preemptAt(state, settings) ?? Infinity);
    }
    case 'suspecting':
      return state.suspicion.nextLookAt ?? Infinity;
  }
}

/** When the watched primary is doubted, unless it is heard before. */
export function silentAt(
  { heardAt, leftToLease }: SecondaryState,
  { heartbeatTimeoutMs }: Settings,
): number {
  return leftToLease ? Infinity : heardAt + heartbeatTimeoutMs;
}

/** When the watched primary is probed next; Infinity: a probe is under way, or there is nobody to ask. */
export function probeDueAt(state: SecondaryState): number {
  const canAsk = state.probe === null && state.primary !== null && !isApart(state);
  return canAsk ? state.nextProbeAt : Infinity;
}

function candidateDeadline(state: CandidateState): number {
  switch (state.phase) {
    case 'acquiring':
      return state.retryAt ?? state.until;
    case 'clearing':
      return planDeadline(state.plan);
    case 'starting':
    case 'promoting':
    case 'unwinding':
      return state.until;
  }
}

function primaryDeadline(state: PrimaryState): number {
  switch (state.phase) {
    case 'serving':
      return Infinity;
    case 'restarting':
      return state.ending?.until ?? state.until ?? planDeadline(state.plan);
    case 'demoting':
      return state.demotion.until;
  }
}

function planDeadline(plan: StartPlan): number {
  return Math.min(plan.clearAgainAt ?? Infinity, plan.armAgainAt ?? Infinity, plan.until);
}

/** The beat after this one; a beat that was missed is not made up for. */
export function nextPulseAt(state: NodeState, settings: Settings): number {
  if (state.at < state.pulseAt) return state.pulseAt;
  const next = state.pulseAt + settings.heartbeatIntervalMs;
  return next > state.at ? next : state.at + settings.heartbeatIntervalMs;
}

/**
 * At how many heartbeats one look at everything that a lease stands on comes, where changes are told as they happen: so
 * many that it is looked at each 3 s, and each of them where a lease ends by itself.
 */
export function beatsALook({ heartbeatIntervalMs, leaseTtlMs }: Settings): number {
  if (leaseTtlMs > 0) return 1;
  return Math.max(1, Math.min(MOST_BEATS_A_LOOK, Math.floor(LOOK_WITHIN_MS / heartbeatIntervalMs)));
}

/**
 * Whether a full look comes at this heartbeat; half an interval of tolerance, so that early and late beats count
 * alike.
 */
export function isLookDue(sinceMs: number, beats: number, settings: Settings): boolean {
  return sinceMs >= (beats - 0.5) * settings.heartbeatIntervalMs;
}

const MOST_BEATS_A_LOOK = 6;

/** Lock files that a node has not seen for 4 s it searches for among all processes, which takes milliseconds. */
const LOOK_WITHIN_MS = 3_000;
