// The join before every start of a workload: armed, everything earlier gone, a new epoch.
import type { Effect } from './effect.ts';
import type { Event } from './event.ts';
import type { Common } from './state.ts';
import type { StartPlan } from './state-parts.ts';
import type { Settings } from './settings.ts';
import { CLEAR_RETRY_MS, DISARMING_LIMIT } from './settings.ts';
import { answerDueAt, clearDueAt } from './deadlines.ts';
import { retryBackoff } from './jitter.ts';

/** The order to clear what earlier runs left. */
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
  return {
    ...known,
    cleared: false,
    clearAgainAt: null,
    disarmings: 0,
    armAgainAt: null,
    until: clearDueAt(at, settings),
  };
}

/** The plan with what time has made due; null: an answer is overdue. */
export function planTimePassed(plan: StartPlan, at: number, settings: Settings): Step | null {
  if (plan.clearAgainAt !== null && at >= plan.clearAgainAt) {
    const until = Math.max(plan.until, clearDueAt(at, settings));
    return { plan: { ...plan, clearAgainAt: null, until }, effects: [clearEffect(settings)] };
  }
  if (plan.armAgainAt !== null && at >= plan.armAgainAt) {
    return { plan: { ...plan, armAgainAt: null }, effects: [ARM] };
  }
  return at < plan.until ? { plan, effects: [] } : null;
}

interface Step {
  readonly plan: StartPlan;
  readonly effects: readonly Effect[];
}

/**
 * The process for the workload ended before it was needed: another one at once, the next after the pause of
 * a failure; null: no more.
 */
export function replaceProcess(
  plan: StartPlan,
  { at, random }: Pick<Common, 'at' | 'random'>,
  settings: Settings,
): (Step & { readonly random: number }) | null {
  const disarmings = plan.disarmings + 1;
  if (disarmings === 1) return { plan: { ...plan, disarmings }, effects: [ARM], random };
  if (disarmings > DISARMING_LIMIT) return null;
  const backoff = retryBackoff({ failures: disarmings - 1, random }, settings);
  const armAgainAt = at + backoff.delayMs;
  const until = Math.max(plan.until, answerDueAt(armAgainAt));
  return {
    plan: { ...plan, disarmings, armAgainAt, until },
    effects: [],
    random: backoff.random,
  };
}

const ARM: Effect = { type: 'arm-workload' };

/** Names the answer that never came. */
export function describeOverdue(plan: StartPlan): string {
  const what = !plan.cleared
    ? 'cleaning up after the previous run'
    : plan.epoch === null
      ? 'the claim of the next epoch'
      : 'the process for the workload';
  return `${what} did not report in time`;
}

/** The plan after one event; the same plan when the event is not about it. */
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
