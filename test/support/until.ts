// Waits for conditions, so that no test sleeps.
import { setTimeout as delay } from 'node:timers/promises';

type Looked<T> = T | false | null | undefined;

/** Resolves with the first value that is neither false, null, undefined nor ''; fails after `limitMs`. */
export async function until<T>(
  what: string,
  look: () => Looked<T> | Promise<Looked<T>>,
  limitMs = 15_000,
): Promise<T> {
  const untilMs = performance.now() + limitMs;
  for (;;) {
    const looked = look();
    // What is seen at once is told at once: it may pass in a moment.
    const value = looked instanceof Promise ? await looked : looked;
    if (value !== false && value !== null && value !== undefined && value !== '') return value;
    if (performance.now() > untilMs) throw new Error(`Waited in vain for ${what}`);
    await delay(5);
  }
}
