// What a node knows of its own health: what is asked, how the answers are counted, and what was done for it.
import { isWavering, observe } from './hysteresis.ts';
import { OVERDUE_MS } from './settings.ts';
import type { Settings } from './settings.ts';

/** What is asked about: the command that runs here, or whether it could run here. */
export type HealthSubject = 'workload' | 'standby';

/** `unknown`: nothing has passed yet, and not enough has failed. */
export type HealthStatus = 'unknown' | 'healthy' | 'unhealthy';

/**
 * What came of one check. No answer in time is not the same as a bad one: this machine may be what is slow. One that
 * could not be made, for want of memory or descriptors, says nothing of what was to be checked.
 */
type CheckOutcome = 'passed' | 'failed' | 'timed-out' | 'not-made';

/** The check that is under way. */
export interface OpenCheck {
  readonly number: number;
  readonly askedAt: number;
  /** Whether this node's own loop was late meanwhile. */
  readonly isDoubted: boolean;
}

/** How often the lead was handed over for a workload that fell, as far as this node has heard. */
export interface HealthDemotions {
  /** In a row, without an hour of peace between them; 0: none. */
  readonly count: number;
  /** When the last one began, on this node's clock, ms. */
  readonly lastAt: number;
}

/** The same as it is told to others, whose clocks are different ones. */
export interface ToldDemotions {
  readonly count: number;
  readonly agoMs: number;
}

export interface NodeHealth {
  /** What is asked about now; null: nothing. */
  readonly subject: HealthSubject | null;
  /** What the status is of; null: of nothing that still is. */
  readonly about: HealthSubject | null;
  readonly status: HealthStatus;
  /** The latest answers in a row that speak against the status. */
  readonly contrary: number;
  /** The latest checks in a row without an answer in time, or not made, while this machine was what was slow. */
  readonly starved: number;
  /** What the latest check that failed has said. */
  readonly fault: string | null;
  readonly check: OpenCheck | null;
  /** When the next one is due; Infinity: none is, or one is under way. */
  readonly nextAt: number;
  /** Until something has passed, failures of before that time do not count. */
  readonly graceUntil: number;
  /** Checks ordered so far: the number of one is never used again. */
  readonly checkCount: number;
  readonly demotions: HealthDemotions;
  /** Until then it goes last: it has stepped down because its workload fell. */
  readonly lastUntil: number;
  /** Until when it leaves a free lease to healthy nodes; null: it has not had to since somebody led. */
  readonly yieldsUntil: number | null;
}

/** Of a node that was never asked. */
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

/** One answer, as the adapter gives it. */
export interface CheckAnswer {
  readonly outcome: CheckOutcome;
  readonly detail: string;
  /** Share of the time in which some task on the machine waited for the CPU (0..1); null: unknown. */
  readonly cpuPressure: number | null;
}

/** The knowledge after the answer to the check that is under way; the next one is due then. */
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

/** Of checks that this machine may be too busy for, only each so-manyth in a row counts as a failure. */
const STARVED_CHECKS = 5;

/** Most of the time somebody waits for the CPU. */
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

/** From one check to the next, ms: what is not decided yet is asked for more often. */
function pauseMs(
  { status, contrary }: Pick<NodeHealth, 'status' | 'contrary'>,
  { healthIntervalMs, healthFastIntervalMs }: Settings,
): number {
  const isOpen = status === 'unknown' || isWavering({ healthy: true, contrary });
  return isOpen ? healthFastIntervalMs : healthIntervalMs;
}

/** When the lead may be handed over for a workload that fell, once more. */
export function nextDemotionAt(
  { count: times, lastAt }: HealthDemotions,
  settings: Settings,
): number {
  return times === 0 ? -Infinity : lastAt + holdMs(times, settings);
}

/** One more. */
export function withDemotion(
  demotions: HealthDemotions,
  at: number,
  settings: Settings,
): HealthDemotions {
  const isForgotten = forgottenAt(demotions, settings) <= at;
  return { count: isForgotten ? 1 : demotions.count + 1, lastAt: at };
}

/** What others have to know of them; null: nothing any more. */
export function toldDemotions(
  demotions: HealthDemotions,
  at: number,
  settings: Settings,
): ToldDemotions | null {
  if (demotions.count === 0 || forgottenAt(demotions, settings) <= at) return null;
  return { count: demotions.count, agoMs: Math.max(0, Math.round(at - demotions.lastAt)) };
}

/** What a message says of health; what it does not say is left out. */
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

/** With what another has told: the later ones count, by whichever node. */
export function heardDemotions(
  own: HealthDemotions,
  { count: times, agoMs }: ToldDemotions,
  at: number,
): HealthDemotions {
  const lastAt = at - agoMs;
  // The same ones are told with each heartbeat, each of which takes its time.
  if (times <= own.count && lastAt <= own.lastAt + SAME_MS) return own;
  return { count: Math.max(times, own.count), lastAt: Math.max(lastAt, own.lastAt) };
}

const SAME_MS = 1_000;

/** How long the lead stays where it is then, ms: doubles, so that a group that is ill as a whole can't flap. */
export function holdMs(count: number, { healthHoldMs }: Settings): number {
  return healthHoldMs * Math.min(LONGEST_HOLD, 2 ** Math.min(count - 1, LONGEST_HOLD));
}

/** After as much peace as the longest hold lasts they begin anew. */
function forgottenAt({ count: times, lastAt }: HealthDemotions, settings: Settings): number {
  return lastAt + holdMs(times, settings) + LONGEST_HOLD * settings.healthHoldMs;
}

/** As a multiple of the first: an hour, after a minute. */
const LONGEST_HOLD = 60;
