// A copy of a state, which each step makes, and the one object that it is put into again where a phase lasts.
import { assignInto, primaryBase, secondaryBase } from './outcome.ts';
import type { Common, NodeState, PrimaryState, SecondaryState } from './state.ts';

/**
 * The same state at another time (ms), which nobody else has. The engine gives what a spread makes a shape of its own, so
 * that a spread of what a spread has made is one that it has never seen: it soon copies by the slowest way that it has,
 * many times as long and with three times the garbage. So the two phases in which nodes spend their lives are put
 * together from their parts, which are literals.
 */
export function copyAt(state: NodeState, at: number): NodeState {
  switch (state.phase) {
    case 'watching':
      return assignInto(secondaryBase(state), { phase: state.phase, at });
    case 'serving':
      return assignInto(primaryBase(state, state), { phase: state.phase, at });
    default:
      return { ...state, at };
  }
}

/**
 * What the one who keeps the state has from now on: in a phase that lasts the object that it had, with all that is new
 * put into it. So a thousand nodes leave no state behind at each beat that has outlived some collections by then.
 *
 * @param former the state before, which changes under all who look at it; in a phase that lasts a result of this function
 */
export function kept(former: NodeState, next: NodeState): NodeState {
  if (next === former) return next;
  if (next.phase === 'serving') {
    return former.phase === 'serving' ? putPrimary(former, next) : copyAt(next, next.at);
  }
  if (next.phase === 'watching') {
    return former.phase === 'watching' ? putSecondary(former, next) : copyAt(next, next.at);
  }
  return next;
}

type Writable<State> = { -readonly [Field in keyof State]: State[Field] };

/* One field after the other: by any loop over them it takes twenty times as long. */

function putPrimary(into: Writable<PrimaryState>, state: PrimaryState): NodeState {
  putCommon(into, state);
  into.epoch = state.epoch;
  into.previous = state.previous;
  into.chosen = state.chosen;
  into.standbys = state.standbys;
  into.proxies = state.proxies;
  into.verifiedAt = state.verifiedAt;
  return into;
}

function putSecondary(into: Writable<SecondaryState>, state: SecondaryState): NodeState {
  putCommon(into, state);
  into.heardAt = state.heardAt;
  into.heldAt = state.heldAt;
  into.primary = state.primary;
  into.probe = state.probe;
  into.nextProbeAt = state.nextProbeAt;
  into.backgroundFailures = state.backgroundFailures;
  into.touch = state.touch;
  into.observeAt = state.observeAt;
  into.lookOrderedAt = state.lookOrderedAt;
  into.leftToLease = state.leftToLease;
  into.loss = state.loss;
  into.fitSince = state.fitSince;
  return into;
}

function putCommon(into: Writable<Common>, state: Common): void {
  into.at = state.at;
  into.startedAt = state.startedAt;
  into.since = state.since;
  into.pulseAt = state.pulseAt;
  into.epochFloor = state.epochFloor;
  into.paused = state.paused;
  into.lookedAt = state.lookedAt;
  into.enabled = state.enabled;
  into.heldOffUntil = state.heldOffUntil;
  into.heldOffUntilEpochAbove = state.heldOffUntilEpochAbove;
  into.failures = state.failures;
  into.random = state.random;
  into.restarts = state.restarts;
  into.coolOffMs = state.coolOffMs;
  into.restartCount = state.restartCount;
  into.preemptions = state.preemptions;
  into.givesWayUntil = state.givesWayUntil;
  into.lastTakeover = state.lastTakeover;
  into.requests = state.requests;
  into.warning = state.warning;
  into.lastReason = state.lastReason;
  into.staleMessages = state.staleMessages;
  into.probeCount = state.probeCount;
  into.worstLatenessMs = state.worstLatenessMs;
  into.armed = state.armed;
  into.rearmAt = state.rearmAt;
  into.releaseAt = state.releaseAt;
  into.suspend = state.suspend;
  into.term = state.term;
  into.suspendOrdered = state.suspendOrdered;
  into.health = state.health;
}
