// How a node ends, and how it says no.
import type { Effect } from './effect.ts';
import type { Event } from './event.ts';
import type { NodeState, StopOrder, StoppedState } from './state.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import type { TransitionId } from './transitions.ts';
import { ORDER_RETRY_MS } from './settings.ts';
import { stopDueAt } from './deadlines.ts';
import { commonOf, assignInto, move, stay } from './outcome.ts';

type Stopping = Extract<StoppedState, { phase: 'stopping' }>;

/** Answers a request that cannot be met. */
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
  const graceMs = order.immediate ? 0 : settings.stopGraceMs;
  const next: Stopping = assignInto(commonOf(state), {
    role: 'stopped',
    phase: 'stopping',
    order,
    until: stopDueAt(state.at, graceMs),
    urged: order.immediate,
  });
  return move(
    by,
    { state: next, detail: order.reason },
    ...before,
    { type: 'stop-workload', graceMs },
    { type: 'follow', holder: null },
  );
}

/**
 * One that refused to go on: it decides nothing any more and leads no more, also while what it has started is still
 * being ended and its lease is still its own.
 */
export function brokenOff(state: NodeState, order: StopOrder, at: number): StoppedState {
  return assignInto(commonOf(state), {
    ...{ at, since: at, lastReason: order.reason },
    ...{ role: 'stopped', phase: 'stopping', order, until: Infinity, urged: true },
  });
}

/** The same when nothing is left to wait for. */
export function asStopped(state: StoppedState): StoppedState {
  return assignInto(commonOf(state), { role: 'stopped', phase: 'stopped', order: state.order });
}

export function whenStopped(state: StoppedState, event: Event): Outcome {
  switch (event.type) {
    case 'lease-granted':
      return stay(state, { type: 'release-lease' });
    case 'promote-requested':
    case 'demote-requested':
    case 'check-requested':
      return stay(state, refuse(event.requestId, 'this node is stopping'));
    default:
      return state.phase === 'stopping' ? stopping(state, event) : stay(state);
  }
}

function stopping(state: Stopping, event: Event): Outcome {
  switch (event.type) {
    case 'workload-stopped':
      return stopped(state, state.order.reason);
    case 'workload-stop-failed': {
      const warning = `the standby process could not be stopped: ${event.message}`;
      const until = Math.min(state.until, state.at + ORDER_RETRY_MS);
      return stay({ ...state, warning, until });
    }
    case 'stop-requested':
      // The exit code stays that of the first order: the second one only hurries.
      return event.order.immediate
        ? urge({ ...state, order: { ...state.order, immediate: true } })
        : stay(state);
    case 'time-passed': {
      if (state.at < state.until) return stay(state);
      // The deadline for the stop has passed. Nothing is held or active: whoever leads next clears what may be left.
      const { reason } = state.order;
      const left = `${reason}; the exit of the standby process is not confirmed`;
      return state.urged ? stopped(state, left) : urge(state);
    }
    default:
      return stay(state);
  }
}

function urge(state: Stopping): Outcome {
  const until = stopDueAt(state.at, 0);
  return stay({ ...state, until, urged: true }, { type: 'stop-workload', graceMs: 0 });
}

function stopped(state: Stopping, detail: string): Outcome {
  const exit: Effect = { type: 'exit', order: state.order };
  return move('stopped', { state: asStopped(state), detail }, exit);
}
