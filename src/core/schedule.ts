// When a state wants to be woken: the core has no timers, only times.
import type {
  CandidateState,
  NodeState,
  PrimaryState,
  SecondaryState,
  StartPlan,
} from './state.ts';
import type { Settings } from './settings.ts';
import { OVERDUE_MS } from './settings.ts';

/** The time of the next `time-passed` event, ms; Infinity when only another event can matter. */
export function nextWakeAt(state: NodeState, settings: Settings): number {
  switch (state.role) {
    case 'secondary':
      return Math.min(
        state.pulseAt,
        state.observeAt ?? Infinity,
        state.rearmAt ?? Infinity,
        state.probe === null ? Infinity : state.probe.sentAt + settings.probeTimeoutMs + OVERDUE_MS,
        secondaryDeadline(state, settings),
      );
    case 'candidate':
      return Math.min(state.pulseAt, candidateDeadline(state));
    case 'primary':
      return Math.min(state.pulseAt, primaryDeadline(state));
    case 'stopped':
      return Infinity;
  }
}

function secondaryDeadline(state: SecondaryState, settings: Settings): number {
  switch (state.phase) {
    case 'listening':
    case 'waiting':
    case 'asking':
      return state.until;
    case 'watching': {
      const silence = state.heardAt + settings.heartbeatTimeoutMs;
      const probes = state.probe === null && state.primary !== null;
      return probes ? Math.min(silence, state.nextProbeAt) : silence;
    }
    case 'suspecting':
      return state.suspicion.nextLookAt ?? Infinity;
    case 'fencing':
      return Infinity;
  }
}

function candidateDeadline(state: CandidateState): number {
  switch (state.phase) {
    case 'acquiring':
      return state.retryAt ?? Infinity;
    case 'clearing':
      return planDeadline(state.plan);
    case 'starting':
      return state.until ?? Infinity;
    case 'promoting':
    case 'unwinding':
      return Infinity;
  }
}

function primaryDeadline(state: PrimaryState): number {
  switch (state.phase) {
    case 'serving':
      return Infinity;
    case 'restarting':
      return Math.min(planDeadline(state.plan), state.until ?? Infinity);
    case 'demoting':
      return state.demotion.drainUntil ?? Infinity;
  }
}

function planDeadline(plan: StartPlan): number {
  return plan.clearAgainAt ?? Infinity;
}

/** The beat after this one; a beat that was missed is not made up for. */
export function nextPulseAt(state: NodeState, settings: Settings): number {
  if (state.at < state.pulseAt) return state.pulseAt;
  const next = state.pulseAt + settings.heartbeatIntervalMs;
  return next > state.at ? next : state.at + settings.heartbeatIntervalMs;
}
