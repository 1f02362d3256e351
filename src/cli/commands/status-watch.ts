// `failover status --watch`: a live view on a terminal, a line for each change anywhere else.
import { setTimeout as wait } from 'node:timers/promises';
import { endOnSignal } from '../end-on-signal.ts';
import { groupStatusOf } from '../group-status.ts';
import { lookAtGroups } from '../groups.ts';
import type { SeenGroup } from '../groups.ts';
import { printable } from '../render/plain.ts';
import { statusLine } from '../render/status-text.ts';
import { markOf } from '../status-mark.ts';
import { lookEverywhere } from '../store-sight.ts';
import { exitCodeOf, exitCodeOfAll } from './status.ts';
import type { Meant } from './status.ts';

const LOOK_INTERVAL_MS = 500;

/** Shows it until SIGINT, SIGTERM or SIGHUP; the exit code is that of the last look. */
export async function watchStatus(meant: Meant, json: boolean): Promise<void> {
  const end = endOnSignal();
  if (isLively(process.stdout) && !json) {
    const { showLive } = await import('../watch/live-view.ts');
    await showLive(meant, end);
  } else await printChanges(meant, json, end.signal);
}

/** Some terminals say that they have no rows, others that they can't be steered: nothing could be redrawn there. */
function isLively({ isTTY, rows, columns }: typeof process.stdout): boolean {
  return isTTY && rows > 0 && columns > 0 && process.env['TERM'] !== 'dumb';
}

async function printChanges(meant: Meant, json: boolean, end: AbortSignal): Promise<void> {
  const lastByGroup = new Map<string, string>();
  while (!end.aborted) {
    const startedAt = performance.now();
    const groups = await look(meant, end);
    if (groups === null) return;
    const present = new Set(groups.map(({ group }) => group));
    for (const group of lastByGroup.keys()) if (!present.has(group)) lastByGroup.delete(group);
    for (const seen of groups) tell(seen, json, lastByGroup);
    const tookMs = performance.now() - startedAt;
    const pauseMs = Math.max(LOOK_INTERVAL_MS, tookMs);
    await wait(pauseMs, undefined, { signal: end }).catch(() => undefined);
  }
}

/** Null: it was ended before all had been looked at. */
async function look(meant: Meant, end: AbortSignal): Promise<readonly SeenGroup[] | null> {
  if ('search' in meant) {
    const groups = await lookAtGroups(meant.search, end);
    if (end.aborted) return null;
    process.exitCode = exitCodeOfAll(groups);
    return groups;
  }
  const status = groupStatusOf(await lookEverywhere(meant.one));
  process.exitCode = exitCodeOf(status);
  return [{ group: status.group, status, problem: null }];
}

/** One line for each change, so that a log shows what happened and not that time passed. */
function tell(seen: SeenGroup, json: boolean, lastByGroup: Map<string, string>): void {
  const { group, status, problem } = seen;
  const line = status === null ? `${group}: ${printable(problem)}` : statusLine(status);
  const change = json && status !== null ? markOf(status) : line;
  if (change === lastByGroup.get(group)) return;
  lastByGroup.set(group, change);
  // As in the list of all of them.
  const told = status ?? { v: 1, group, problem };
  const text = json ? JSON.stringify(told) : `${new Date().toISOString()} ${line}`;
  process.stdout.write(`${text}\n`);
}
