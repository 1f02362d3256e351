// What a secondary makes of what it hears, and no longer hears, from the primary it follows.
import type { EventBody } from './event.ts';
import type { SecondaryState } from './state.ts';
import type { FollowedPrimary, WaitReason } from './state-parts.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import { assignInto, move, secondaryBase, stay, waiting } from './outcome.ts';
import { claim, claimInTurn } from './claim.ts';
import { counted } from './counted.ts';
import { heardDemotions } from './health.ts';
import type { NodeHealth, ToldDemotions } from './health.ts';
import { yieldsBecause } from './yielding.ts';
import { turnDelayMs } from './election-order.ts';
import { beatsALook, isLookDue } from './schedule.ts';
import { openProbe, probeFailedWhileSuspecting, suspect } from './suspicion.ts';
import { stopSecondary } from './ending.ts';

/** Reasons to wait that are over as soon as the primary is heard. */
const ENDED_BY_WORD: readonly WaitReason[] = ['backoff', 'not-willing', 'lease-end', 'healthier'];

/** @param state one that nobody else has */
export function heard(
  state: SecondaryState,
  event: Extract<EventBody, { type: 'heartbeat-received' | 'promoted-received' }>,
  settings: Settings,
): Outcome {
  const { primary } = state;
  if (primary?.run !== event.run || primary.epoch !== event.epoch) return stay(state);
  const known = event.type === 'heartbeat-received';
  // A primary that is still promoting may fail like this node did, so the backoff goes on.
  const leads = !known || event.phase === 'primary';
  const wasLeftToLease = state.leftToLease;
  const next = assignInto(state, {
    heardAt: state.at,
    leftToLease: false,
    warning: wasLeftToLease ? null : state.warning,
    failures: leads ? 0 : state.failures,
    givesWayUntil: leads ? null : state.givesWayUntil,
    lastTakeover: known ? (event.lastTakeover ?? state.lastTakeover) : state.lastTakeover,
    primary: known ? asTold(primary, event) : primary,
    health: healthHeard(state, known ? event.demotions : undefined, leads),
  });
  const doubted =
    (next.phase === 'watching' && wasLeftToLease) ||
    (next.phase === 'suspecting' &&
      (next.suspicion.cause === 'silence' || next.suspicion.cause === 'claim-denied')) ||
    (next.phase === 'waiting' && ENDED_BY_WORD.includes(next.why));
  if (!doubted) return known ? lookMeanwhile(next, settings) : stay(next);
  const watching: SecondaryState = assignInto(secondaryBase(next), {
    probe: null,
    warning: null,
    loss: null,
    phase: 'watching',
  });
  return move('trust-heartbeat', {
    state: watching,
    detail: `${event.node} at epoch ${String(event.epoch)}`,
  });
}

function asTold(
  primary: FollowedPrimary,
  told: Extract<EventBody, { type: 'heartbeat-received' }>,
): FollowedPrimary {
  const { succession, standing = null, health = null } = told;
  const isSame =
    primary.succession === succession && primary.standing === standing && primary.health === health;
  return isSame ? primary : { ...primary, succession, standing, health };
}

/** Somebody leads, so nobody has to be waited for; how often the lead changed over health counts for all nodes. */
function healthHeard(
  { health, at }: SecondaryState,
  told: ToldDemotions | undefined,
  leads: boolean,
): NodeHealth {
  const demotions =
    told === undefined ? health.demotions : heardDemotions(health.demotions, told, at);
  const yieldsUntil = leads ? null : health.yieldsUntil;
  const isSame = demotions === health.demotions && yieldsUntil === health.yieldsUntil;
  return isSame ? health : { ...health, demotions, yieldsUntil };
}

/**
 * A heartbeat puts off the beat of its own at which this node would look at the lease: a process that is woken once
 * instead of twice costs half as much. The holder has just told that it lives, and changes are told as they happen, so
 * that a look at one in six heartbeats is enough; but for a lease that ends by itself, or where they are far apart.
 * Without heartbeats the next look is a quarter of a beat late, and then one comes at each beat.
 *
 * @param state one that nobody else has
 */
function lookMeanwhile(state: SecondaryState, settings: Settings): Outcome {
  const { at, lookOrderedAt } = state;
  if (state.phase !== 'watching') return stay(state);
  const pulseAt = at + 1.25 * settings.heartbeatIntervalMs;
  // Counted in beats of this node: its primary may have another interval.
  const isDue = isLookDue(at - lookOrderedAt, beatsAStandbyLook(settings), settings);
  if (!isDue) return stay(assignInto(state, { pulseAt }));
  const looking = assignInto(state, { pulseAt, observeAt: null, lookOrderedAt: at });
  return stay(looking, { type: 'observe-lease' });
}

/** An old sign of life that is seen late in the lease must not put off the verdict on a hung primary. */
function beatsAStandbyLook(settings: Settings): number {
  const { heartbeatIntervalMs, probeAttempts, probeTimeoutMs } = settings;
  return probeAttempts * probeTimeoutMs < 1.5 * heartbeatIntervalMs ? 1 : beatsALook(settings);
}

export function shutdownHeard(
  before: SecondaryState,
  event: Extract<EventBody, { type: 'shutdown-received' }>,
  settings: Settings,
): Outcome {
  if (before.primary?.run !== event.run || before.primary.epoch !== event.epoch)
    return stay(before);
  const state = { ...before, health: healthHeard(before, event.demotions, false) };
  if (event.completed) {
    const reason = `${event.node} completed the group's work`;
    return stopSecondary(state, { exitCode: 0, reason, immediate: false }, settings);
  }
  const loss = {
    kind: event.planned ? ('switchover' as const) : ('failover' as const),
    reason: `${event.node} stepped down: ${event.reason}`,
    at: state.at - (event.workloadEndedAgoMs ?? 0),
    from: event.node,
  };
  const passes = passesBecause(state, event.successor, settings);
  if (event.successor !== null && (passes !== null || event.successor !== settings.nodeId)) {
    const base = assignInto(secondaryBase(state), { loss });
    const until = state.at + settings.successorWindowMs + turnDelayMs(state, settings);
    const next = waiting(base, { until, why: 'successor' });
    if (state.phase === 'waiting') return stay(next);
    if (state.phase === 'fencing' || state.phase === 'listening') return stay(state);
    return passes === null
      ? move('wait-for-successor', { state: next, detail: event.successor })
      : move('pass-succession', { state: next, detail: passes });
  }
  if (state.phase === 'fencing' || state.phase === 'listening') return stay({ ...state, loss });
  // A node that was asked to promote does so, whoever else comes before it.
  const manual = event.successor === settings.nodeId || state.phase === 'asking';
  if (!manual && state.failures > 0) return soonerAfterRelease({ ...state, loss }, settings);
  const request = { by: 'claim-on-shutdown', loss, manual } as const;
  return manual ? claim(state, settings, request) : claimInTurn(state, settings, request);
}

/** Why a named successor leaves the lead to the others after all; null: it does not, or another is named. */
function passesBecause(
  state: SecondaryState,
  successor: string | null,
  settings: Settings,
): string | null {
  // A promotion that was asked for goes on, whatever the health of this node.
  if (successor !== settings.nodeId || state.phase === 'asking') return null;
  return yieldsBecause(state, settings);
}

/** A node that failed itself does not rush back: others' releases shorten its wait to the minimum. */
function soonerAfterRelease(state: SecondaryState, settings: Settings): Outcome {
  const until = state.at + settings.retryBackoffMinMs;
  const next = waiting(secondaryBase(state), { until, why: 'backoff' });
  if (state.phase === 'waiting') return stay({ ...state, until: Math.min(until, state.until) });
  if (state.phase === 'listening' || state.phase === 'fencing' || state.phase === 'asking') {
    return stay(state);
  }
  return move('wait-after-release', { state: next });
}

export function connectionLost(state: SecondaryState, run: string, settings: Settings): Outcome {
  if (state.primary?.run !== run) return stay(state);
  const { phase } = state;
  // A free lease was waited for in case an announcement was on its way: a dropped connection brings none.
  const awaitsWord = phase === 'waiting' && state.why === 'free-lease';
  const follows = phase === 'watching' || phase === 'suspecting' || phase === 'asking';
  if (!awaitsWord && !follows) return stay(state);
  const { node } = state.primary;
  const loss = {
    kind: 'failover' as const,
    reason: `the connection to ${node} dropped`,
    at: state.at,
    from: node,
  };
  // The primary was silent before: the loss of its connection says nothing new, and its lease is looked at all the
  // time.
  if (phase === 'watching' && state.leftToLease) return stay(state, { type: 'observe-lease' });
  const request = { by: 'claim-on-disconnect', loss, manual: phase === 'asking' } as const;
  if (request.manual) return claim({ ...state, loss }, settings, request);
  const delayMs = turnDelayMs(state, settings);
  if (awaitsWord && delayMs > 0) {
    return stay({ ...state, loss, why: 'turn', until: Math.min(state.until, state.at + delayMs) });
  }
  return claimInTurn({ ...state, loss }, settings, request);
}

export function probeAnswered(
  before: SecondaryState,
  event: Extract<EventBody, { type: 'probe-answered' }>,
  settings: Settings,
): Outcome {
  if (before.probe?.number !== event.probe || before.primary === null) return stay(before);
  const isPrimary = event.run === before.primary.run;
  const primary = isPrimary ? { ...before.primary, version: event.version } : before.primary;
  const skew =
    event.version === settings.version || !isPrimary
      ? before.warning
      : `${primary.node} runs version ${event.version}, this node ${settings.version}`;
  const state: SecondaryState = {
    ...before,
    primary,
    probe: null,
    backgroundFailures: 0,
    warning: before.leftToLease && skew === before.warning ? null : skew,
  };
  const leads = event.role === 'primary' || event.role === 'candidate';
  if (!isPrimary || !leads) return answeredByNoPrimary(state, isPrimary, settings);
  const isDoubted =
    state.phase === 'suspecting' || (state.phase === 'watching' && state.leftToLease);
  if (!isDoubted) return stay(state);
  const watching: SecondaryState = assignInto(secondaryBase(state), {
    heardAt: state.at,
    leftToLease: false,
    failures: event.role === 'primary' ? 0 : state.failures,
    loss: null,
    phase: 'watching',
  });
  return move('trust-probe', {
    state: watching,
    detail: `${primary.node} at epoch ${String(event.epoch)}`,
  });
}

/**
 * Somebody answers at that address who does not lead: no word of a primary, and a reason to look. The process
 * that was followed is known to live all the same.
 */
function answeredByNoPrimary(
  state: SecondaryState,
  answered: boolean,
  settings: Settings,
): Outcome {
  const look = { type: 'observe-lease' } as const;
  if (state.phase !== 'suspecting') return stay(state, look);
  const suspicion = { ...state.suspicion, answered };
  const outcome = probeFailedWhileSuspecting({ ...state, suspicion }, settings);
  return { ...outcome, effects: [look, ...outcome.effects] };
}

export function probeFailed(
  state: SecondaryState,
  event: Extract<EventBody, { type: 'probe-failed' }>,
  settings: Settings,
): Outcome {
  if (state.probe?.number !== event.probe) return stay(state);
  if (state.phase === 'suspecting') return probeFailedWhileSuspecting(state, settings);
  // A primary that is left to its lease is still probed now and then, in case it can be reached again.
  if (state.phase === 'watching' && state.leftToLease) return stay({ ...state, probe: null });
  const backgroundFailures = state.backgroundFailures + 1;
  const next: SecondaryState = { ...state, probe: null, backgroundFailures };
  if (next.phase !== 'watching') return stay(next);
  if (backgroundFailures < settings.probeAttempts) {
    const again = openProbe(next, settings);
    return stay(again.state, again.effect);
  }
  const inARow = backgroundFailures === 1 ? '' : ' in a row';
  const detail = `${counted(backgroundFailures, 'probe')}${inARow} failed: ${event.cause}`;
  const calm: SecondaryState = { ...next, backgroundFailures: 0 };
  return suspect(calm, settings, { by: 'suspect-probe', cause: 'probe', detail });
}
