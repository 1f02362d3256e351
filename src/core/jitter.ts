// Deterministic jitter: the core has no source of chance, so its seed is part of the state.
import type { Common } from './state.ts';
import type { Settings } from './settings.ts';

/** The next number in [0, 1) and the state after it (Marsaglia's xorshift32). */
export function nextRandom(random: number): { readonly value: number; readonly random: number } {
  let x = random | 0;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  return { value: (x >>> 0) / 2 ** 32, random: x >>> 0 };
}

/** The pause before the next attempt: doubling from the minimum to the maximum, times [0.5, 1.5). */
export function retryBackoff(
  state: Pick<Common, 'failures' | 'random'>,
  settings: Settings,
): { readonly delayMs: number; readonly random: number } {
  const doublings = Math.min(Math.max(state.failures - 1, 0), 30);
  const base = Math.min(settings.retryBackoffMaxMs, settings.retryBackoffMinMs * 2 ** doublings);
  const { value, random } = nextRandom(state.random);
  return { delayMs: base * (0.5 + value), random };
}
