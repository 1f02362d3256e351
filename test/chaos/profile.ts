// The group of a case: how many nodes, which modes, which workload, and how fast; drawn from a seed.
import type { Random } from '../../src/simulation/random.ts';

export const STANDBY_MODES = ['cold', 'armed', 'hot'] as const;
export const FENCE_MODES = ['kill', 'kill-unless-stopped', 'none'] as const;
const ORPHAN_MODES = ['stop', 'kill', 'keep'] as const;

/** What the command does, as a script for `sh` in which `$W` is the witness. */
const WORKLOADS = {
  obedient: 'exec "$W"',
  slow: 'exec "$W" --stop-ms 150',
  stubborn: 'exec "$W" --ignore-term',
  closing: 'exec 3>&-; exec "$W"',
  helping: 'sleep 900 & setsid sleep 900 & exec "$W"',
  departing: 'setsid "$W" & wait',
  ending: 'exec "$W" --exit-after-ms 900',
  leaving: '"$W" & sleep 0.7; exit 1',
  // Not promised: it leaves its session and closes the descriptor. Never drawn.
  escaping: 'exec 3>&-; setsid -f "$W"; exec sleep 900',
} as const;

type WorkloadKind = keyof typeof WORKLOADS;

export interface Profile {
  readonly nodes: number;
  readonly standby: (typeof STANDBY_MODES)[number];
  readonly fence: (typeof FENCE_MODES)[number];
  readonly orphan: (typeof ORPHAN_MODES)[number];
  readonly workload: WorkloadKind;
  /** How long the promote and the demote command take, ms; null: there is none. */
  readonly hookMs: number | null;
  /** The wall clock, as each node sees it, jumps by hours, forth and back. */
  readonly clockJumps: boolean;
  readonly timings: Timings;
}

/** The settings that the bounds follow from, ms. */
export interface Timings {
  readonly heartbeatIntervalMs: number;
  readonly heartbeatTimeoutMs: number;
  readonly probeIntervalMs: number;
  readonly probeTimeoutMs: number;
  readonly probeAttempts: number;
  readonly stopGraceMs: number;
  readonly fenceGraceMs: number;
  readonly successorWindowMs: number;
  readonly demoteTimeoutMs: number;
  readonly backoffLeastMs: number;
  readonly backoffMostMs: number;
}

const TIMINGS: readonly [Timings, Timings] = [
  {
    heartbeatIntervalMs: 50,
    heartbeatTimeoutMs: 400,
    probeIntervalMs: 500,
    probeTimeoutMs: 150,
    probeAttempts: 2,
    stopGraceMs: 500,
    fenceGraceMs: 300,
    successorWindowMs: 300,
    demoteTimeoutMs: 1000,
    backoffLeastMs: 50,
    backoffMostMs: 300,
  },
  {
    heartbeatIntervalMs: 100,
    heartbeatTimeoutMs: 800,
    probeIntervalMs: 500,
    probeTimeoutMs: 200,
    probeAttempts: 2,
    stopGraceMs: 1000,
    fenceGraceMs: 500,
    successorWindowMs: 500,
    demoteTimeoutMs: 2000,
    backoffLeastMs: 50,
    backoffMostMs: 600,
  },
];

export interface ProfileOptions {
  /** Of the case: the standby modes come in turn. */
  readonly index: number;
  /** Workloads that are not drawn. */
  readonly without: readonly string[];
}

export function drawProfile(random: Random, { index, without }: ProfileOptions): Profile {
  const standby = STANDBY_MODES[index % STANDBY_MODES.length] ?? 'cold';
  const nodes = random.pick([2, 3, 3, 4, 5, 8]);
  const all: readonly WorkloadKind[] = standby === 'hot' ? HOT_WORKLOADS : COLD_WORKLOADS;
  const [first = 'obedient', ...others] = all.filter((kind) => !without.includes(kind));
  const workload = random.pick([first, ...others]);
  return {
    nodes,
    standby,
    fence: random.pick(['kill', 'kill', ...FENCE_MODES]),
    orphan: random.pick(['stop', 'stop', ...ORPHAN_MODES]),
    workload,
    hookMs: random.pick([null, 50, 200]),
    clockJumps: random.happens(0.2),
    timings: random.pick(TIMINGS),
  };
}

const HOT_WORKLOADS = ['obedient', 'slow', 'stubborn', 'closing', 'helping'] as const;
export const COLD_WORKLOADS = [...HOT_WORKLOADS, 'departing', 'ending', 'leaving'] as const;

/** The script of the workload, also of a hot one. */
export function scriptOf({ workload, standby }: Profile): string {
  const script = WORKLOADS[workload];
  return standby === 'hot' ? script.replace('"$W"', '"$W" --hot') : script;
}

/** The options of every node. */
export function optionsOf(profile: Profile): Readonly<Record<string, string>> {
  const { timings } = profile;
  const ms = (value: number): string => `${value}ms`;
  return {
    standby: profile.standby,
    fence: profile.fence,
    orphan: profile.orphan,
    ...hooksOf(profile),
    'heartbeat-interval': ms(timings.heartbeatIntervalMs),
    'heartbeat-timeout': ms(timings.heartbeatTimeoutMs),
    'probe-interval': ms(timings.probeIntervalMs),
    'probe-timeout': ms(timings.probeTimeoutMs),
    'probe-attempts': String(timings.probeAttempts),
    'retry-backoff': `${ms(timings.backoffLeastMs)}..${ms(timings.backoffMostMs)}`,
    'stop-grace': ms(timings.stopGraceMs),
    'fence-grace': ms(timings.fenceGraceMs),
    'successor-window': ms(timings.successorWindowMs),
    'demote-timeout': ms(timings.demoteTimeoutMs),
    // A node that cools off makes no promise.
    'restart-limit': '1000',
  };
}

/** A hot demotion counts only once the witness has written its end. */
const CONFIRM =
  'i=0; until grep -q "^end [0-9]* $FAILOVER_EPOCH " witness.log; do i=$((i+1)); [ $i -lt 100 ] || exit 1; sleep 0.01; done';

function hooksOf({ standby, hookMs }: Profile): Readonly<Record<string, string>> {
  const wait = hookMs === null ? null : `sleep ${hookMs / 1000}`;
  const hooks = wait === null ? {} : { 'promote-command': wait, 'demote-command': wait };
  if (standby !== 'hot') return hooks;
  const demote = wait === null ? CONFIRM : `${wait}; ${CONFIRM}`;
  const signals = { 'promote-signal': 'SIGUSR1', 'demote-signal': 'SIGUSR2' };
  return { ...hooks, ...signals, 'demote-command': demote };
}

/**
 * From the end of all faults to a primary, ms: the manual's rows added up, since faults come together. A
 * hang (with a silence that began anew, and one of a starved primary), the end of what is left, an attempt
 * that failed before, a hand-over whose successor failed, what takes part in the promotion, and the look of
 * a newcomer at a directory that was made anew.
 */
export function boundMs(profile: Profile): number {
  const { timings } = profile;
  const handOverMs = timings.demoteTimeoutMs + timings.stopGraceMs + timings.successorWindowMs;
  const newDirectoryMs = 2000;
  const failedMs = 1.5 * timings.backoffMostMs;
  const promotionMs = profile.hookMs ?? 0;
  return hangBoundMs(timings) + handOverMs + newDirectoryMs + failedMs + promotionMs;
}

/** From the stop of a starved supervisor to the next primary, ms. */
export function hangBoundMs(timings: Timings): number {
  const noticedMs =
    timings.heartbeatIntervalMs +
    5 * timings.heartbeatTimeoutMs +
    timings.probeAttempts * timings.probeTimeoutMs;
  return noticedMs + Math.max(timings.stopGraceMs, timings.fenceGraceMs);
}
