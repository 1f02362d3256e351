// Pauses and resumes a group: through a node where one answers, else by the durable mark itself.
import { hostname, userInfo } from 'node:os';
import type { ClientOptions } from '../config/load.ts';
import { FailoverError } from '../errors.ts';
import { writePaused } from '../lease/file/markers.ts';
import { openStateDirectory } from '../lease/file/state-directory.ts';
import type { GroupSnapshot } from './client.ts';
import { ask, livingNodes, lookAtGroup, primaryOf } from './client.ts';

/** How long a node may take to write the mark, ms. */
const ANSWER_LIMIT_MS = 2_000;

/** The group as it was found, and whether the mark is another now. */
export interface Pausing {
  readonly before: GroupSnapshot;
  readonly changed: boolean;
}

/**
 * Durable when it resolves. Every node sees the mark, also one that starts later.
 *
 * @throws FAILOVER_STATE_DIR_* when the mark can't be written
 */
export async function setPaused(options: ClientOptions, paused: boolean): Promise<Pausing> {
  const before = await lookAtGroup(options);
  if (before.observation.paused === paused) return { before, changed: false };
  const by = `${userName()}@${hostname()}`;
  if (!(await askNodes(before, paused, by))) writeMark(before, paused, by);
  return { before, changed: true };
}

async function askNodes(before: GroupSnapshot, paused: boolean, by: string): Promise<boolean> {
  const primary = primaryOf(before);
  const answering = livingNodes(before).filter(({ presence }) => presence === 'answers');
  answering.sort((a, b) => Number(b === primary) - Number(a === primary));
  for (const { record } of answering.slice(0, 2)) {
    try {
      const method = paused ? 'instance.pause' : 'instance.resume';
      await ask(record, {
        group: before.group,
        method,
        params: { by },
        timeoutMs: ANSWER_LIMIT_MS,
      });
      return true;
    } catch (error) {
      // Another node does it as well, and so does this process.
      if (!(error instanceof FailoverError)) throw error;
    }
  }
  return false;
}

function writeMark(before: GroupSnapshot, paused: boolean, by: string): void {
  const { stateDir, group } = before;
  writePaused(before.paths ?? openStateDirectory({ stateDir, group }), paused, by);
}

/** A uid without an entry in the user database has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${String(process.getuid?.())}`;
  }
}
