// Whether a process was started by this very life of a node: its environment says so, and its age allows it.
import { hasKnownStart } from './process-identity.ts';
import type { ProcessStat } from './process-identity.ts';
import { readMark } from './process-view.ts';
import type { GroupMark } from './process-view.ts';

/** By what a process is known as started by a node, whatever session it is in. */
export interface Starter extends GroupMark {
  readonly node: string;
  /** When the supervisor started, clock ticks since boot. */
  readonly since: string;
}

/** What is older than the supervisor is of an earlier life of the same node id. */
export function isStartedBy(
  { pid, startTime }: Pick<ProcessStat, 'pid' | 'startTime'>,
  starter: Starter,
): boolean {
  // Of one that /proc hides, or that nobody could look at, the age is not known.
  if (!hasKnownStart({ startTime }) || !hasKnownStart({ startTime: starter.since })) return false;
  if (BigInt(startTime) < BigInt(starter.since)) return false;
  return readMark(pid, starter)?.node === starter.node;
}
