// Waits for conditions, so that no test sleeps.
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves with the first value that is neither false, null, undefined nor ''; fails after `limitMs`. */
export async function until<T>(
  what: string,
  look: () => T | false | null | undefined,
  limitMs = 15_000,
): Promise<T> {
  const untilMs = performance.now() + limitMs;
  for (;;) {
    const value = look();
    if (value !== false && value !== null && value !== undefined && value !== '') return value;
    if (performance.now() > untilMs) throw new Error(`Waited in vain for ${what}`);
    await delay(5);
  }
}
