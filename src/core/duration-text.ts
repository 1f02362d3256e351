// Durations in the words of messages: as they were set, or as they were measured.

/**
 * The shortest exact form, such as `1m30s`, which is how a person writes a setting; `0s` for 0.
 *
 * @param durationMs A whole number of milliseconds, 0 or more; a fraction is rounded.
 */
export function formatDuration(durationMs: number): string {
  let restMs = Math.round(durationMs);
  if (restMs === 0) return '0s';
  let text = '';
  for (const [unit, unitMs] of DURATION_UNITS) {
    const count = Math.floor(restMs / unitMs);
    if (count > 0) text += `${String(count)}${unit}`;
    restMs -= count * unitMs;
  }
  return text;
}

/** Rounded, for what was measured: `8.1 ms`, `340 ms`, `2.5 s`, `1m 32s`, `4d 3h`. */
export function humanMs(durationMs: number): string {
  if (durationMs < 10) return `${String(Math.round(durationMs * 10) / 10)} ms`;
  if (durationMs < 1000) return `${String(Math.round(durationMs))} ms`;
  const seconds = Math.floor(durationMs / 1000);
  if (seconds < 60) return `${(Math.floor(durationMs / 100) / 10).toFixed(1)} s`;
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)];
  if (minutes < 60) return `${String(minutes)}m ${String(seconds % 60)}s`;
  if (hours < 24) return `${String(hours)}h ${String(minutes % 60)}m`;
  return `${String(Math.floor(hours / 24))}d ${String(hours % 24)}h`;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** From large to small, as a duration is written. */
export const DURATION_UNITS: readonly (readonly [unit: string, unitMs: number])[] = [
  ['h', HOUR_MS],
  ['m', MINUTE_MS],
  ['s', SECOND_MS],
  ['ms', 1],
];
