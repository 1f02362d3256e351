// The join before every start of a workload: armed, everything earlier gone, a new epoch.
import type { Effect } from './effect.ts';
import type { Event } from './event.ts';
import type { StartPlan } from './state.ts';
import type { Settings } from './settings.ts';
import { CLEAR_RETRY_MS } from './settings.ts';
import { clearDueAt } from './deadlines.ts';

/** The order to empty what earlier runs left. */
export function clearEffect(settings: Settings): Effect {
  return {
    type: 'clear-leftovers',
    fenceGraceMs: settings.fenceGraceMs,
    stopGraceMs: settings.stopGraceMs,
  };
}

/** A plan whose orders are given now. */
export function beginPlan(
  at: number,
  settings: Settings,
  known: Pick<StartPlan, 'armed' | 'epoch'>,
): StartPlan {
  return { ...known, cleared: false, clearAgainAt: null, until: clearDueAt(at, settings) };
}

/** The order to empty once more, after leftovers that remained. */
export function clearAgain(plan: StartPlan, at: number, settings: Settings): StartPlan {
  const until = Math.max(plan.until, clearDueAt(at, settings));
  return { ...plan, clearAgainAt: null, until };
}

/** Which answer never came. */
export function describeOverdue(plan: StartPlan): string {
  const what = !plan.cleared
    ? 'emptying what an earlier run left'
    : plan.epoch === null
      ? 'the claim of the next epoch'
      : 'the process for the workload';
  return `${what} was not reported on in time`;
}

/** The plan after one of its events; the same plan when the event is none of its business. */
export function advancePlan(plan: StartPlan, event: Event): StartPlan {
  switch (event.type) {
    case 'workload-armed':
      return { ...plan, armed: true };
    case 'workload-disarmed':
      return { ...plan, armed: false };
    case 'leftovers-cleared':
      return { ...plan, cleared: true, clearAgainAt: null };
    case 'leftovers-remain':
      return { ...plan, clearAgainAt: event.at + CLEAR_RETRY_MS };
    case 'epoch-advanced':
      return { ...plan, epoch: event.epoch };
    default:
      return plan;
  }
}

/** Whether the workload may start: nothing else decides this. */
export function isReadyToStart(
  plan: StartPlan,
): plan is StartPlan & { readonly epoch: number; readonly cleared: true; readonly armed: true } {
  return plan.armed && plan.cleared && plan.epoch !== null;
}
