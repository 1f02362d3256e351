// What of a status counts as a change, for callers that look again and again.
import type { GroupStatus } from './group-status.ts';

/** The same as long as nothing but figures has changed. */
export function markOf(status: GroupStatus): string {
  return JSON.stringify(status, withoutFigures);
}

/** What changes all the time, and is no change of the status. */
const FIGURES: ReadonlySet<string> = new Set([
  ...['lastHeartbeatMs', 'latenessMs', 'uptimeMs', 'since', 'preemptsInMs', 'lastSeenMs'],
  'transport',
]);

function withoutFigures(key: string, value: unknown): unknown {
  return FIGURES.has(key) ? undefined : value;
}
