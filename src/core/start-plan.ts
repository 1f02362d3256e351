// The join before every start of a workload: armed, everything earlier gone, a new epoch.
import type { Effect } from './effect.ts';
import type { Event } from './event.ts';
import type { StartPlan } from './state.ts';
import type { Settings } from './settings.ts';
import { CLEAR_RETRY_MS } from './settings.ts';

/** The order to empty what earlier runs left. */
export function clearEffect(settings: Settings): Effect {
  return {
    type: 'clear-leftovers',
    fenceGraceMs: settings.fenceGraceMs,
    stopGraceMs: settings.stopGraceMs,
  };
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
