// Stepping down: drain, demote command, workload gone, lease released and proved free, and only then said.
import type { Effect } from './effect.ts';
import type { Event } from './event.ts';
import type { LeaseObservation, PrimaryState, SecondaryState, StopOrder } from './state.ts';
import type { Demotion } from './state-parts.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import type { TransitionId } from './transitions.ts';
import { OBSERVE_DELAY_MS } from './settings.ts';
import { announceEnd, standbyAfter, stopOrderAfter } from './after-demotion.ts';
import type { Demoting } from './after-demotion.ts';
import { assignInto, move, primaryBase, stay } from './outcome.ts';
import { beginStopping, refuse } from './ending.ts';
import { rearm } from './standby.ts';
import { closingNotice, drainedAt } from './attached-proxies.ts';
import { answerDueAt, stopDueAt } from './deadlines.ts';
import { hasRunOut } from './lease-term.ts';
import { lastOrderEvent, notFreeWarning } from './last-orders.ts';
import { describeEnd, isCompletion } from './restart-policy.ts';
import type { WorkloadEnd } from './restart-policy.ts';

interface Context {
  readonly state: PrimaryState;
  readonly settings: Settings;
}

type DemotionOrder = Pick<Demotion, 'why' | 'reason'> &
  Partial<Pick<Demotion, 'successor' | 'holdMs' | 'stop' | 'completed' | 'withinMs'>>;

/** Begins to step down. After a lost lease or an order to end at once there is no drain and no demote command. */
export function beginDemotion(
  by: TransitionId,
  { state, settings }: Context,
  order: DemotionOrder,
): Outcome {
  const next: Demoting = assignInto(primaryBase(state, state), {
    phase: 'demoting',
    demotion: {
      why: order.why,
      reason: order.reason,
      step: 'drain',
      drainFrom: state.at,
      drainUntil: state.at + settings.drainMs,
      until: state.at,
      told: false,
      successor: order.successor ?? null,
      holdMs: order.holdMs ?? null,
      stop: order.stop ?? null,
      workloadEndedAt: hasEnded(order.why) ? state.at : null,
      stoppingUntil: state.phase === 'restarting' ? (state.ending?.until ?? null) : null,
      withinMs: order.withinMs ?? null,
      confirmed: false,
      completed: order.completed ?? false,
    },
  });
  const begun = isGraceful(next) ? drain(next, settings) : runHook(next, settings);
  return move(by, { state: begun.state, detail: order.reason }, ...begun.effects);
}

function hasEnded(why: Demotion['why']): boolean {
  return why === 'workload-failed' || why === 'completed';
}

function isGraceful({ demotion }: Demoting): boolean {
  const { why, stop } = demotion;
  return stop?.immediate !== true && GRACEFUL.has(why);
}

const GRACEFUL: ReadonlySet<Demotion['why']> = new Set<Demotion['why']>([
  'switchover',
  'demote',
  'stop',
  'unhealthy',
]);

/** Begins the drain; where nothing is under way it is over at once, and no proxy is told. */
function drain(state: Demoting, settings: Settings): Outcome {
  const { epoch, demotion } = state;
  const drained = drainedFurther(state, settings);
  if (drained.state.phase !== 'demoting' || drained.state.demotion.step !== 'drain') return drained;
  return stay(drained.state, closingNotice(epoch, demotion.reason));
}

/** Looks at the drain again: what was under way through proxies may have ended, and the drain with it. */
export function drainedFurther(state: Demoting, settings: Settings): Outcome {
  if (state.demotion.step !== 'drain') return stay(state);
  const until = drainedAt(state, state.demotion, settings);
  if (until <= state.at) return runHook(state, settings);
  return stay({ ...state, demotion: { ...state.demotion, until } });
}

/**
 * The workload ended during the drain: there is nothing left to wait for, and completed work is not to be done again.
 */
function endedInDrain(state: Demoting, end: WorkloadEnd, settings: Settings): Outcome {
  const ended: Demotion = { ...state.demotion, workloadEndedAt: state.at };
  // Whoever tells this node to end (a service manager, Ctrl-C) may have signalled its workload as well.
  const isItsWork = ended.stop === null && isCompletion(end, settings);
  if (!isItsWork) return runHook({ ...state, demotion: ended }, settings);
  const reason = describeEnd(end);
  const demotion: Demotion = {
    ...ended,
    ...{ why: 'completed', reason, completed: true, successor: null, stop: COMPLETED },
  };
  return runHook({ ...state, demotion }, settings);
}

/** The stop that was under way when the demotion began is through, or has failed and is ordered again later. */
function stoppedBefore(
  state: Demoting,
  workloadEndedAt: number | null,
  settings: Settings,
): Outcome {
  if (state.demotion.stoppingUntil === null) return stay(state);
  const demotion: Demotion = { ...state.demotion, stoppingUntil: null, workloadEndedAt };
  return drainedFurther({ ...state, demotion }, settings);
}

/** The stop order of a node whose workload has completed its work. */
export const COMPLETED: StopOrder = {
  exitCode: 0,
  reason: 'the workload completed',
  immediate: false,
};

function runHook(state: Demoting, settings: Settings): Outcome {
  const { why, stop, reason } = state.demotion;
  const isLost = why === 'lease-lost' || hasRunOut(state);
  if (!settings.hasDemoteCommand || isLost || stop?.immediate === true)
    return stopWorkload(state, settings);
  const { stoppingUntil } = state.demotion;
  // Whatever starts while the workload is being stopped would be ended with it.
  if (stoppingUntil !== null && state.at < stoppingUntil)
    return stay({ ...state, demotion: { ...state.demotion, until: stoppingUntil } });
  const until = answerDueAt(state.at, settings.demoteTimeoutMs);
  const demotion: Demotion = { ...state.demotion, step: 'hook', until };
  return stay(
    { ...state, demotion },
    {
      type: 'run-hook',
      hook: 'demote',
      epoch: state.epoch,
      previous: state.previous,
      reason,
      timeoutMs: settings.demoteTimeoutMs,
    },
  );
}

function stopWorkload(state: Demoting, settings: Settings): Outcome {
  const demotion: Demotion = { ...state.demotion, step: 'stop', until: answerDueAt(state.at) };
  const next: Demoting = { ...state, demotion };
  if (keepsWorkload(next, settings)) return stay(next, { type: 'deactivate-workload' });
  return endWorkload(next, graceMs(next, settings));
}

/** Stops the workload. From here on only its end counts: a hot one that confirms too late does not go on. */
function endWorkload(state: Demoting, withinMs: number): Outcome {
  const until = stopDueAt(state.at, withinMs);
  const demotion: Demotion = { ...state.demotion, step: 'stop', until, confirmed: false };
  return stay({ ...state, demotion }, { type: 'stop-workload', graceMs: withinMs });
}

/**
 * A hot workload may go on only if it is known to obey, and only if this node goes on as well. One that does not
 * serve is started anew, as it would be in place.
 */
function keepsWorkload({ demotion }: Demoting, settings: Settings): boolean {
  const goesOn = demotion.why === 'switchover' || demotion.why === 'demote';
  return settings.standby === 'hot' && demotion.confirmed && goesOn;
}

function graceMs({ demotion }: Demoting, settings: Settings): number {
  const longestMs = demotion.stop?.immediate === true ? 0 : settings.stopGraceMs;
  return Math.min(longestMs, demotion.withinMs ?? Infinity);
}

/** What a look at the lease says against this node's term; null: nothing. */
export function epochTaken(
  { epoch }: PrimaryState,
  { epoch: seen, holder }: LeaseObservation,
  settings: Settings,
): string | null {
  // A restart claims the next epoch: a look may show that before the answer to the claim arrives.
  if (seen <= epoch || holder?.run === settings.run) return null;
  return `epoch ${String(seen)} was claimed while this node held ${String(epoch)}`;
}

/** Whether the lease is lost or being given back: nothing is claimed of it any more. */
export function hasLeft({ demotion }: Demoting): boolean {
  return demotion.why === 'lease-lost' || demotion.step === 'release';
}

/** Each step of a demotion follows the answer of the one before it. */
export function whenDemoting(state: Demoting, event: Event, settings: Settings): Outcome {
  const { demotion } = state;
  switch (event.type) {
    case 'time-passed':
      return state.at < demotion.until ? stay(state) : stepOverdue(state, event, settings);
    case 'hook-finished': {
      if (event.hook !== 'demote' || demotion.step !== 'hook') return stay(state);
      const warning = event.ok ? state.warning : `the demote command failed: ${event.detail}`;
      return stopWorkload(
        { ...state, warning, demotion: { ...demotion, confirmed: event.ok } },
        settings,
      );
    }
    case 'workload-ended':
      return demotion.step === 'drain' ? endedInDrain(state, event, settings) : stay(state);
    case 'workload-stopped':
      if (demotion.step === 'stop') return recordCompletion({ ...state, armed: false });
      return stoppedBefore(state, state.at, settings);
    case 'workload-deactivated':
      if (demotion.step !== 'stop' || !keepsWorkload(state, settings)) return stay(state);
      return release({ ...state, armed: true });
    case 'workload-disarmed':
      // A hot workload that was to go on as secondary has ended: it is started anew once the lease is free.
      return stay({ ...state, armed: false });
    case 'workload-failed':
      // A workload that could not be deactivated is stopped instead.
      if (demotion.step !== 'stop' || !keepsWorkload(state, settings)) return stay(state);
      return endWorkload(state, graceMs(state, settings));
    case 'workload-stop-failed':
      if (demotion.step === 'stop') return lastOrder(state, event);
      return stoppedBefore(state, null, settings);
    case 'lease-failed':
      return lastOrder(state, event);
    case 'completion-recorded':
      return demotion.step === 'complete' ? release(state) : stay(state);
    case 'lease-released':
      return demotion.step === 'release' ? released(state, event.heldBy, settings) : stay(state);
    case 'stop-requested':
      return stopWhileDemoting(state, event.order, settings);
    case 'suspend-requested':
      return stay({ ...state, suspend: true });
    case 'epoch-advanced': {
      // The epoch of a restart that was given up: what is announced must not be older than it.
      const epoch = Math.max(state.epoch, event.epoch);
      return stay({ ...state, epoch, epochFloor: Math.max(state.epochFloor, epoch) });
    }
    case 'lease-lost':
      return lost(state, { cause: event.cause, withinMs: event.withinMs }, settings);
    case 'lease-observed': {
      const taken = epochTaken(state, event.observation, settings);
      return taken === null ? stay(state) : lost(state, { cause: taken, withinMs: 0 }, settings);
    }
    case 'demote-requested': {
      const same = demotion.successor === event.successor && event.answerEarly;
      const detail = 'this node is already stepping down';
      if (!same) return stay(state, refuse(event.requestId, detail));
      const outcome = { ok: true, takeover: null, detail } as const;
      return stay(state, { type: 'answer', requestId: event.requestId, outcome });
    }
    default:
      return stay(state);
  }
}

/** The time of a step is over: that ends a drain, and is an overdue answer in every other step. */
function stepOverdue(state: Demoting, event: Event, settings: Settings): Outcome {
  switch (state.demotion.step) {
    case 'drain':
      return runHook(state, settings);
    case 'hook': {
      const warning =
        'the demote command did not exit and could not be killed within its time limit';
      return stopWorkload({ ...state, warning }, settings);
    }
    case 'stop':
      return keepsWorkload(state, settings)
        ? endWorkload(state, graceMs(state, settings))
        : lastOrder(state, event);
    case 'complete':
    case 'release':
      return lastOrder(state, event);
  }
}

function lastOrder(state: Demoting, event: Event): Outcome {
  const { demotion } = state;
  const { step } = demotion;
  if (step === 'drain' || step === 'hook') return stay(state);
  const told = lastOrderEvent({ ...demotion, step }, event, state);
  if (told === null) return stay(state);
  const next = { ...state, demotion: { ...demotion, ...told.order }, warning: told.warning };
  return stay(next, ...told.effects);
}

function stopWhileDemoting(state: Demoting, order: StopOrder, settings: Settings): Outcome {
  const stop = state.demotion.stop ?? order;
  const next: Demoting = { ...state, demotion: { ...state.demotion, stop } };
  if (!order.immediate) return stay(next);
  const immediate = { ...next.demotion, stop: { ...stop, immediate: true } };
  return hurry({ ...next, demotion: immediate }, settings);
}

function lost(
  state: Demoting,
  { cause: reason, withinMs }: { readonly cause: string; readonly withinMs: number },
  settings: Settings,
): Outcome {
  if (hasLeft(state)) return stay(state);
  const { demotion } = state;
  return hurry(
    { ...state, demotion: { ...demotion, why: 'lease-lost', reason, withinMs } },
    settings,
  );
}

/** A second stop order: skips the rest of drain and hook, shortens the grace, and waits for no record of completion. */
function hurry(state: Demoting, settings: Settings): Outcome {
  switch (state.demotion.step) {
    case 'release':
      return stay(state);
    case 'complete':
      return release(state);
    default:
      return endWorkload(state, graceMs(state, settings));
  }
}

/** The warning after this step: what was said because the step took long does not hold any more. */
function warningAfter({ demotion, warning }: Demoting): string | null {
  return demotion.told ? null : warning;
}

/**
 * Before the lease is given back: whoever has it next is not to do what is done. Of a lease that is lost, or on
 * somebody's word, its record is not waited for.
 */
function recordCompletion(state: Demoting): Outcome {
  const { demotion, epoch } = state;
  if (!demotion.completed) return release(state);
  const marked: Effect = { type: 'mark-completed', epoch };
  if (demotion.why === 'lease-lost' || demotion.stop?.immediate === true) {
    const released = release(state);
    return { ...released, effects: [marked, ...released.effects] };
  }
  const until = answerDueAt(state.at);
  const next: Demotion = { ...demotion, step: 'complete', until, told: false };
  return stay({ ...state, demotion: next, warning: warningAfter(state) }, marked);
}

function release(state: Demoting): Outcome {
  const workloadEndedAt = state.demotion.workloadEndedAt ?? state.at;
  const until = answerDueAt(state.at);
  const demotion: Demotion = {
    ...state.demotion,
    ...{ step: 'release', until, told: false, workloadEndedAt },
  };
  return stay({ ...state, demotion, warning: warningAfter(state) }, { type: 'release-lease' });
}

function released(before: Demoting, heldBy: string | null, settings: Settings): Outcome {
  // A lost lease may well have another holder by now.
  const isFree = heldBy === null || before.demotion.why === 'lease-lost';
  const warning = isFree ? warningAfter(before) : notFreeWarning(heldBy);
  const state: Demoting = { ...before, warning };
  const { demotion } = state;
  // A completion is announced even where a stranger has the lock: nobody is to claim the lease.
  const publish = isFree || demotion.completed ? announceEnd(state, settings) : [];
  const exit = stopOrderAfter(demotion, settings);
  if (exit !== null) {
    return beginStopping('stop-after-demotion', { state, order: exit, settings }, ...publish);
  }
  const { state: next, effects: arm } = rearm(standbyAfter(state, settings), settings);
  // The new primary needs the CPU now, and nobody has claimed the lease yet: the look comes a little later.
  const after: SecondaryState = { ...next, observeAt: state.at + OBSERVE_DELAY_MS };
  return move('demoted', { state: after, detail: demotion.reason }, ...publish, ...arm);
}
