// What the end of the workload means: start again here, hand over, or be done.
import type { PrimaryState } from './state.ts';
import type { Settings } from './settings.ts';
import { counted } from './counted.ts';
import { formatDuration } from './duration-text.ts';
import { recentStandbys } from './election-order.ts';

export type RestartDecision =
  | { readonly type: 'restart'; readonly restarts: readonly number[] }
  /** Another node should try; this one cools off. */
  | { readonly type: 'step-down'; readonly coolOffMs: number; readonly why: string }
  | { readonly type: 'completed' }
  | { readonly type: 'exit'; readonly exitCode: number };

export interface WorkloadEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** Linux numbers of the signals that end processes, for exit codes 128 + n. */
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGIO: 29,
  SIGPOLL: 29,
  SIGPWR: 30,
  SIGSYS: 31,
};

/** The exit code that a shell gives for this end. */
export function exitCodeOf(end: WorkloadEnd): number {
  if (end.exitCode !== null) return end.exitCode;
  return 128 + (end.signal === null ? 0 : (SIGNAL_NUMBERS[end.signal] ?? 0));
}

export function describeEnd(end: WorkloadEnd): string {
  return end.signal === null
    ? `exit code ${String(end.exitCode ?? 0)}`
    : `signal ${end.signal} (exit code ${String(exitCodeOf(end))})`;
}

/** Whether this end completes the work of the group. */
export function isCompletion({ exitCode }: WorkloadEnd, { restart }: Settings): boolean {
  return restart === 'on-failure' && exitCode === 0;
}

export function decideRestart(
  state: PrimaryState,
  end: WorkloadEnd,
  settings: Settings,
): RestartDecision {
  if (isCompletion(end, settings)) return { type: 'completed' };
  if (settings.restart === 'never') return { type: 'exit', exitCode: exitCodeOf(end) };
  const othersWilling = recentStandbys(state.standbys, state.at, settings).some(
    ({ willing, health }) => willing && health !== 'unhealthy',
  );
  if (settings.standby === 'hot' && othersWilling) {
    return { type: 'step-down', coolOffMs: 0, why: 'a hot standby is faster than a restart' };
  }
  const restarts = recentRestarts(state, settings);
  if (restarts.length < settings.restartLimit) {
    return { type: 'restart', restarts: [...restarts, state.at] };
  }
  const doubled = state.coolOffMs > 0 ? state.coolOffMs * 2 : settings.coolOffMs;
  const coolOffMs = Math.min(doubled, COOL_OFF_LIMIT_MS);
  const why = `${restartsText(restarts.length, settings)}, so this node makes no claim for ${formatDuration(coolOffMs)}`;
  return { type: 'step-down', coolOffMs, why };
}

/** The reason to step down once the limit of restarts is reached. */
export function restartsText(
  count: number,
  { restartLimit, restartWindowMs }: Pick<Settings, 'restartLimit' | 'restartWindowMs'>,
): string {
  if (restartLimit === 0) return 'no restart in place is allowed';
  return `${counted(count, 'restart')} within ${formatDuration(restartWindowMs)}`;
}

/** The restarts that count against the limit now. */
export function recentRestarts(
  { at, restarts }: Pick<PrimaryState, 'at' | 'restarts'>,
  { restartWindowMs }: Settings,
): readonly number[] {
  return restarts.filter((time) => time > at - restartWindowMs);
}

/** The longest cool-off, ms: the doubling ends at an hour. */
const COOL_OFF_LIMIT_MS = 3_600_000;
