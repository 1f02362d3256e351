// Many checks, a few at a time.
import { setMaxListeners } from 'node:events';
import { CALLED_OFF } from './attempt.ts';
import type { CheckResult } from './check-result.ts';

export interface CheckAllOptions {
  /** How many are under way at most. */
  readonly concurrency: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The results in the order of what was checked. Once the signal aborts those that are under way get one that has, and
 * those that were not begun are cancelled, which is no failure, whatever has called them off.
 */
export async function checkAll<T>(
  targets: readonly T[],
  { concurrency, signal }: CheckAllOptions,
  check: (target: T, signal: AbortSignal) => Promise<CheckResult>,
): Promise<readonly CheckResult[]> {
  const controller = new AbortController();
  // Each check that is under way listens to it.
  setMaxListeners(0, controller.signal);
  const abort = (): void => {
    controller.abort(signal?.reason);
  };
  signal?.addEventListener('abort', abort);
  if (signal?.aborted === true) abort();
  const results: CheckResult[] = [];
  const rest = targets.entries();
  const worker = async (): Promise<void> => {
    // All workers take from the same row.
    for (const [index, target] of rest) {
      results[index] = controller.signal.aborted
        ? { healthy: false, latencyMs: 0, ...CALLED_OFF }
        : await check(target, controller.signal);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, targets.length) }, worker));
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  return results;
}
