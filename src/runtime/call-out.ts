// Calls what a program gave to be called: listeners, and callbacks that nobody waits for.

/** What it throws is not lost, an uncaught exception a moment later, and breaks off nothing of who calls. */
export function callOut(callback: () => unknown): void {
  try {
    callback();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
