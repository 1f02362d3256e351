// A candidate: from the claim to the announcement, and back in reverse order when a step fails.
import { formatDuration, humanMs } from './duration-text.ts';
import type { Effect } from './effect.ts';
import type { Event, EventBody } from './event.ts';
import type { CandidateState, PrimaryState } from './state.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import { candidateBase, assignInto, move, primaryBase, stay } from './outcome.ts';
import {
  advancePlan,
  beginPlan,
  clearEffect,
  describeOverdue,
  isReadyToStart,
  planTimePassed,
  replaceProcess,
} from './start-plan.ts';
import { answerDueAt } from './deadlines.ts';
import { withStandby } from './election-order.ts';
import { claimAnswered, claimTimePassed, grantedTooLate, leaseChanged } from './claim-answers.ts';
import { beginTerm, guardEffect } from './lease-term.ts';
import { nextPulseAt } from './schedule.ts';
import { describeEnd } from './restart-policy.ts';
import { refuse } from './ending.ts';
import {
  failed,
  holdsLease,
  interrupt,
  interruption,
  stopCandidate,
  suspendCandidate,
  undo,
  unwantedBecause,
  unwinding,
} from './unwinding.ts';
import { heartbeat } from './announcements.ts';
import { checkKind, promoteKind, tooManyRequests, withRequest } from './requests.ts';

type Acquiring = Extract<CandidateState, { phase: 'acquiring' }>;
type Clearing = Extract<CandidateState, { phase: 'clearing' }>;
type Starting = Extract<CandidateState, { phase: 'starting' }>;
type Promoting = Extract<CandidateState, { phase: 'promoting' }>;

export function whenCandidate(state: CandidateState, event: Event, settings: Settings): Outcome {
  const request = requestDuringPromotion(state, event);
  if (request !== null) return request;
  switch (event.type) {
    case 'stop-requested':
      return stopCandidate(state, event.order, settings);
    case 'lease-lost':
      return interrupt(state, event, settings);
    case 'lease-observed': {
      const { epoch } = event.observation;
      if (state.phase === 'acquiring' || epoch <= state.epoch) return stay(state);
      if (event.observation.holder?.run === settings.run) return stay(state);
      const cause = `epoch ${String(epoch)} was claimed while this node held ${String(state.epoch)}`;
      return interrupt(state, { cause, withinMs: 0 }, settings);
    }
    case 'lease-changed':
      if (state.phase === 'acquiring') return leaseChanged(state, settings);
      return holdsLease(state) ? stay(state, { type: 'verify-lease', scope: 'all' }) : stay(state);
    case 'time-passed':
      if (event.at >= state.pulseAt) return pulse(state, settings);
      break;
    case 'enabled-changed':
      return stay({ ...state, enabled: event.enabled });
    case 'standby-heard':
      return stay({ ...state, standbys: withStandby(state.standbys, event.standby, state.at) });
    case 'suspend-requested':
      return suspendCandidate(state, settings);
    default:
      break;
  }
  switch (state.phase) {
    case 'acquiring':
      return event.type === 'lease-granted'
        ? granted(state, event, settings)
        : acquiring(state, event, settings);
    case 'clearing':
      return clearing(state, event, settings);
    case 'starting':
      return starting(state, event, settings);
    case 'promoting':
      return promoting(state, event, settings);
    case 'unwinding':
      return unwinding(state, event, settings);
  }
}

function acquiring(state: Acquiring, event: Event, settings: Settings): Outcome {
  switch (event.type) {
    case 'workload-armed':
      return stay({ ...state, armed: true });
    case 'workload-disarmed':
    case 'workload-stopped':
      return stay({ ...state, armed: false });
    case 'workload-failed':
      return stay({ ...state, armed: false, warning: event.message });
    case 'time-passed':
      return claimTimePassed(state, settings);
    case 'lease-denied':
      return state.retryAt === null ? claimAnswered(state, event, settings) : stay(state);
    case 'lease-failed':
      // Between two claims nothing is asked, and a failed look is no answer to a claim.
      return state.retryAt === null && event.order === 'acquire'
        ? claimAnswered(state, event, settings)
        : stay(state);
    default:
      return stay(state);
  }
}

function granted(
  state: Acquiring,
  event: Extract<EventBody, { type: 'lease-granted' }>,
  settings: Settings,
): Outcome {
  const { epoch, previous } = event;
  if (epoch <= state.epochFloor) return grantedTooLate(state, epoch, settings);
  const begun = event.granted === null ? null : beginTerm(event.granted, state, settings);
  const base = assignInto(candidateBase(state, state), {
    epochFloor: epoch,
    releaseAt: null,
    term: begun?.term ?? null,
    random: begun?.random ?? state.random,
  });
  const unwanted = unwantedBecause(state);
  if (unwanted !== null) {
    const failure = interruption(unwanted);
    const plan = beginPlan(state.at, settings, { armed: state.armed, epoch });
    return undo(assignInto(base, { phase: 'clearing', epoch, previous, plan }), failure, {
      by: 'promotion-interrupted',
      settings,
    });
  }
  const armed = !settings.hasWorkload || state.armed;
  const clearing: Clearing = assignInto(base, {
    phase: 'clearing',
    epoch,
    previous,
    plan: beginPlan(state.at, settings, { armed, epoch }),
  });
  const arm: readonly Effect[] = armed ? [] : [{ type: 'arm-workload' }];
  const guard: readonly Effect[] = begun === null ? [] : [guardEffect(begun.term)];
  return move(
    'lease-granted',
    { state: clearing, detail: `epoch ${String(epoch)}` },
    ...guard,
    clearEffect(settings),
    ...arm,
    heartbeat(clearing, settings),
  );
}

function clearing(before: Clearing, event: Event, settings: Settings): Outcome {
  if (event.type === 'workload-failed') return failed(before, event.message, settings);
  // The epoch of the term is that of the grant: one that was claimed for a restart is of an earlier term.
  const plan = event.type === 'epoch-advanced' ? before.plan : advancePlan(before.plan, event);
  const warning = event.type === 'leftovers-remain' ? event.detail : before.warning;
  const armed = settings.hasWorkload && plan.armed;
  const state: Clearing = { ...before, plan, armed, warning };
  if (event.type === 'workload-disarmed') return disarmed(state, event.detail, settings);
  if (event.type === 'time-passed') return clearingTimePassed(state, settings);
  if (!isReadyToStart(plan)) return stay(state);
  const { epoch, previous } = state;
  const next: Starting = assignInto(candidateBase(state, state), {
    warning: null,
    phase: 'starting',
    epoch,
    previous,
    activatedAt: null,
    until: state.at + settings.readyTimeoutMs,
  });
  const reason = state.loss.kind;
  return move(
    'leftovers-cleared',
    { state: next, detail: `epoch ${String(epoch)}` },
    { type: 'activate-workload', epoch, previous, reason },
  );
}

function disarmed(state: Clearing, detail: string, settings: Settings): Outcome {
  const again = replaceProcess(state.plan, state, settings);
  if (again !== null) {
    return stay({ ...state, plan: again.plan, random: again.random }, ...again.effects);
  }
  return failed(state, detail, settings);
}

function clearingTimePassed(state: Clearing, settings: Settings): Outcome {
  const passed = planTimePassed(state.plan, state.at, settings);
  if (passed !== null) return stay({ ...state, plan: passed.plan }, ...passed.effects);
  return failed(state, describeOverdue(state.plan), settings);
}

function starting(state: Starting, event: Event, settings: Settings): Outcome {
  switch (event.type) {
    case 'workload-activated': {
      const activated: Starting = { ...state, armed: false, activatedAt: state.at };
      return settings.hasReadyCheck ? stay(activated) : ready(activated, settings);
    }
    case 'workload-ready':
      return ready(state, settings);
    case 'workload-failed':
      return failed(state, event.message, settings);
    case 'workload-ended': {
      const message = `the workload exited before it was ready: ${describeEnd(event)}`;
      return failed(state, message, settings);
    }
    case 'time-passed': {
      if (state.at < state.until) return stay(state);
      const limit = `--ready-timeout ${formatDuration(settings.readyTimeoutMs)}`;
      const message = `the workload was not ready within ${limit}`;
      return failed(state, message, settings);
    }
    default:
      return stay(state);
  }
}

function ready(state: Starting, settings: Settings): Outcome {
  const activatedAt = state.activatedAt ?? state.at;
  if (!settings.hasPromoteCommand) return promoted(state, activatedAt, settings);
  const { epoch, previous } = state;
  const next: Promoting = assignInto(candidateBase(state, state), {
    phase: 'promoting',
    epoch,
    previous,
    activatedAt,
    until: answerDueAt(state.at, settings.promoteTimeoutMs),
  });
  return move(
    'run-promote-command',
    { state: next },
    {
      type: 'run-hook',
      hook: 'promote',
      epoch,
      previous,
      reason: state.loss.kind,
      timeoutMs: settings.promoteTimeoutMs,
    },
  );
}

function promoting(state: Promoting, event: Event, settings: Settings): Outcome {
  switch (event.type) {
    case 'hook-finished': {
      if (event.hook !== 'promote') return stay(state);
      if (event.ok) return promoted(state, state.activatedAt, settings);
      const message = `the promote command failed: ${event.detail}`;
      return failed(state, message, settings);
    }
    case 'workload-ended': {
      const message = `the workload exited during the promotion: ${describeEnd(event)}`;
      return failed(state, message, settings);
    }
    case 'time-passed': {
      if (state.at < state.until) return stay(state);
      const message =
        'the promote command did not exit and could not be killed within its time limit';
      return failed(state, message, settings);
    }
    default:
      return stay(state);
  }
}

function promoted(state: Starting | Promoting, activatedAt: number, settings: Settings): Outcome {
  const { loss, epoch, previous, standbys } = state;
  const gapMs = loss.kind === 'start' ? null : tenths(Math.max(0, activatedAt - loss.at));
  const takeover = {
    kind: loss.kind,
    from: loss.from,
    to: settings.nodeId,
    epoch,
    reason: loss.reason,
    gapMs,
  };
  const lead = { epoch, previous, chosen: loss.chosen === true, standbys, proxies: [] };
  const serving: PrimaryState = assignInto(primaryBase(state, lead), {
    failures: 0,
    givesWayUntil: null,
    health: { ...state.health, yieldsUntil: null, lastUntil: -Infinity },
    heldOffUntil: 0,
    heldOffUntilEpochAbove: 0,
    warning: null,
    lastTakeover: takeover,
    pulseAt: state.at + settings.heartbeatIntervalMs,
    phase: 'serving',
  });
  const since = loss.kind === 'switchover' ? "the old workload's exit" : 'the loss';
  const gap = gapMs === null || loss.from === null ? '' : `, ${humanMs(gapMs)} after ${since}`;
  return move(
    'promoted',
    { state: serving, detail: `epoch ${String(epoch)} (${loss.reason}${gap})` },
    {
      type: 'publish',
      announcement: { kind: 'promoted', epoch, previous, reason: loss.reason },
    },
    heartbeat(serving, settings),
    { type: 'follow', holder: null },
  );
}

/** A candidate that holds the lease sends heartbeats: the others must know that somebody is at work. */
function pulse(state: CandidateState, settings: Settings): Outcome {
  const next = { ...state, pulseAt: nextPulseAt(state, settings) };
  if (state.phase === 'acquiring' || !holdsLease(state)) return stay(next);
  return stay(next, { type: 'verify-lease', scope: 'all' }, heartbeat(state, settings));
}

function requestDuringPromotion(state: CandidateState, event: Event): Outcome | null {
  switch (event.type) {
    case 'promote-requested':
    case 'check-requested': {
      const kind = event.type === 'promote-requested' ? promoteKind(event) : checkKind(event);
      const next = withRequest(state, { id: event.requestId, kind });
      return next === null ? stay(state, refuse(event.requestId, tooManyRequests())) : stay(next);
    }
    case 'demote-requested':
      return stay(state, refuse(event.requestId, 'a promotion is already in progress here'));
    default:
      return null;
  }
}

/** Whole tenths of a millisecond: less is noise. */
function tenths(durationMs: number): number {
  return Math.round(durationMs * 10) / 10;
}
