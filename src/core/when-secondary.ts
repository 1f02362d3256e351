// A secondary: it follows the primary, doubts it for good reasons only, and never stops watching.
import type { Event } from './event.ts';
import type { LeaseObservation, NodeState, SecondaryState } from './state.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import { FREE_LEASE_GRACE_MS, OBSERVE_DELAY_MS, OBSERVE_STEP_MS } from './settings.ts';
import { assignInto, move, secondaryBase, stay, waiting } from './outcome.ts';
import { claim, claimByStrategy, claimInTurn, peersListed, unseenLoss } from './claim.ts';
import { rankOf, turnDelayMs, unwillingBecause } from './election-order.ts';
import { fenceFinished, followObserved, followUnnamed, judge } from './suspicion.ts';
import { connectionLost, heard, probeAnswered, probeFailed, shutdownHeard } from './hearing.ts';
import { secondaryTimePassed } from './secondary-time.ts';
import { askedToCheck, askedToPromote, demotionAnswered } from './requests.ts';
import { refuse, stopSecondary } from './ending.ts';
import { rearm, standbyEvent, withoutSpareProcess } from './standby.ts';
import { giveBack, givenBack } from './giving-back.ts';
import { holdersSeen } from './removed-locks.ts';
import { tellListening } from './undecided.ts';
import { withFitness } from './preemption.ts';

/** @param state one that nobody else has: what is decided may be written into it */
export function whenSecondary(state: SecondaryState, event: Event, settings: Settings): Outcome {
  const wasAsking = state.phase === 'asking';
  const wasWilling = unwillingBecause(state, settings) === null;
  const decided = decide(state, event, settings);
  const cameToNothing = wasAsking && !isStillAsking(decided.state);
  const kept = cameToNothing ? withoutSpareProcess(decided, settings) : decided;
  const outcome = withFitness(kept, settings);
  const { state: next } = outcome;
  if (next.role !== 'secondary' || next.phase !== 'watching' || next.suspend) return outcome;
  const changed = wasWilling !== (unwillingBecause(next, settings) === null);
  // The primary learns from the next probe who may follow it: that one is due now.
  return changed ? { ...outcome, state: { ...next, nextProbeAt: next.at } } : outcome;
}

/** Whether the node still asks for the lead, or claims it: a claim looks after the process spawned for it itself. */
function isStillAsking(state: NodeState): boolean {
  return state.phase === 'asking' || state.role !== 'secondary';
}

function decide(state: SecondaryState, event: Event, settings: Settings): Outcome {
  switch (event.type) {
    case 'started':
      return started(state, settings);
    case 'time-passed':
      return secondaryTimePassed(state, settings);
    case 'stop-requested':
      return stopSecondary(state, event.order, settings);
    case 'suspend-requested':
      return stay({ ...state, suspend: true });
    case 'suspend-withdrawn':
      return reconsider(state, settings);
    case 'enabled-changed':
      return reconsider({ ...state, enabled: event.enabled }, settings);
    case 'lease-observed':
      return observed(state, event.observation, settings);
    case 'peers-listed':
      return peersListed(state, event.peers, settings);
    case 'lease-changed':
      return observeSoon(state, settings);
    case 'holder-inspected': {
      const touch = touchSeen(state, event.inspection.observation);
      const seen: SecondaryState = { ...state, touch };
      return seen.phase === 'suspecting' && seen.suspicion.judging
        ? judge(seen, event.inspection, settings)
        : stay(seen);
    }
    case 'fence-finished':
      return state.phase === 'fencing' ? fenceFinished(state, event, settings) : stay(state);
    case 'heartbeat-received':
    case 'promoted-received':
      return heard(state, event, settings);
    case 'shutdown-received':
      return shutdownHeard(state, event, settings);
    case 'connection-lost':
      return connectionLost(state, event.run, settings);
    case 'probe-answered':
      return probeAnswered(state, event, settings);
    case 'probe-failed':
      return probeFailed(state, event, settings);
    case 'demotion-answered':
      return demotionAnswered(state, event, settings);
    case 'promote-requested':
      return askedToPromote(state, event, settings);
    case 'check-requested':
      return askedToCheck(state, event, settings);
    case 'demote-requested':
      return stay(state, refuse(event.requestId, `${settings.nodeId} is not the primary`));
    case 'workload-armed':
    case 'workload-disarmed':
    case 'workload-failed':
    case 'workload-stopped':
      return reconsiderIfWaiting(standbyEvent(state, event, settings), settings);
    case 'lease-granted': {
      // The answer came after the claim was given up: what was granted is given back.
      const epochFloor = Math.max(state.epochFloor, event.epoch);
      const ordered = giveBack({ ...state, epochFloor });
      return stay(ordered.state, ...ordered.effects);
    }
    case 'epoch-advanced':
      // An epoch of a restart that was given up long ago: it counts as known all the same.
      return stay({ ...state, epochFloor: Math.max(state.epochFloor, event.epoch) });
    case 'lease-failed':
      return stay({ ...givenBack(state, event), warning: event.message });
    case 'workload-stop-failed':
      return stay({ ...state, warning: event.message });
    case 'lease-released':
      return stay(givenBack(state, event));
    case 'completion-recorded':
    case 'standby-heard':
    case 'proxy-attached':
    case 'proxy-drained':
    case 'lease-denied':
    case 'lease-renewed':
    case 'lease-lost':
    case 'leftovers-cleared':
    case 'leftovers-remain':
    case 'workload-activated':
    case 'workload-ready':
    case 'workload-ended':
    case 'workload-deactivated':
    case 'hook-finished':
    case 'health-checked':
      return stay(state);
  }
}

function started(state: SecondaryState, settings: Settings): Outcome {
  if (state.phase !== 'listening') return stay(state);
  const next: SecondaryState = assignInto(secondaryBase(state), {
    pulseAt: state.at + settings.heartbeatIntervalMs,
    phase: 'listening',
    until: state.at + listensForMs(settings),
  });
  const armed = rearm(next, settings);
  return stay(armed.state, { type: 'observe-lease' }, ...armed.effects);
}

/** A better node that was started at the same time is to be on record by then. */
function listensForMs({
  startRole,
  strategy,
  heartbeatTimeoutMs,
  priorityWindowMs,
}: Settings): number {
  const windowMs = strategy === 'priority' && startRole !== 'primary' ? priorityWindowMs : 0;
  return startRole === 'secondary' ? Math.max(heartbeatTimeoutMs, windowMs) : windowMs;
}

/**
 * The lease changed: somebody claims it, or gave it back. Looking at once, and following whom it shows,
 * would take the CPU from the one that is starting its workload just now; nothing is lost by waiting.
 */
function observeSoon(state: SecondaryState, settings: Settings): Outcome {
  const delayMs = OBSERVE_DELAY_MS + OBSERVE_STEP_MS * Math.min(rankOf(state, settings), 20);
  const observeAt = Math.min(state.observeAt ?? Infinity, state.at + delayMs);
  if (state.phase !== 'waiting' || state.why !== 'turn') return stay({ ...state, observeAt });
  // A node that goes first is at work: this one's turn comes only if the look shows that it failed.
  const until = Math.max(state.until, observeAt + turnDelayMs(state, settings));
  return stay({ ...state, observeAt, until });
}

/**
 * What a look at the lease means for one that stands by.
 *
 * @param before a state that nobody else has
 */
function observed(
  before: SecondaryState,
  observation: LeaseObservation,
  settings: Settings,
): Outcome {
  const touch = touchSeen(before, observation);
  const isHeld = observation.held && observation.holder?.run === before.primary?.run;
  const heldAt = isHeld ? before.at : before.heldAt;
  const seen = withRecordWarning(
    assignInto(before, { touch, heldAt, observeAt: null }),
    observation,
  );
  // A node that must lead does not look first who else does: the answer to its claim decides.
  if (seen.phase === 'listening' && settings.startRole === 'primary') {
    return claim(seen, settings, {
      by: 'claim-at-start',
      loss: unseenLoss(seen, 'told to lead', settings),
      told: true,
    });
  }
  const state = assignInto(seen, { heldOffUntil: heldOff(seen, observation) });
  const followed = followObserved(state, observation, settings);
  if (followed !== null) return followed;
  if (state.phase === 'waiting' && state.why === 'removed-locks') {
    return holdersSeen(state, observation, settings);
  }
  if (observation.held) return state.phase === 'listening' ? followUnnamed(state) : stay(state);
  switch (state.phase) {
    case 'listening':
      if (state.at < state.until) return tellListening(stay(state), state, settings);
      return claimByStrategy(state, settings, {
        by: 'claim-at-start',
        loss: unseenLoss(state, 'nobody led', settings),
      });
    case 'watching': {
      // A shutdown message may be on its way, and it may name a successor.
      const until = state.at + FREE_LEASE_GRACE_MS + turnDelayMs(state, settings);
      const loss = unseenLoss(state, 'the lease was found free', settings);
      const base = assignInto(secondaryBase(state), { loss });
      return move('wait-free-lease', { state: waiting(base, { until, why: 'free-lease' }) });
    }
    case 'suspecting':
      return claimInTurn(state, settings, {
        by: 'claim-when-free',
        loss: unseenLoss(state, 'the lease was found free', settings),
      });
    case 'waiting': {
      if (state.why !== 'lease-end') return reconsider(state, settings);
      const loss = unseenLoss(state, 'the lease was found free', settings);
      return claim(state, settings, { by: 'claim-when-free', loss, manual: true });
    }
    case 'asking': {
      const loss = {
        ...unseenLoss(state, 'the lease was found free', settings),
        kind: 'switchover',
      } as const;
      return claim(state, settings, { by: 'claim-when-free', loss, manual: true });
    }
    case 'fencing':
      return stay(state);
  }
}

/** Whoever hands over to a node that must not lead yet leaves the group without a primary. */
function heldOff(
  { heldOffUntil, at }: SecondaryState,
  { notBefore = 0 }: LeaseObservation,
): number {
  return notBefore > at ? Math.max(heldOffUntil, notBefore) : heldOffUntil;
}

/** Somebody holds the lease and cannot be asked: that is the warning, unless there is another already. */
function withRecordWarning(state: SecondaryState, observation: LeaseObservation): SecondaryState {
  if (!observation.held || !observation.recordUnreadable || state.warning !== null) return state;
  const epoch = String(observation.epoch);
  const warning = `the lease is held, but the record of epoch ${epoch} cannot be read, so its holder is unknown`;
  return { ...state, warning };
}

/** The third sign of life: the primary changes its lock file with every heartbeat. */
function touchSeen(
  state: SecondaryState,
  { touch, held }: LeaseObservation,
): SecondaryState['touch'] {
  if (touch === null || !held || state.touch?.value === touch) return state.touch;
  // The first value seen proves nothing about when it was written.
  const changedAt = state.touch === null ? Number.NEGATIVE_INFINITY : state.at;
  return { value: touch, changedAt };
}

function reconsiderIfWaiting(outcome: Outcome, settings: Settings): Outcome {
  if (outcome.state.role !== 'secondary') return outcome;
  const again = reconsider(outcome.state, settings);
  return { ...again, effects: [...outcome.effects, ...again.effects] };
}

/** A node that waited because it was not willing claims as soon as it is. */
function reconsider(state: SecondaryState, settings: Settings): Outcome {
  if (state.phase !== 'waiting' || state.why !== 'not-willing') return stay(state);
  if (unwillingBecause(state, settings) !== null) return stay(state);
  return claimByStrategy(state, settings, {
    by: 'claim-after-wait',
    loss: unseenLoss(state, 'nobody led', settings),
  });
}
