// A wait that can be cut short.

/** Resolves after the delay, at once when the signal aborts, if there is one. Never rejects. */
export function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.max(0, delayMs));
    signal?.addEventListener('abort', end);
    if (signal?.aborted === true) end();
  });
}
