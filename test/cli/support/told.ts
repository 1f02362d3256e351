// Events as nodes and servers tell them, made up.
import { withDurations } from '../../../src/cli/timeline/event.ts';
import type { GroupEvent, Strand } from '../../../src/cli/timeline/event.ts';

/** When everything here begins. */
export const BEGIN: number = Date.parse('2026-03-01T12:00:00.000Z');

/** What a run has told: after so many ms which phase, under which epoch. */
export function strand(
  node: string,
  moves: readonly (readonly [afterMs: number, phase: string, epoch: number])[],
  change: Partial<GroupEvent> = {},
): Strand {
  const run = change.run ?? `run-${node}`;
  const events = moves.map(([afterMs, action, epoch], place): GroupEvent => {
    return {
      time: new Date(BEGIN + afterMs).toISOString(),
      ...{ node, source: 'node', action, epoch, reason: `${node} is ${action}`, via: 'node', run },
      from: moves[place - 1]?.[1] ?? 'listening',
      ...{ fromMs: null, durationMs: null, takeover: null },
      ...change,
    };
  });
  return { key: run, events: withDurations(events) };
}
