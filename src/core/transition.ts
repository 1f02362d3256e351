// The core: one event in; a state, effects and a reason out. Pure, total, and checked at every step.
// Guards come before roles: time, then the lease's own, then epoch, then health, then the role decides.
import type { Effect } from './effect.ts';
import type { Event } from './event.ts';
import type { LeaseObservation, NodeState, SecondaryState } from './state.ts';
import type { Settings } from './settings.ts';
import type { Outcome } from './outcome.ts';
import type { TransitionId } from './transitions.ts';
import { latenessToleranceMs, OVERDUE_MS } from './settings.ts';
import { copyAt } from './copy.ts';
import { extendDeadlines } from './deadlines.ts';
import { guardLease, overtakenBy, withoutIdleTerm } from './lease-term.ts';
import { assignInto, stay } from './outcome.ts';
import { TRANSITIONS } from './transitions.ts';
import { whenSecondary } from './when-secondary.ts';
import { whenCandidate } from './when-candidate.ts';
import { whenPrimary } from './when-primary.ts';
import { whenStopped } from './ending.ts';
import { overdueProbe } from './secondary-time.ts';
import { settleRequests } from './requests.ts';
import { doubtCheck, followSubject, guardHealth } from './health-checks.ts';
import { hearOfSuspension, suspendOnceFree } from './suspending.ts';
import { roleChange } from './announcements.ts';
import { checkInvariants } from './invariants.ts';

export interface Transition {
  readonly state: NodeState;
  /** Performed in this order. */
  readonly effects: readonly Effect[];
  /** The row of the table, when the phase changed. */
  readonly move: TransitionId | null;
  /** The row's sentence with the detail of the moment; empty when the phase did not change. */
  readonly reason: string;
}

/** A decision with what it was made from. */
export interface Step extends Transition {
  /** Only to be looked at while the step is told of: a node puts the next state into the same object. */
  readonly before: NodeState;
  readonly event: Event;
}

/**
 * Decides what one event means. Never throws for an event that can happen; a broken invariant throws
 * `InvariantViolation`, because going on could start a second workload.
 */
export function transition(before: NodeState, told: Event, settings: Settings): Transition {
  const event = withoutOutdated(before, told);
  const aware = hearOfSuspension(learn(passTime(before, event, settings), event, settings), event);
  const outcome = decide(overtakenBy(aware, event) ?? { state: aware, event }, settings);
  const reason = reasonOf(outcome);
  const settled =
    outcome.move === null
      ? outcome
      : settleRequests(
          { ...outcome, state: assignInto(outcome.state, { lastReason: reason }) },
          reason,
        );
  // A candidate is announced by its heartbeats: during a takeover every further message costs time.
  const { role } = settled.state;
  const effects =
    role === before.role || role === 'candidate'
      ? settled.effects
      : withRoleChange(settled.effects, roleChange(settled.state, reason));
  const held = withoutIdleTerm(settled.state, effects);
  const step = suspendOnceFree({ state: followSubject(before, held, settings), effects });
  // By name: a spread that adds properties would take a tenth of the whole step.
  const next = { state: step.state, effects: step.effects, move: outcome.move, reason };
  checkInvariants(before, next);
  return next;
}

/** Guards before the role: the lease's own, the epoch, and the health. */
function decide(
  { state, event }: { readonly state: NodeState; readonly event: Event },
  settings: Settings,
): Outcome {
  return (
    guardLease(state, event, settings) ??
    guardEpoch(state, event) ??
    guardHealth(state, event, settings) ??
    byRole(state, event, settings)
  );
}

/** The sentence of the table, with the detail of the moment. */
function reasonOf(outcome: Outcome): string {
  if (outcome.move === null) return '';
  const { sentence } = TRANSITIONS[outcome.move];
  return outcome.detail === '' ? sentence : `${sentence}: ${outcome.detail}`;
}

/** Messages that come last before the end of the process, after everything that is urgent. */
function withRoleChange(effects: readonly Effect[], change: Effect): readonly Effect[] {
  const end = effects.findIndex((effect) => effect.type === 'exit');
  if (end < 0) return [...effects, change];
  return [...effects.slice(0, end), change, ...effects.slice(end)];
}

function byRole(state: NodeState, event: Event, settings: Settings): Outcome {
  switch (state.role) {
    case 'secondary': {
      const overdue = event.type === 'time-passed' ? overdueProbe(state, settings) : null;
      return whenSecondary(state, overdue ?? event, settings);
    }
    case 'candidate':
      return whenCandidate(state, event, settings);
    case 'primary':
      return whenPrimary(state, event, settings);
    case 'stopped':
      return whenStopped(state, event);
  }
}

/**
 * Takes over the time, and doubts this node first: a silence it slept through does not count. What it
 * returns is a state that nobody else has, whatever the event.
 */
function passTime(before: NodeState, event: Event, settings: Settings): NodeState {
  const at = Math.max(before.at, event.at);
  const lateMs = at - before.pulseAt;
  const aged = copyAt(before, at);
  if (event.type === 'started' || lateMs <= latenessToleranceMs(settings)) return aged;
  const late = assignInto(aged, {
    worstLatenessMs: Math.max(aged.worstLatenessMs, lateMs),
    health: doubtCheck(aged.health),
  });
  return late.role === 'secondary' ? afterOwnAbsence(late, settings) : extendDeadlines(late);
}

function afterOwnAbsence(state: SecondaryState, settings: Settings): SecondaryState {
  const { at } = state;
  // The next beat is counted from now: without this every event of a long queue would be late again.
  const awake = assignInto(state, { heardAt: at, pulseAt: at, nextProbeAt: at, fitSince: null });
  switch (awake.phase) {
    case 'listening':
      return { ...awake, until: Math.max(awake.until, at + settings.heartbeatTimeoutMs) };
    case 'suspecting': {
      // Probed anew: answers and failures from the time of the absence say nothing.
      const anew = { since: at, attempts: 0, judging: false, answered: false, nextLookAt: at };
      const suspicion = { ...awake.suspicion, ...anew };
      return { ...awake, probe: null, suspicion };
    }
    case 'watching':
      return { ...awake, probe: null };
    case 'asking':
    case 'fencing':
      return { ...awake, until: Math.max(awake.until, at + OVERDUE_MS) };
    case 'waiting':
      return awake;
  }
}

/** Old epochs have no authority; a newer one is believed only after the lease has confirmed it. */
function guardEpoch(state: NodeState, event: Event): Outcome | null {
  switch (event.type) {
    case 'heartbeat-received':
    case 'promoted-received':
    case 'shutdown-received':
      if (event.epoch < state.epochFloor) {
        return stay({ ...state, staleMessages: state.staleMessages + 1 });
      }
      if (event.epoch > state.epochFloor && state.role !== 'stopped') {
        return stay(state, { type: 'observe-lease' });
      }
      return null;
    default:
      return null;
  }
}

/**
 * The answer to a look says no more than what time it is where a later look was answered before it: it shows what
 * was, and a node that does not look again would go on as if that were so. One with a higher epoch is the newer one,
 * whichever was asked for first.
 */
function withoutOutdated(state: NodeState, event: Event): Event {
  if (event.type !== 'lease-observed' || askedAtOf(event) >= state.lookedAt) return event;
  if (event.observation.epoch > state.epochFloor) return event;
  return { type: 'time-passed', at: event.at };
}

/**
 * What any answer of the lease teaches every role: the highest epoch, which only grows; and whether the group is
 * paused, unless a later look has told. @param state one that nobody else has
 */
function learn(state: NodeState, event: Event, settings: Settings): NodeState {
  const observation = observationIn(event);
  if (observation === null) return state;
  // A claim of this node's own counts from its own answer on: a look may see it first. A secondary waits for
  // none: what it claimed and was never told of would be taken for another's that is about to say its name.
  const isAwaited = state.role !== 'secondary' && observation.holder?.run === settings.run;
  const epochFloor = isAwaited ? state.epochFloor : Math.max(state.epochFloor, observation.epoch);
  const { paused } = observation;
  // A store may send what it remembers along with an answer: a look that is under way knows better.
  if (event.type === 'lease-denied') return assignInto(state, { epochFloor, paused });
  const askedAt = askedAtOf(event);
  if (askedAt < state.lookedAt && observation.epoch <= state.epochFloor) {
    return assignInto(state, { epochFloor });
  }
  const lookedAt = Math.max(askedAt, state.lookedAt);
  return assignInto(state, { epochFloor, paused, lookedAt });
}

/** A look that does not say when it was asked for was made just now. */
function askedAtOf(event: Event): number {
  return ('askedAt' in event ? event.askedAt : null) ?? event.at;
}

function observationIn(event: Event): LeaseObservation | null {
  switch (event.type) {
    case 'lease-observed':
    case 'lease-denied':
      return event.observation;
    case 'holder-inspected':
      return event.inspection.observation;
    default:
      return null;
  }
}
