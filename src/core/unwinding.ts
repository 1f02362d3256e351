// Undoing a promotion that failed or was interrupted: the workload first, then the lease, then the word.
import type { Effect } from './effect.ts';
import type { Event } from './event.ts';
import type { CandidateState, Failure, SecondaryState, StopOrder } from './state.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import { candidateBase, move, secondaryBase, stay, waiting } from './outcome.ts';
import { retryBackoff } from './jitter.ts';
import { beginStopping } from './ending.ts';
import { rearm } from './standby.ts';

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
  const next: Unwinding = {
    ...candidateBase(state, state),
    warning: state.stop === null ? failure.message : state.warning,
    phase: 'unwinding',
    epoch: state.epoch,
    failure,
    step: 'stop',
  };
  return move(
    by,
    { state: next, detail: failure.message },
    { type: 'stop-workload', graceMs: immediate ? 0 : settings.stopGraceMs },
  );
}

export function unwinding(state: Unwinding, event: Event, settings: Settings): Outcome {
  if (event.type === 'workload-stopped' && state.step === 'stop') {
    return stay({ ...state, armed: false, step: 'release' }, { type: 'release-lease' });
  }
  if (event.type !== 'lease-released' || state.step !== 'release') return stay(state);
  const announcement = {
    kind: 'shutdown',
    epoch: state.epoch,
    reason: state.stop === null ? 'promotion-failed' : state.stop.reason,
    successor: null,
    completed: false,
    planned: state.stop !== null,
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
  const failures = state.failures + 1;
  const { delayMs, random } = retryBackoff({ failures, random: state.random }, settings);
  const base = { ...secondaryBase(state), failures, random };
  const next: SecondaryState = waiting(base, { until: state.at + delayMs, why: 'backoff' });
  const wait = `trying again in ${String(Math.round(delayMs))} ms`;
  return move(
    'promotion-undone',
    { state: next, detail: `${state.failure.message}; ${wait}` },
    ...publish,
    ...rearm(next, settings),
    { type: 'observe-lease' },
  );
}

export function stopCandidate(
  state: CandidateState,
  order: StopOrder,
  settings: Settings,
): Outcome {
  const stopping: CandidateState = { ...state, stop: order };
  if (stopping.phase === 'acquiring') {
    // Between two claims there is no answer to wait for.
    if (stopping.retryAt === null) return stay(stopping);
    return beginStopping('stop-secondary', { state: stopping, order, settings });
  }
  if (stopping.phase === 'unwinding') {
    if (!order.immediate || stopping.step !== 'stop') return stay(stopping);
    return stay(stopping, { type: 'stop-workload', graceMs: 0 });
  }
  const failure = { code: 'FAILOVER_REFUSED', message: order.reason };
  return undo(stopping, failure, { by: 'promotion-interrupted', settings });
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
    return stay({ ...state, failure }, { type: 'stop-workload', graceMs: 0 });
  }
  return undo(state, failure, { by: 'promotion-interrupted', settings });
}
