// How a node ends, and how it says no.
import type { Effect } from './effect.ts';
import type { Event } from './event.ts';
import type { NodeState, StopOrder, StoppedState } from './state.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import type { TransitionId } from './transitions.ts';
import { commonOf, move, stay } from './outcome.ts';

/** The answer to a request that can't be met. */
export function refuse(requestId: string, message: string): Effect {
  return {
    type: 'answer',
    requestId,
    outcome: { ok: false, code: 'FAILOVER_REFUSED', message },
  };
}

/** Ends a node that holds no lease: what stands by is stopped first. */
export function stopSecondary(state: NodeState, order: StopOrder, settings: Settings): Outcome {
  return beginStopping('stop-secondary', { state, order, settings });
}

export interface Ending {
  readonly state: NodeState;
  readonly order: StopOrder;
  readonly settings: Settings;
}

/** Enters the last phase by the given row; `before` are effects that come first. */
export function beginStopping(
  by: TransitionId,
  { state, order, settings }: Ending,
  ...before: readonly Effect[]
): Outcome {
  const next: StoppedState = { ...commonOf(state), role: 'stopped', phase: 'stopping', order };
  const graceMs = order.immediate ? 0 : settings.stopGraceMs;
  return move(
    by,
    { state: next, detail: order.reason },
    ...before,
    { type: 'stop-workload', graceMs },
    { type: 'follow', holder: null },
  );
}

export function whenStopped(state: StoppedState, event: Event): Outcome {
  switch (event.type) {
    case 'workload-stopped':
      if (state.phase === 'stopped') return stay(state);
      return move(
        'stopped',
        { state: { ...state, phase: 'stopped' }, detail: state.order.reason },
        { type: 'exit', order: state.order },
      );
    case 'stop-requested': {
      if (!event.order.immediate || state.phase === 'stopped') return stay(state);
      return stay({ ...state, order: event.order }, { type: 'stop-workload', graceMs: 0 });
    }
    case 'lease-granted':
      return stay(state, { type: 'release-lease' });
    case 'promote-requested':
    case 'demote-requested':
    case 'check-requested':
      return stay(state, refuse(event.requestId, 'this node is stopping'));
    default:
      return stay(state);
  }
}
