// `failover events` for people: one line for each, the oldest first.
import type { GroupEvent } from '../commands/events.ts';
import { timeOfDays } from './clock-time.ts';
import { printable } from './plain.ts';
import { table } from './table.ts';

/** `now` says which times are of today. */
export function eventLines(events: readonly GroupEvent[], now: Date): string[] {
  return table(
    events.map(({ time, node, source, action, epoch, reason }) => [
      timeOfDays(new Date(time), now),
      printable(node),
      printable(action),
      String(epoch),
      printable(reason ?? (source === 'server' ? 'at the server' : '')),
    ]),
  );
}
