// Undoing a promotion that failed or was interrupted: the workload first, then the lease, then the word.
import type { Effect } from './effect.ts';
import type { Event } from './event.ts';
import type { CandidateState, Failure, StopOrder } from './state.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import { candidateBase, move, secondaryBase, stay, waiting } from './outcome.ts';
import { retryBackoff } from './jitter.ts';
import { beginStopping } from './ending.ts';
import { rearm } from './standby.ts';
import { answerDueAt, stopDueAt } from './deadlines.ts';
import { lastOrderEvent } from './last-orders.ts';

type Undoable = Extract<CandidateState, { phase: 'clearing' | 'starting' | 'promoting' }>;
type Unwinding = Extract<CandidateState, { phase: 'unwinding' }>;

export function failed(state: Undoable, failure: Failure, settings: Settings): Outcome {
  return undo(state, failure, { by: 'promotion-failed', settings });
}

interface Undo {
  readonly by: 'promotion-failed' | 'promotion-interrupted';
  readonly settings: Settings;
}

/** Unwinds in reverse order: the workload first, then the lease. */
export function undo(state: Undoable, failure: Failure, { by, settings }: Undo): Outcome {
  const lost = failure.code === 'FAILOVER_LEASE_LOST';
  const immediate = lost || state.stop?.immediate === true;
  const graceMs = immediate ? 0 : settings.stopGraceMs;
  const next: Unwinding = {
    ...candidateBase(state, state),
    warning: state.stop === null && !state.suspend ? failure.message : state.warning,
    phase: 'unwinding',
    epoch: state.epoch,
    failure,
    step: 'stop',
    until: stopDueAt(state.at, graceMs),
    told: false,
  };
  return move(by, { state: next, detail: failure.message }, { type: 'stop-workload', graceMs });
}

export function unwinding(state: Unwinding, event: Event, settings: Settings): Outcome {
  switch (event.type) {
    case 'workload-stopped': {
      if (state.step !== 'stop') return stay(state);
      const until = answerDueAt(state.at);
      const warning = warningAfter(state);
      return stay(
        { ...state, armed: false, warning, step: 'release', until, told: false },
        { type: 'release-lease' },
      );
    }
    case 'lease-released':
      if (state.step !== 'release') return stay(state);
      return released({ ...state, warning: warningAfter(state) }, settings);
    default: {
      const told = lastOrderEvent(state, event, state);
      if (told === null) return stay(state);
      return stay({ ...state, ...told.order, warning: told.warning }, ...told.effects);
    }
  }
}

/** What was said of a step that took long is no longer so. */
function warningAfter({ told, failure, warning }: Unwinding): string | null {
  return told ? failure.message : warning;
}

function released(state: Unwinding, settings: Settings): Outcome {
  const announcement = {
    kind: 'shutdown',
    epoch: state.epoch,
    reason: state.stop?.reason ?? (state.suspend ? SUSPENDED : 'promotion-failed'),
    successor: null,
    completed: false,
    planned: state.stop !== null || state.suspend,
    workloadEndedAgoMs: null,
  } as const;
  // A lost lease is not ours to announce.
  const lost = state.failure.code === 'FAILOVER_LEASE_LOST';
  const publish: readonly Effect[] = lost ? [] : [{ type: 'publish', announcement }];
  if (state.stop !== null) {
    return beginStopping(
      'stop-after-promotion',
      { state, order: state.stop, settings },
      ...publish,
    );
  }
  if (state.suspend) return suspended(state, settings, publish);
  const failures = state.failures + 1;
  const { delayMs, random } = retryBackoff({ failures, random: state.random }, settings);
  const base = { ...secondaryBase(state), failures, random };
  const { state: next, effects: arm } = rearm(
    waiting(base, { until: state.at + delayMs, why: 'backoff' }),
    settings,
  );
  const wait = `trying again in ${String(Math.round(delayMs))} ms`;
  return move(
    'promotion-undone',
    { state: next, detail: `${state.failure.message}; ${wait}` },
    ...publish,
    ...arm,
    { type: 'observe-lease' },
  );
}

/** Given back only because this process is about to stop: that counts as no failure. */
function suspended(state: Unwinding, settings: Settings, publish: readonly Effect[]): Outcome {
  const until = state.at + settings.heartbeatTimeoutMs;
  const { state: next, effects: arm } = rearm(
    waiting(secondaryBase(state), { until, why: 'free-lease' }),
    settings,
  );
  return move(
    'promotion-undone',
    { state: next, detail: SUSPENDED },
    ...publish,
    ...arm,
    { type: 'suspend-process' },
    { type: 'observe-lease' },
  );
}

/** Why a promotion is interrupted by SIGTSTP. */
export const SUSPENDED = 'suspended';

export function suspendCandidate(state: CandidateState, settings: Settings): Outcome {
  // Between two claims there is nothing to give back.
  if (state.phase === 'acquiring' && state.retryAt !== null) {
    return stay(state, { type: 'suspend-process' });
  }
  const next: CandidateState = { ...state, suspend: true };
  if (next.phase === 'acquiring' || next.phase === 'unwinding') return stay(next);
  const failure = { code: 'FAILOVER_REFUSED', message: SUSPENDED };
  return undo(next, failure, { by: 'promotion-interrupted', settings });
}

export function stopCandidate(
  state: CandidateState,
  order: StopOrder,
  settings: Settings,
): Outcome {
  const stopping: CandidateState = { ...state, stop: order };
  if (stopping.phase === 'acquiring') {
    // Between two claims there is no answer to wait for; at once, what is granted is given back after.
    if (stopping.retryAt === null && !order.immediate) return stay(stopping);
    return beginStopping('stop-secondary', { state: stopping, order, settings });
  }
  if (stopping.phase === 'unwinding') {
    if (!order.immediate || stopping.step !== 'stop') return stay(stopping);
    return stopAtOnce(stopping);
  }
  const failure = { code: 'FAILOVER_REFUSED', message: order.reason };
  return undo(stopping, failure, { by: 'promotion-interrupted', settings });
}

function stopAtOnce(state: Unwinding): Outcome {
  const until = stopDueAt(state.at, 0);
  return stay({ ...state, until }, { type: 'stop-workload', graceMs: 0 });
}

/** Whether the lease is lost or being given back: nothing is claimed of it any more. */
export function hasLeft({ failure, step }: Unwinding): boolean {
  return failure.code === 'FAILOVER_LEASE_LOST' || step === 'release';
}

/** The lease is lost: no grace is left. */
export function interrupt(state: CandidateState, failure: Failure, settings: Settings): Outcome {
  if (state.phase === 'acquiring') return stay(state);
  if (state.phase === 'unwinding') {
    if (hasLeft(state)) return stay(state);
    return state.step === 'stop' ? stopAtOnce({ ...state, failure }) : stay(state);
  }
  return undo(state, failure, { by: 'promotion-interrupted', settings });
}
