// What signals mean to a process of several groups.
import type { Logger } from '../render/log.ts';
import type { Fleet } from './fleet.ts';
import type { Reloading } from './reloading.ts';

export interface SignalParts {
  readonly fleet: Pick<Fleet, 'stop' | 'size' | 'ended'>;
  readonly reloading: Pick<Reloading, 'reload'>;
  readonly log: Logger;
}

/** The first request to end is graceful, the second is not; what comes after it changes nothing. */
export function obeySignals({ fleet, reloading, log }: SignalParts): void {
  let count = 0;
  let isOver = false;
  void fleet.ended.then(() => {
    isOver = true;
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      count += 1;
      if (count > 2 || isOver) return;
      const groups = fleet.size === 1 ? '1 group' : `${String(fleet.size)} groups`;
      if (count === 1) {
        const reason = `Got ${signal}: stopping ${groups} gracefully. Send it again to kill at once`;
        log.info({ event: 'stopping', reason });
        fleet.stop({ reason: signal });
      } else {
        const reason = `Got ${signal} again: killing what still runs`;
        log.warn({ event: 'stopping', reason });
        fleet.stop({ reason: `${signal}, second time`, immediate: true });
      }
    });
  }
  process.on('SIGHUP', () => {
    if (count === 0 && !isOver) void reloading.reload();
  });
  // Stopped, it would keep every lease that it holds, and be fenced for it.
  process.on('SIGTSTP', () => {
    const reason =
      'SIGTSTP does not suspend a process with several groups: Ctrl-C stops it gracefully';
    log.warn({ event: 'warning', reason });
  });
}
