// What a node knows of its own health: what is asked, how the answers are counted, and what was done for it.
import { isWavering, observe } from './hysteresis.ts';
import { OVERDUE_MS } from './settings.ts';
import type { Settings } from './settings.ts';

/** What a health check is about: the command that runs here, or whether it could run here. */
export type HealthSubject = 'workload' | 'standby';

/** `unknown`: no check has passed yet, and not enough have failed. */
export type HealthStatus = 'unknown' | 'healthy' | 'unhealthy';

/**
 * What came of one check. No answer in time is not the same as a bad one: this machine may be what is slow. One that
 * could not be made, for want of memory or descriptors, says nothing of what was to be checked.
 */
type CheckOutcome = 'passed' | 'failed' | 'timed-out' | 'not-made';

/** A health check that is under way. */
export interface OpenCheck {
  readonly number: number;
  readonly askedAt: number;
  /** Whether this node's own loop was late meanwhile. */
  readonly isDoubted: boolean;
}

/** How often the lead was handed over for an unhealthy workload, as far as this node has heard. */
export interface HealthDemotions {
  /** In a row, without an hour of peace between them; 0: none. */
  readonly count: number;
  /** When the last one began, on this node's clock, ms. */
  readonly lastAt: number;
}

/** `HealthDemotions` as told to other nodes, whose clocks differ. */
export interface ToldDemotions {
  readonly count: number;
  readonly agoMs: number;
}

export interface NodeHealth {
  /** What is checked now; null: nothing. */
  readonly subject: HealthSubject | null;
  /** What `status` describes; null: nothing that still exists. */
  readonly about: HealthSubject | null;
  readonly status: HealthStatus;
  /** How many of the latest answers in a row contradict `status`. */
  readonly contrary: number;
  /**
   * How many of the latest checks in a row had no answer in time, or could not be made, while this machine was slow.
   */
  readonly starved: number;
  /** What the latest failed check said. */
  readonly fault: string | null;
  readonly check: OpenCheck | null;
  /** When the next check is due; Infinity: none is, or one is under way. */
  readonly nextAt: number;
  /** Failures before this time do not count, until a check has passed. */
  readonly graceUntil: number;
  /** Checks ordered so far: the number of one is never used again. */
  readonly checkCount: number;
  readonly demotions: HealthDemotions;
  /** Until then this node is last in the succession: it stepped down because its workload was unhealthy. */
  readonly lastUntil: number;
  /** Until when it leaves a free lease to healthy nodes; null: it has not had to since somebody led. */
  readonly yieldsUntil: number | null;
}

/** The health of a node that was never checked. */
export const NEVER_ASKED: NodeHealth = {
  subject: null,
  about: null,
  status: 'unknown',
  contrary: 0,
  starved: 0,
  fault: null,
  check: null,
  nextAt: Infinity,
  graceUntil: -Infinity,
  checkCount: 0,
  demotions: { count: 0, lastAt: -Infinity },
  lastUntil: -Infinity,
  yieldsUntil: null,
};

/** When the next check is to be ordered, or the answer to the one that is under way is overdue. */
export function checkDueAt({ check, nextAt }: NodeHealth, { healthTimeoutMs }: Settings): number {
  return check === null ? nextAt : check.askedAt + healthTimeoutMs + OVERDUE_MS;
}

/** The answer to one check, as the adapter gives it. */
export interface CheckAnswer {
  readonly outcome: CheckOutcome;
  readonly detail: string;
  /** Share of the time in which some task on the machine waited for the CPU (0..1); null: unknown. */
  readonly cpuPressure: number | null;
}

/** The health after the answer to the open check, with the time of the next one. */
export function countAnswer(
  health: NodeHealth & { readonly check: OpenCheck },
  answer: CheckAnswer,
  { at, settings }: { readonly at: number; readonly settings: Settings },
): NodeHealth {
  const { check } = health;
  const isStarved =
    answer.outcome === 'not-made' ||
    (answer.outcome === 'timed-out' && (check.isDoubted || isCrowded(answer)));
  const starved = isStarved ? health.starved + 1 : 0;
  const passed = answer.outcome === 'passed';
  const isExcused =
    (isStarved && starved % STARVED_CHECKS !== 0) ||
    (health.status === 'unknown' && check.askedAt < health.graceUntil);
  const heard = {
    ...health,
    check: null,
    starved,
    fault: passed ? health.fault : answer.detail,
  };
  const counted = passed || !isExcused ? count(heard, passed, settings) : heard;
  return { ...counted, nextAt: Math.max(at, check.askedAt + pauseMs(counted, settings)) };
}

/** Of failures in a row that a busy machine may explain only one in this many counts. */
const STARVED_CHECKS = 5;

/** Whether some task waits for the CPU most of the time. */
function isCrowded({ cpuPressure }: CheckAnswer): boolean {
  return (cpuPressure ?? 0) > 0.5;
}

function count(health: NodeHealth, passed: boolean, settings: Settings): NodeHealth {
  if (passed && health.status === 'unknown') return { ...health, status: 'healthy', contrary: 0 };
  const { state, flipped } = observe(
    { healthy: health.status !== 'unhealthy', contrary: health.contrary },
    passed,
    { fall: settings.healthFall, rise: settings.healthRise },
  );
  const status = state.healthy ? 'healthy' : 'unhealthy';
  return { ...health, status: flipped ? status : health.status, contrary: state.contrary };
}

/** From one check to the next, ms: shorter while it is not decided whether the status changes. */
function pauseMs(
  { status, contrary }: Pick<NodeHealth, 'status' | 'contrary'>,
  { healthIntervalMs, healthFastIntervalMs }: Settings,
): number {
  const isOpen = status === 'unknown' || isWavering({ healthy: true, contrary });
  return isOpen ? healthFastIntervalMs : healthIntervalMs;
}

/** When the lead may be handed over for an unhealthy workload again. */
export function nextDemotionAt(
  { count: times, lastAt }: HealthDemotions,
  settings: Settings,
): number {
  return times === 0 ? -Infinity : lastAt + holdMs(times, settings);
}

/** The count after one more hand-over. */
export function withDemotion(
  demotions: HealthDemotions,
  at: number,
  settings: Settings,
): HealthDemotions {
  const isForgotten = forgottenAt(demotions, settings) <= at;
  return { count: isForgotten ? 1 : demotions.count + 1, lastAt: at };
}

/** The hand-overs as the others have to know them; null: nothing to tell any more. */
export function toldDemotions(
  demotions: HealthDemotions,
  at: number,
  settings: Settings,
): ToldDemotions | null {
  if (demotions.count === 0 || forgottenAt(demotions, settings) <= at) return null;
  return { count: demotions.count, agoMs: Math.max(0, Math.round(at - demotions.lastAt)) };
}

/** The health part of a message; what the sender does not say is left out. */
export interface HealthWords {
  readonly health?: HealthStatus;
  readonly demotions?: ToldDemotions;
}

export function healthWordsIn({ health, demotions }: HealthWords): HealthWords {
  return {
    ...(health === undefined ? {} : { health }),
    ...(demotions === undefined ? {} : { demotions }),
  };
}

/** The count after what another node has told: the later one counts. */
export function heardDemotions(
  own: HealthDemotions,
  { count: times, agoMs }: ToldDemotions,
  at: number,
): HealthDemotions {
  const lastAt = at - agoMs;
  // Every heartbeat repeats the same ones, with its own delay, so small differences mean nothing new.
  if (times <= own.count && lastAt <= own.lastAt + SAME_MS) return own;
  return { count: Math.max(times, own.count), lastAt: Math.max(lastAt, own.lastAt) };
}

const SAME_MS = 1_000;

/**
 * How long the lead stays after a hand-over for health, ms: doubles, so that a group that is ill as a whole cannot
 * flap.
 */
export function holdMs(count: number, { healthHoldMs }: Settings): number {
  return healthHoldMs * Math.min(LONGEST_HOLD, 2 ** Math.min(count - 1, LONGEST_HOLD));
}

/** When the count begins anew: after as much peace as the longest hold lasts. */
function forgottenAt({ count: times, lastAt }: HealthDemotions, settings: Settings): number {
  return lastAt + holdMs(times, settings) + LONGEST_HOLD * settings.healthHoldMs;
}

/** The longest hold as a multiple of the first: an hour, after a minute. */
const LONGEST_HOLD = 60;
