// By when the answer to each order is due: an adapter that never answers must not keep a node waiting for
// ever. What follows from one that is overdue is decided where the order was given, and is always safe: no
// workload is started, and no lease called free, while what was ordered may still be carried out.
import type { NodeState, SecondaryState } from './state.ts';
import type { StartPlan } from './state-parts.ts';
import type { Settings } from './settings.ts';
import { ANSWER_LIMIT_MS, OVERDUE_MS } from './settings.ts';

type Asking = Extract<SecondaryState, { phase: 'asking' }>;

/** When the answer is overdue of an order that may take `allowedMs` itself. */
export function answerDueAt(at: number, allowedMs = 0): number {
  return at + allowedMs + ANSWER_LIMIT_MS;
}

/**
 * When the answer to a stop is overdue: the grace is given to the session, and again to what left it and holds the
 * lock.
 */
export function stopDueAt(at: number, graceMs: number): number {
  return answerDueAt(at, 2 * graceMs);
}

export function clearDueAt(at: number, settings: Settings): number {
  return answerDueAt(at, Math.max(settings.fenceGraceMs, settings.stopGraceMs));
}

/** When a node that asks for the lead acts by itself: its answer is overdue, or the primary has fallen silent. */
export function askingUntil({ askedAt, heardAt, until }: Asking, settings: Settings): number {
  return Math.min(until, Math.max(askedAt, heardAt) + settings.heartbeatTimeoutMs);
}

/** After this node itself was suspended or late: answers that arrived meanwhile are still to be heard. */
export function extendDeadlines(state: NodeState): NodeState {
  const least = state.at + OVERDUE_MS;
  switch (state.phase) {
    case 'acquiring':
    case 'starting':
    case 'promoting':
    case 'unwinding':
      return { ...state, until: Math.max(state.until, least) };
    case 'clearing':
      return { ...state, plan: extendPlan(state.plan, least) };
    case 'restarting': {
      const until = state.until === null ? null : Math.max(state.until, least);
      const { ending } = state;
      const extended = ending === null ? null : { ...ending, until: Math.max(ending.until, least) };
      return { ...state, until, ending: extended, plan: extendPlan(state.plan, least) };
    }
    case 'demoting': {
      const { demotion } = state;
      if (demotion.step === 'drain') {
        const { stoppingUntil: until } = demotion;
        const stoppingUntil = until === null ? null : Math.max(until, least);
        return { ...state, demotion: { ...demotion, stoppingUntil } };
      }
      return { ...state, demotion: { ...demotion, until: Math.max(demotion.until, least) } };
    }
    default:
      return state;
  }
}

function extendPlan(plan: StartPlan, least: number): StartPlan {
  return { ...plan, until: Math.max(plan.until, least) };
}
