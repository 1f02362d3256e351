// `failover wait`: blocks until a node has a role, so that a script can go on from there.
import { watch } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { formatDuration } from '../../config/duration.ts';
import type { ClientOptions } from '../../config/load.ts';
import { FailoverError } from '../../errors.ts';
import { livingNodes, lookAtGroup, primaryOf } from '../client.ts';
import type { GroupSnapshot, SeenNode } from '../client.ts';
import { Deadline } from '../deadline.ts';
import { obstacleOf } from '../obstacle.ts';
import type { WantedRole } from '../obstacle.ts';
import { say } from '../say.ts';

export interface WaitOptions extends ClientOptions, WantedRole {
  /** 0: one look. */
  readonly timeoutMs: number;
}

/** A role changes a moment after the file that is watched: looked at again at least this often, ms. */
const LOOK_INTERVAL_MS = 100;

/**
 * Resolves when the role is taken, and says by whom.
 *
 * @throws FAILOVER_TIMED_OUT; FAILOVER_NO_PRIMARY when one look was asked for and there is none
 */
export async function waitFor(options: WaitOptions): Promise<void> {
  const deadline = new Deadline(options.timeoutMs);
  for (;;) {
    const snapshot = await lookAtGroup(options);
    const found = nodeInRole(snapshot, options);
    if (found !== null) {
      const epoch = String(found.status?.epoch ?? snapshot.observation.epoch);
      say(`${found.record.node} is ${options.role} at epoch ${epoch}.`);
      return;
    }
    if (deadline.hasPassed) throw notFound(snapshot, options);
    await change(snapshot, Math.min(LOOK_INTERVAL_MS, deadline.leftMs));
  }
}

/** Who has the role now; an unresponsive node has none that could be relied on. */
export function nodeInRole(snapshot: GroupSnapshot, { role, node }: WantedRole): SeenNode | null {
  const holder = primaryOf(snapshot);
  const found = livingNodes(snapshot).find(({ record, status }) => {
    if (node !== null && record.node !== node) return false;
    if (status?.role !== role) return false;
    // A node that has just started is a secondary for an instant, whatever it becomes: it follows nobody.
    return role === 'secondary' ? status.primary !== null : record.run === holder?.record.run;
  });
  return found ?? null;
}

/** Why it was waited for in vain, with what stands in the way where that is known. */
export function notFound(
  snapshot: GroupSnapshot,
  { role, node, group, timeoutMs }: WaitOptions,
): FailoverError {
  const obstacle = obstacleOf(snapshot, { role, node });
  const options = obstacle === null ? { details: { group } } : { hint: obstacle.hint };
  const because = obstacle === null ? '' : `: ${obstacle.fact}`;
  if (timeoutMs === 0 && role === 'primary') {
    const message = `Cannot find ${node ?? 'a node'} as primary of group ${group}${because}`;
    return new FailoverError('FAILOVER_NO_PRIMARY', message, options);
  }
  const what = node === null ? `no node became ${role}` : `${node} did not become ${role}`;
  const message = `Cannot wait any longer: in group ${group} ${what} within ${formatDuration(timeoutMs)}${because}`;
  return new FailoverError('FAILOVER_TIMED_OUT', message, options);
}

/** Resolves when something in the group's directory changes, or after the time. */
async function change({ paths }: GroupSnapshot, limitMs: number): Promise<void> {
  const changed = new AbortController();
  const abort = (): void => {
    changed.abort();
  };
  const watchers = paths === null ? [] : [paths.directory, paths.epochs, paths.nodes];
  const open = watchers.flatMap((path) => {
    try {
      return watch(path, abort).on('error', abort);
    } catch {
      // The directory is gone or there are no more watches: the time alone decides.
      return [];
    }
  });
  await wait(limitMs, undefined, { signal: changed.signal }).catch(() => undefined);
  for (const watcher of open) watcher.close();
}
