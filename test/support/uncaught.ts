// What a test throws on purpose where nobody catches it.
import { onTestFinished } from 'vitest';

/** Takes the uncaught exceptions of the present test to itself: the list grows with each. */
export function uncaught(): readonly unknown[] {
  const thrown: unknown[] = [];
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => thrown.push(error));
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException');
    for (const listener of others) process.on('uncaughtException', listener);
  });
  return thrown;
}
