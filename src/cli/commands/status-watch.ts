// `failover status --watch`: a live view on a terminal, a line for each change anywhere else.
import { setTimeout as wait } from 'node:timers/promises';
import { endOnSignal } from '../end-on-signal.ts';
import { groupStatusOf } from '../group-status.ts';
import type { GroupStatus } from '../group-status.ts';
import { lookAtGroups } from '../groups.ts';
import { statusLine } from '../render/status-text.ts';
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
    const statuses = await look(meant, end);
    if (statuses === null) return;
    const present = new Set(statuses.map(({ group }) => group));
    for (const group of lastByGroup.keys()) if (!present.has(group)) lastByGroup.delete(group);
    for (const status of statuses) tell(status, json, lastByGroup);
    const tookMs = performance.now() - startedAt;
    const pauseMs = Math.max(LOOK_INTERVAL_MS, tookMs);
    await wait(pauseMs, undefined, { signal: end }).catch(() => undefined);
  }
}

/** Null: it was ended before all had been looked at. */
async function look(meant: Meant, end: AbortSignal): Promise<readonly GroupStatus[] | null> {
  if ('search' in meant) {
    const groups = await lookAtGroups(meant.search, end);
    if (end.aborted) return null;
    process.exitCode = exitCodeOfAll(groups);
    return groups.flatMap(({ status }) => status ?? []);
  }
  const status = groupStatusOf(await lookEverywhere(meant.one));
  process.exitCode = exitCodeOf(status);
  return [status];
}

/** One line for each change, so that a log shows what happened and not that time passed. */
function tell(status: GroupStatus, json: boolean, lastByGroup: Map<string, string>): void {
  const change = statusLine(status);
  if (change === lastByGroup.get(status.group)) return;
  lastByGroup.set(status.group, change);
  const text = json ? JSON.stringify(status) : `${new Date().toISOString()} ${change}`;
  process.stdout.write(`${text}\n`);
}
