// Who lives in the sessions that we recorded, each process with what identifies it.
import { isAlive, procIsUsable } from '../fence/process-identity.ts';
import { compareSession, scanSessions } from '../fence/session-members.ts';
import type { SessionRecord } from '../lease/lease-store.ts';

export interface Member {
  readonly pid: number;
  /** Clock ticks since boot, as text. */
  readonly startTime: string;
  /** The session it is in: the pid of its recorded first process. */
  readonly session: number;
}

/**
 * The living members of these sessions of our own, whatever process group they moved to. One look at
 * all processes (about 1 ms for a hundred); none when there is no session to look for.
 */
export function livingMembers(records: readonly SessionRecord[]): readonly Member[] {
  if (records.length === 0) return [];
  return procIsUsable() ? look(records) : livingLeaders(records);
}

function look(records: readonly SessionRecord[]): readonly Member[] {
  const sessions = scanSessions(new Set(records.map((record) => record.process.pid)));
  return records.flatMap(({ process: leader }) => {
    const members = sessions.get(leader.pid) ?? [];
    // Unproved counts as ours: we are the parent and look right after the leader's end, before its
    // number can have gone round. That it is another's session is then the case that has to be shown.
    if (members.length === 0 || compareSession(leader, members) === 'other') return [];
    return members.map(({ pid, startTime, session }) => ({ pid, startTime, session }));
  });
}

/** Where there is no /proc only the first processes can be followed. */
function livingLeaders(records: readonly SessionRecord[]): readonly Member[] {
  return records
    .filter((record) => isAlive(record.process))
    .map(({ process: { pid, startTime } }) => ({ pid, startTime, session: pid }));
}
