// When it is asked whether the workload serves, or could, and what the answers change.
import type { Event } from './event.ts';
import { checkDueAt, countAnswer, NEVER_ASKED } from './health.ts';
import type { CheckAnswer, HealthSubject, NodeHealth, OpenCheck } from './health.ts';
import { move, stay } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import type { Settings } from './settings.ts';
import type { NodeState, SecondaryState } from './state.ts';
import { whenFit, whenUnhealthy } from './unhealthy.ts';
import { claimOnceFit } from './claim.ts';

/** Orders checks when they are due, and takes their answers; null: the event has nothing to do with health. */
export function guardHealth(state: NodeState, event: Event, settings: Settings): Outcome | null {
  const { check } = state.health;
  if (event.type === 'health-checked') {
    // Another number is that of an earlier check, or of a workload that has ended since.
    return check?.number === event.number ? answered(state, check, event, settings) : stay(state);
  }
  if (event.type !== 'time-passed' || state.at < checkDueAt(state.health, settings)) return null;
  return check === null ? ask(state, settings) : answered(state, check, UNANSWERED, settings);
}

const UNANSWERED: CheckAnswer = {
  outcome: 'timed-out',
  detail: 'the check got no answer',
  cpuPressure: null,
};

function ask(state: NodeState, settings: Settings): Outcome {
  const { health, at } = state;
  if (health.subject === null) return stay(state);
  const number = health.checkCount + 1;
  const check: OpenCheck = { number, askedAt: at, isDoubted: false };
  return stay(
    { ...state, health: { ...health, check, checkCount: number, nextAt: Infinity } },
    { type: 'check-health', number, subject: health.subject, timeoutMs: settings.healthTimeoutMs },
  );
}

function answered(
  before: NodeState,
  check: OpenCheck,
  answer: CheckAnswer,
  settings: Settings,
): Outcome {
  const was = before.health.status;
  const health = countAnswer({ ...before.health, check }, answer, { at: before.at, settings });
  const state: NodeState = { ...before, health };
  const isUnhealthy = health.status === 'unhealthy';
  const isChanged = (was === 'unhealthy') !== isUnhealthy;
  switch (state.phase) {
    case 'serving':
      if (isUnhealthy) return whenUnhealthy(state, { isNew: isChanged }, settings);
      return isChanged ? whenFit(state) : stay(state);
    case 'watching': {
      // The primary learns from the next probe how this node is: that one is due now.
      const next = was === health.status ? state : { ...state, nextProbeAt: state.at };
      return isChanged ? standbyChanged(next, isUnhealthy) : stay(next);
    }
    case 'waiting':
      return claimOnceFit(state, settings);
    default:
      return stay(state);
  }
}

function standbyChanged(state: SecondaryState, isUnhealthy: boolean): Outcome {
  const { fault } = state.health;
  return isUnhealthy
    ? move('standby-fell', { state, detail: fault ?? '' })
    : move('standby-rose', { state });
}

/**
 * Asks about what there is after a step: another start of the workload, another role, or nothing. Costs one look
 * where nothing is asked at all.
 */
export function followSubject(before: NodeState, state: NodeState, settings: Settings): NodeState {
  if (!settings.hasHealthCheck && !settings.hasStandbyHealthCheck) return state;
  const subject = subjectOf(state, settings);
  if (subject !== null && isStarted(before, state, settings)) {
    return { ...state, health: begun(state, subject, settings) };
  }
  if (subject === state.health.subject) return state;
  return {
    ...state,
    health: subject === null ? pausedIn(state) : resumed(state, subject, settings),
  };
}

/** What can be checked in this state; null: nothing, as during a change of role, when readiness counts. */
function subjectOf(state: NodeState, settings: Settings): HealthSubject | null {
  if (state.role === 'primary') {
    return state.phase === 'serving' && settings.hasHealthCheck ? 'workload' : null;
  }
  if (state.role !== 'secondary') return null;
  if (settings.standby === 'hot') return settings.hasHealthCheck && state.armed ? 'workload' : null;
  return settings.hasStandbyHealthCheck ? 'standby' : null;
}

/** Whether the workload was just started, or told that it leads. One behind its gate cannot be checked yet. */
function isStarted(before: NodeState, state: NodeState, settings: Settings): boolean {
  if (state.role === 'primary') return before.phase !== 'serving';
  return settings.standby === 'hot' && state.armed && !before.armed;
}

function begun({ at, health }: NodeState, subject: HealthSubject, settings: Settings): NodeHealth {
  const isWorkload = subject === 'workload';
  return {
    ...health,
    ...NOTHING_KNOWN,
    subject,
    about: subject,
    graceUntil: isWorkload ? at + settings.healthGraceMs : -Infinity,
    // Directly after a start the machine is busy with it; the first check of a standby is waited for, so it comes at
    // once.
    nextAt: isWorkload || health.checkCount > 0 ? at + settings.healthFastIntervalMs : at,
  };
}

const NOTHING_KNOWN = {
  about: NEVER_ASKED.about,
  status: NEVER_ASKED.status,
  contrary: NEVER_ASKED.contrary,
  starved: NEVER_ASKED.starved,
  fault: NEVER_ASKED.fault,
  check: null,
  nextAt: Infinity,
} as const;

/** The health after a change: during a change of role what is known is kept, and of a process that ended nothing is. */
function pausedIn({ role, health }: NodeState): NodeHealth {
  const isOver = role === 'secondary' || role === 'stopped';
  const known = isOver ? NOTHING_KNOWN : { check: null, nextAt: Infinity };
  return { ...health, ...known, subject: null };
}

function resumed(state: NodeState, subject: HealthSubject, settings: Settings): NodeHealth {
  const { at, health } = state;
  if (health.about !== subject) return begun(state, subject, settings);
  return { ...health, subject, nextAt: at + settings.healthFastIntervalMs };
}

/** This node's own loop was late: a check without an answer in time may be no fault of what was checked. */
export function doubtCheck(health: NodeHealth): NodeHealth {
  const { check } = health;
  return check === null ? health : { ...health, check: { ...check, isDoubted: true } };
}
