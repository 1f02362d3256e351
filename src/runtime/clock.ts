// The monotonic clock of the machine: comparable between its processes, never set back.
import type { Clock } from './ports.ts';

/** The longest a timer of Node can wait, ms; a longer one fires at once. */
export const TIMER_LIMIT_MS: number = 2 ** 31 - 1;

/** Milliseconds since boot (CLOCK_MONOTONIC), with fractions. */
export function monotonicNow(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

export const systemClock: Clock = {
  now: monotonicNow,
  wakeAt(atMs, callback) {
    const delayMs = Math.min(Math.max(0, Math.ceil(atMs - monotonicNow())), TIMER_LIMIT_MS);
    const timer = setTimeout(callback, delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
};
