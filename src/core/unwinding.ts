// Undoing a promotion that failed or was interrupted: the workload first, then the lease, then the word.
import { humanMs } from './duration-text.ts';
import type { Effect } from './effect.ts';
import type { Event } from './event.ts';
import type { CandidateState, SecondaryState, StopOrder } from './state.ts';
import type { Failure } from './state-parts.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import { candidateBase, assignInto, move, secondaryBase, stay, waiting } from './outcome.ts';
import { retryBackoff } from './jitter.ts';
import { beginStopping } from './ending.ts';
import { disabledBecause } from './election-order.ts';
import { rearm } from './standby.ts';
import { answerDueAt, stopDueAt } from './deadlines.ts';
import { lastOrderEvent, notFreeWarning } from './last-orders.ts';

type Undoable = Extract<CandidateState, { phase: 'clearing' | 'starting' | 'promoting' }>;
type Unwinding = Extract<CandidateState, { phase: 'unwinding' }>;

export function failed(state: Undoable, message: string, settings: Settings): Outcome {
  return undo(state, { kind: 'failed', message }, { by: 'promotion-failed', settings });
}

interface Undo {
  readonly by: 'promotion-failed' | 'promotion-interrupted';
  readonly settings: Settings;
  /** How long the workload may take to end, ms, when that is less than its grace. */
  readonly withinMs?: number;
}

/** Unwinds in reverse order: the workload first, then the lease. */
export function undo(
  state: Undoable,
  failure: Failure,
  { by, settings, withinMs = Infinity }: Undo,
): Outcome {
  const longestMs = state.stop?.immediate === true ? 0 : settings.stopGraceMs;
  const graceMs = Math.min(longestMs, withinMs);
  const next: Unwinding = assignInto(candidateBase(state, state), {
    warning: isInterruption(failure) ? state.warning : failure.message,
    phase: 'unwinding',
    epoch: state.epoch,
    failure,
    step: 'stop',
    until: stopDueAt(state.at, graceMs),
    told: false,
  });
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
      return released(state, event.heldBy, settings);
    default: {
      const told = lastOrderEvent(state, event, state);
      if (told === null) return stay(state);
      return stay({ ...state, ...told.order, warning: told.warning }, ...told.effects);
    }
  }
}

/** The warning after this step: what was said because the step took long does not hold any more. */
function warningAfter({ told, failure, warning }: Unwinding): string | null {
  if (!told) return warning;
  return isInterruption(failure) ? null : failure.message;
}

function released(before: Unwinding, heldBy: string | null, settings: Settings): Outcome {
  // A lost lease may well have another holder by now.
  const isFree = heldBy === null || before.failure.kind === 'lease-lost';
  const warning = isFree ? warningAfter(before) : notFreeWarning(heldBy);
  const state: Unwinding = { ...before, warning };
  const publish = isFree ? announceEnd(state) : [];
  if (state.stop !== null) {
    return beginStopping(
      'stop-after-promotion',
      { state, order: state.stop, settings },
      ...publish,
    );
  }
  const { wait, detail } = waitAfter(state, settings);
  const { state: next, effects: arm } = rearm(wait, settings);
  const look: Effect = { type: 'observe-lease' };
  return move('promotion-undone', { state: next, detail }, ...publish, ...arm, look);
}

/** A lost lease is not ours to announce. */
function announceEnd(state: Unwinding): readonly Effect[] {
  if (state.failure.kind === 'lease-lost') return [];
  const interrupted = isInterruption(state.failure);
  const announcement = {
    kind: 'shutdown',
    epoch: state.epoch,
    reason: state.stop?.reason ?? (interrupted ? state.failure.message : 'promotion-failed'),
    successor: null,
    completed: false,
    planned: state.stop !== null || interrupted,
    workloadEndedAgoMs: null,
  } as const;
  return [{ type: 'publish', announcement }];
}

/** How a node waits after an undone promotion; one that was told to end has not failed, and needs no backoff. */
function waitAfter(
  state: Unwinding,
  settings: Settings,
): { readonly wait: SecondaryState; readonly detail: string } {
  const { at, failure, loss } = state;
  const base = assignInto(secondaryBase(state), { loss });
  if (isInterruption(failure)) {
    const until = at + settings.heartbeatTimeoutMs;
    const wait = state.enabled
      ? waiting(base, { until, why: 'free-lease' })
      : waiting(base, { until: Infinity, why: 'not-willing' });
    return { wait, detail: failure.message };
  }
  const failures = state.failures + 1;
  const { delayMs, random } = retryBackoff({ failures, random: state.random }, settings);
  const until = at + delayMs;
  return {
    wait: waiting(assignInto(base, { failures, random }), { until, why: 'backoff' }),
    detail: `${failure.message}; retrying in ${humanMs(delayMs)}`,
  };
}

/** Interrupts a promotion because it was told to, not because a step failed. */
export function interruption(message: string): Failure {
  return { kind: 'interrupted', message };
}

function isInterruption({ kind }: Failure): boolean {
  return kind === 'interrupted';
}

/** Why a promotion is interrupted by SIGTSTP. */
const SUSPENDED = 'suspended';

/** Why this candidate is not to lead any more; null: it is. */
export function unwantedBecause(state: CandidateState): string | null {
  return state.stop?.reason ?? (state.suspend ? SUSPENDED : disabledBecause(state));
}

export function suspendCandidate(state: CandidateState, settings: Settings): Outcome {
  const next: CandidateState = { ...state, suspend: true };
  if (next.phase === 'acquiring' || next.phase === 'unwinding') return stay(next);
  return undo(next, interruption(SUSPENDED), { by: 'promotion-interrupted', settings });
}

export function stopCandidate(
  state: CandidateState,
  order: StopOrder,
  settings: Settings,
): Outcome {
  const stopping: CandidateState = { ...state, stop: order };
  if (stopping.phase === 'acquiring') {
    // Between two claims no answer is waited for, nor where the end is immediate: a grant is given back later.
    if (stopping.retryAt === null && !order.immediate) return stay(stopping);
    return beginStopping('stop-secondary', { state: stopping, order, settings });
  }
  if (stopping.phase === 'unwinding') {
    if (!order.immediate || stopping.step !== 'stop') return stay(stopping);
    return stopWithin(stopping, 0);
  }
  return undo(stopping, interruption(order.reason), { by: 'promotion-interrupted', settings });
}

function stopWithin(state: Unwinding, graceMs: number): Outcome {
  const until = stopDueAt(state.at, graceMs);
  return stay({ ...state, until }, { type: 'stop-workload', graceMs });
}

/** Whether the lease is lost or being given back: nothing is claimed of it any more. */
function hasLeft({ failure, step }: Unwinding): boolean {
  return failure.kind === 'lease-lost' || step === 'release';
}

/** Whether there is a lease that this node has not left yet. */
export function holdsLease(state: CandidateState): boolean {
  if (state.phase === 'acquiring') return false;
  return state.phase !== 'unwinding' || !hasLeft(state);
}

/** The lease is lost: the workload has no more time than the term leaves it. */
export function interrupt(
  state: CandidateState,
  { cause, withinMs }: { readonly cause: string; readonly withinMs: number },
  settings: Settings,
): Outcome {
  const failure: Failure = { kind: 'lease-lost', message: cause };
  if (state.phase === 'acquiring') return stay(state);
  if (state.phase === 'unwinding') {
    if (hasLeft(state)) return stay(state);
    const graceMs = Math.min(withinMs, settings.stopGraceMs);
    return state.step === 'stop' ? stopWithin({ ...state, failure }, graceMs) : stay(state);
  }
  return undo(state, failure, { by: 'promotion-interrupted', settings, withinMs });
}
