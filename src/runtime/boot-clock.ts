// The monotonic clock with the time for which the machine was suspended: a lease on a server ends meanwhile.
import { closeSync, openSync, readSync } from 'node:fs';
import type { Clock } from './ports.ts';
import { monotonicNow, systemClock } from './clock.ts';

/**
 * Milliseconds since boot, suspensions included, never set back, the same for all processes of a machine to
 * within the 10 ms in which the kernel tells it. Where that can't be read it is the monotonic clock.
 */
export class BootClock implements Clock {
  readonly #readUptime: () => number | null;
  readonly #readMonotonic: () => number;
  #suspendedMs = 0;
  #last = 0;

  /** @param readUptime seconds since boot, suspensions included; null: unknown */
  constructor(
    readUptime: () => number | null = uptimeOf('/proc/uptime'),
    readMonotonic: () => number = monotonicNow,
  ) {
    this.#readUptime = readUptime;
    this.#readMonotonic = readMonotonic;
  }

  now(): number {
    const monotonicMs = this.#readMonotonic();
    const uptime = this.#readUptime();
    // What can't be read for once (no descriptor is left, say) is as it was: else this clock would stand still.
    if (uptime !== null) this.#suspendedMs = uptime * 1e3 - monotonicMs;
    const at = monotonicMs + (this.#suspendedMs > RESOLUTION_MS ? this.#suspendedMs : 0);
    this.#last = Math.max(this.#last, at);
    return this.#last;
  }

  /** A timer stands still with the machine: one that fires late finds the right time all the same. */
  wakeAt(atMs: number, callback: () => void): () => void {
    return systemClock.wakeAt(monotonicNow() + Math.max(0, atMs - this.now()), callback);
  }
}

/** Twice what the kernel rounds to. */
const RESOLUTION_MS = 20;

/** Opened anew each time: within a container it may be another file system tomorrow. */
function uptimeOf(path: string): () => number | null {
  const buffer = Buffer.alloc(64);
  return () => {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch {
      return null;
    }
    try {
      const seconds = Number.parseFloat(buffer.toString('latin1', 0, readSync(fd, buffer)));
      return Number.isFinite(seconds) ? seconds : null;
    } catch {
      return null;
    } finally {
      closeSync(fd);
    }
  };
}
