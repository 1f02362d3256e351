// Copies of a state, one at each step: that of the two phases in which nodes spend their lives, property by property.
import type { NodeState, PrimaryState, SecondaryState } from './state.ts';

type Watching = Extract<SecondaryState, { phase: 'watching' }>;
type Serving = Extract<PrimaryState, { phase: 'serving' }>;

/**
 * The same state at another time (ms), which nobody else has. The engine gives what a spread makes a shape of its own, so
 * that a spread of what a spread has made is one that it has never seen: it soon copies by the slowest way that it has,
 * twenty times as long as here and with five times the garbage.
 */
export function copyAt(state: NodeState, at: number): NodeState {
  if (state.phase === 'watching') return watchingAt(state, at);
  if (state.phase === 'serving') return servingAt(state, at);
  return { ...state, at };
}

function watchingAt(state: Watching, at: number): Watching {
  return {
    role: state.role,
    phase: state.phase,
    at,
    startedAt: state.startedAt,
    since: state.since,
    pulseAt: state.pulseAt,
    epochFloor: state.epochFloor,
    paused: state.paused,
    lookedAt: state.lookedAt,
    enabled: state.enabled,
    heldOffUntil: state.heldOffUntil,
    heldOffUntilEpochAbove: state.heldOffUntilEpochAbove,
    failures: state.failures,
    random: state.random,
    restarts: state.restarts,
    restartCount: state.restartCount,
    coolOffMs: state.coolOffMs,
    preemptions: state.preemptions,
    givesWayUntil: state.givesWayUntil,
    lastTakeover: state.lastTakeover,
    requests: state.requests,
    warning: state.warning,
    lastReason: state.lastReason,
    staleMessages: state.staleMessages,
    probeCount: state.probeCount,
    worstLatenessMs: state.worstLatenessMs,
    armed: state.armed,
    rearmAt: state.rearmAt,
    releaseAt: state.releaseAt,
    suspend: state.suspend,
    term: state.term,
    suspendOrdered: state.suspendOrdered,
    health: state.health,
    heardAt: state.heardAt,
    primary: state.primary,
    probe: state.probe,
    nextProbeAt: state.nextProbeAt,
    backgroundFailures: state.backgroundFailures,
    touch: state.touch,
    observeAt: state.observeAt,
    lookOrderedAt: state.lookOrderedAt,
    leftToLease: state.leftToLease,
    loss: state.loss,
    fitSince: state.fitSince,
  };
}

function servingAt(state: Serving, at: number): Serving {
  return {
    role: state.role,
    phase: state.phase,
    at,
    startedAt: state.startedAt,
    since: state.since,
    pulseAt: state.pulseAt,
    epochFloor: state.epochFloor,
    paused: state.paused,
    lookedAt: state.lookedAt,
    enabled: state.enabled,
    heldOffUntil: state.heldOffUntil,
    heldOffUntilEpochAbove: state.heldOffUntilEpochAbove,
    failures: state.failures,
    random: state.random,
    restarts: state.restarts,
    restartCount: state.restartCount,
    coolOffMs: state.coolOffMs,
    preemptions: state.preemptions,
    givesWayUntil: state.givesWayUntil,
    lastTakeover: state.lastTakeover,
    requests: state.requests,
    warning: state.warning,
    lastReason: state.lastReason,
    staleMessages: state.staleMessages,
    probeCount: state.probeCount,
    worstLatenessMs: state.worstLatenessMs,
    armed: state.armed,
    rearmAt: state.rearmAt,
    releaseAt: state.releaseAt,
    suspend: state.suspend,
    term: state.term,
    suspendOrdered: state.suspendOrdered,
    health: state.health,
    epoch: state.epoch,
    previous: state.previous,
    chosen: state.chosen,
    standbys: state.standbys,
    proxies: state.proxies,
    verifiedAt: state.verifiedAt,
  };
}
