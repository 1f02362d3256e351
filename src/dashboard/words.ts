// Figures and names as they are shown.

/** `8.1 ms`, `1.2 s`, `3 min`. */
export function shownMs(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${String(Math.round(ms))} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 120_000) return `${String(Math.round(ms / 1000))} s`;
  return `${String(Math.round(ms / 60_000))} min`;
}

/** `42 s`, `3 min`, `5 h`, `2 d`: how long something has gone on. */
export function shownAge(ms: number): string {
  if (ms < 60_000) return `${String(Math.floor(ms / 1000))} s`;
  if (ms < 3_600_000) return `${String(Math.floor(ms / 60_000))} min`;
  if (ms < 172_800_000) return `${String(Math.floor(ms / 3_600_000))} h`;
  return `${String(Math.floor(ms / 86_400_000))} d`;
}

export function timeOfDay(time: number, withSeconds = true): string {
  return new Date(time).toLocaleTimeString(undefined, {
    ...{ hour: '2-digit', minute: '2-digit', hour12: false },
    ...(withSeconds ? { second: '2-digit' } : {}),
  });
}

/** What a node is doing, for the colour of it. */
export type Kind = 'primary' | 'candidate' | 'secondary' | 'doubt' | 'ended';

const KINDS: Readonly<Record<string, Kind>> = {
  ...{ serving: 'primary', restarting: 'primary', demoting: 'primary', primary: 'primary' },
  ...{ acquiring: 'candidate', clearing: 'candidate', starting: 'candidate' },
  ...{ promoting: 'candidate', unwinding: 'candidate', candidate: 'candidate' },
  ...{ suspecting: 'doubt', fencing: 'doubt', waiting: 'doubt', asking: 'doubt' },
  ...{ unresponsive: 'doubt' },
  ...{ stopping: 'ended', stopped: 'ended', gone: 'ended' },
  // What servers of leases note.
  ...{ granted: 'primary', advanced: 'primary', released: 'secondary', joined: 'secondary' },
  ...{ left: 'ended' },
};

/** Noted by servers of leases as well, and no change of what a node is. */
const ASIDE: ReadonlySet<string> = new Set(['completed', 'paused', 'resumed']);

/** Whether a node is something else from then on. */
export function changesNode(word: string): boolean {
  return !ASIDE.has(word);
}

export function kindOf(phase: string): Kind {
  return KINDS[phase] ?? 'secondary';
}
