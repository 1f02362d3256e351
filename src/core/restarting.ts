// The end of a workload, and starting it again in place: emptied first, and under a new epoch.
import { formatDuration } from './duration-text.ts';
import type { Effect } from './effect.ts';
import type { Event } from './event.ts';
import type { PrimaryState } from './state.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import { assignInto, move, primaryBase, stay } from './outcome.ts';
import {
  advancePlan,
  beginPlan,
  clearEffect,
  describeOverdue,
  isReadyToStart,
  planTimePassed,
  replaceProcess,
} from './start-plan.ts';
import { decideRestart, describeEnd, recentRestarts } from './restart-policy.ts';
import type { WorkloadEnd } from './restart-policy.ts';
import { beginDemotion, COMPLETED } from './demotion.ts';
import { heartbeat } from './announcements.ts';
import { stopDueAt } from './deadlines.ts';
import { lastOrderEvent } from './last-orders.ts';

type Serving = Extract<PrimaryState, { phase: 'serving' }>;
type Restarting = Extract<PrimaryState, { phase: 'restarting' }>;

/** The workload's main process ended without being asked to. */
export function ended(state: Serving | Restarting, end: WorkloadEnd, settings: Settings): Outcome {
  const decision = decideRestart(state, end, settings);
  const detail = describeEnd(end);
  switch (decision.type) {
    case 'restart':
      return state.phase === 'serving'
        ? restart(state, { restarts: decision.restarts, detail, settings })
        : startFailed(state, detail, settings);
    case 'step-down':
      return beginDemotion(
        'demote-on-failure',
        { state: { ...state, coolOffMs: decision.coolOffMs }, settings },
        {
          why: 'workload-failed',
          reason: `${detail}; ${decision.why}`,
          holdMs: decision.coolOffMs,
        },
      );
    case 'completed':
      return beginDemotion(
        'demote-completed',
        { state, settings },
        {
          why: 'completed',
          reason: detail,
          completed: true,
          stop: COMPLETED,
        },
      );
    case 'exit':
      return beginDemotion(
        'demote-after-end',
        { state, settings },
        {
          why: 'workload-failed',
          reason: detail,
          stop: {
            exitCode: decision.exitCode,
            reason: `the workload exited: ${detail}`,
            immediate: false,
          },
        },
      );
  }
}

function restart(
  state: Serving,
  how: {
    readonly restarts: readonly number[];
    readonly detail: string;
    readonly settings: Settings;
  },
): Outcome {
  const next = restartingFrom(state, { ...how, ending: null });
  return move(
    'workload-ended',
    { state: next, detail: how.detail },
    ...planEffects(next, how.settings),
  );
}

/** The workload runs and is to be started again in place: it is ended first. */
export function restartRunning(
  state: Serving,
  { detail, settings }: { readonly detail: string; readonly settings: Settings },
): Outcome {
  const graceMs = settings.stopGraceMs;
  const next = restartingFrom(state, {
    restarts: [...recentRestarts(state, settings), state.at],
    ending: { until: stopDueAt(state.at, graceMs), told: false },
    settings,
  });
  const stop: Effect = { type: 'stop-workload', graceMs, toRestart: true };
  return move('restart-unhealthy', { state: next, detail }, stop);
}

function restartingFrom(
  state: Serving,
  how: {
    readonly restarts: readonly number[];
    readonly ending: Restarting['ending'];
    readonly settings: Settings;
  },
): Restarting {
  const { restarts, ending, settings } = how;
  const lasted = restarts.length === 1 && state.at - state.since >= settings.restartWindowMs;
  return assignInto(primaryBase(state, state), {
    // A run that lasted long enough resets the doubling.
    coolOffMs: lasted ? 0 : state.coolOffMs,
    restarts,
    restartCount: state.restartCount + 1,
    armed: false,
    phase: 'restarting',
    ending,
    plan: beginPlan(state.at, settings, { armed: false, epoch: null }),
    activated: false,
    until: null,
  });
}

function planEffects({ epochFloor }: Restarting, settings: Settings): readonly Effect[] {
  return [
    clearEffect(settings),
    { type: 'advance-epoch', floor: epochFloor },
    { type: 'arm-workload' },
  ];
}

/** Until the old run has ended nothing of the plan is ordered, and answers belong to another start. */
function endingFirst(
  state: Restarting,
  ending: NonNullable<Restarting['ending']>,
  event: Event,
  settings: Settings,
): Outcome {
  if (event.type === 'workload-stopped') {
    const plan = beginPlan(state.at, settings, { armed: false, epoch: null });
    const warning = ending.told ? null : state.warning;
    const next: Restarting = { ...state, warning, ending: null, plan };
    return stay(next, ...planEffects(next, settings));
  }
  const told = lastOrderEvent({ step: 'stop', toRestart: true, ...ending }, event, state);
  if (told === null) return stay(state);
  return stay({ ...state, ending: told.order, warning: told.warning }, ...told.effects);
}

/** A restart in place waits for the same three things as a takeover. */
export function restarting(before: Restarting, event: Event, settings: Settings): Outcome {
  if (before.ending !== null) return endingFirst(before, before.ending, event, settings);
  // Once the start is ordered the plan is done: later events must not order it again.
  const ordered = isReadyToStart(before.plan);
  const isOld = event.type === 'epoch-advanced' && event.epoch <= before.epoch;
  const plan = ordered || isOld ? before.plan : advancePlan(before.plan, event);
  const warning = event.type === 'leftovers-remain' ? event.detail : before.warning;
  const epoch = plan.epoch ?? before.epoch;
  const state: Restarting = {
    ...before,
    plan,
    warning,
    epoch,
    epochFloor: Math.max(before.epochFloor, epoch),
  };
  switch (event.type) {
    case 'workload-disarmed':
      return ordered ? stay(state) : disarmed(state, event.detail, settings);
    case 'lease-failed':
      // A failed look says nothing of the claim of the next epoch.
      if (event.order !== 'advance' || plan.epoch !== null) return stay(state);
      return startFailed(state, event.message, settings);
    case 'workload-failed':
      return startFailed(state, event.message, settings);
    case 'workload-ended':
      return ended(state, event, settings);
    case 'workload-activated': {
      // The start is not ordered yet: this answer is of an earlier one.
      if (!ordered) return stay(state);
      const activated: Restarting = { ...state, activated: true };
      return settings.hasReadyCheck ? stay(activated) : runsAgain(activated, settings);
    }
    case 'workload-ready':
      return state.activated ? runsAgain(state, settings) : stay(state);
    case 'time-passed':
      return restartTimePassed(state, settings);
    default:
      return startWhenReady(before, state, settings);
  }
}

function disarmed(state: Restarting, detail: string, settings: Settings): Outcome {
  const again = replaceProcess(state.plan, state, settings);
  if (again === null) return startFailed(state, detail, settings);
  return stay({ ...state, plan: again.plan, random: again.random }, ...again.effects);
}

function restartTimePassed(state: Restarting, settings: Settings): Outcome {
  const { at, plan, until } = state;
  if (until !== null) {
    if (at < until) return stay(state);
    const reason = `the workload was not ready within --ready-timeout ${formatDuration(settings.readyTimeoutMs)}`;
    return startFailed(state, reason, settings);
  }
  const passed = planTimePassed(plan, at, settings);
  if (passed === null) return startFailed(state, describeOverdue(plan), settings);
  return stay({ ...state, plan: passed.plan }, ...passed.effects);
}

function startFailed(state: Restarting, reason: string, settings: Settings): Outcome {
  return beginDemotion('demote-on-failure', { state, settings }, { why: 'start-failed', reason });
}

function startWhenReady(before: Restarting, state: Restarting, settings: Settings): Outcome {
  const { plan } = state;
  if (!isReadyToStart(plan) || isReadyToStart(before.plan)) return stay(state);
  const ordered: Restarting = { ...state, until: state.at + settings.readyTimeoutMs };
  return stay(ordered, {
    type: 'activate-workload',
    epoch: plan.epoch,
    previous: state.previous,
    reason: 'restart',
  });
}

function runsAgain(state: Restarting, settings: Settings): Outcome {
  const next: Serving = assignInto(primaryBase(state, state), { warning: null, phase: 'serving' });
  const { epoch, previous } = next;
  return move(
    'restarted',
    { state: next, detail: `epoch ${String(epoch)}` },
    { type: 'publish', announcement: { kind: 'promoted', epoch, previous, reason: 'restart' } },
    heartbeat(next, settings),
  );
}
