// Waits until what has arrived at this process by now is read.

/** In the turn after the next one: what came in while this turn ran is read at the beginning of the next. */
export function afterReads(callback: () => void): void {
  setImmediate(() => setImmediate(callback));
}
