// Monitors of targets that need no server: their checks answer what the test wants.
import { onTestFinished } from 'vitest';
import type { HealthTarget } from '../../../src/health/health-target.ts';
import { HealthMonitor } from '../../../src/health/monitor.ts';
import type { HealthCheck, HealthMonitorOptions } from '../../../src/health/monitor-options.ts';

/** Longer than a test: only a forced check begins another round. */
export const NEVER_MS = 3_600_000;

export function targets(...ids: readonly string[]): readonly HealthTarget[] {
  return ids.map((id) => ({ id, address: `at ${id}` }));
}

export interface Watched {
  readonly monitor: HealthMonitor;
  /** The ids that were healthy, for each time that it was told. */
  readonly told: readonly string[];
}

/** A monitor, stopped with the test, whose first round has begun. */
export function watch(options: HealthMonitorOptions): Watched {
  const told: string[] = [];
  const monitor = new HealthMonitor({
    ...{ intervalMs: NEVER_MS, onChange: (healthy) => told.push(idsOf(healthy)) },
    ...options,
  });
  onTestFinished(() => monitor.stop());
  monitor.start();
  return { monitor, told };
}

export function idsOf(healthy: readonly HealthTarget[]): string {
  return healthy.map(({ id }) => id).join(' ');
}

/** A check that fails for those that are named at that time, and notes whom it was asked of. */
export function checkOf(failing: ReadonlySet<string>, asked: string[] = []): HealthCheck {
  return ({ id }) => {
    asked.push(id);
    return Promise.resolve(!failing.has(id));
  };
}

export interface HeldCheck {
  readonly check: HealthCheck;
  readonly underWay: () => readonly string[];
  readonly most: () => number;
  readonly finish: (healthy: boolean) => void;
}

/** A check that ends when it is told to, if it was not called off before. */
export function heldCheck(): HeldCheck {
  const ends = new Map<string, (healthy: boolean) => void>();
  let most = 0;
  return {
    check: ({ id }, signal) =>
      new Promise((resolve) => {
        ends.set(id, resolve);
        most = Math.max(most, ends.size);
        signal.addEventListener('abort', () => {
          resolve(false);
        });
      }),
    underWay: () => [...ends.keys()],
    most: () => most,
    finish: (healthy) => {
      for (const end of ends.values()) end(healthy);
      ends.clear();
    },
  };
}
