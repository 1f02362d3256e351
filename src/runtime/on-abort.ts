// Signals that end things, or the wait for them.
import { FailoverError } from '../errors.ts';

/** @throws FAILOVER_REFUSED when it is aborted already: `what` can not be done then */
export function refuseAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted !== true) return;
  throw new FailoverError('FAILOVER_REFUSED', `Cannot ${what}: its signal was aborted`);
}

/** Calls `end` once when it aborts, at once where it has. Returns what forgets it. */
export function onAbort(signal: AbortSignal | undefined, end: () => void): () => void {
  if (signal === undefined) return () => undefined;
  if (signal.aborted) {
    end();
    return () => undefined;
  }
  signal.addEventListener('abort', end, { once: true });
  return () => {
    signal.removeEventListener('abort', end);
  };
}

/**
 * The work's own result, unless the signal aborts before: what was asked for goes on then.
 *
 * @throws the reason of the signal, as an error
 */
export async function unlessAborted<Value>(
  work: Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value> {
  let forget = (): void => undefined;
  const given = new Promise<never>((_, reject) => {
    forget = onAbort(signal, () => {
      const reason: unknown = signal?.reason;
      reject(reason instanceof Error ? reason : new Error(`aborted: ${String(reason)}`));
    });
  });
  try {
    return await Promise.race([work, given]);
  } finally {
    forget();
  }
}
