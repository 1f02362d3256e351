// Who lives in the sessions that we recorded, each process with what identifies it.
import { isAlive, procIsUsable } from '../fence/process-identity.ts';
import { isFresh, isStillOurs } from '../fence/own-sessions.ts';
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

/**
 * The numbers of those of these sessions, in which `livingMembers` has just found nobody, that are empty
 * indeed, or over: not of one that may be a stranger's, or may be ours.
 */
export function emptySessions(records: readonly SessionRecord[]): readonly number[] {
  const doubted = records.filter((record) => !isFresh(record));
  const sessions = scanSessions(new Set(doubted.map((record) => record.process.pid)));
  return records
    .map((record) => record.process)
    .filter((leader) => {
      const members = sessions.get(leader.pid);
      return members === undefined || compareSession(leader, members) === 'other';
    })
    .map(({ pid }) => pid);
}

function look(records: readonly SessionRecord[]): readonly Member[] {
  const sessions = scanSessions(new Set(records.map((record) => record.process.pid)));
  return records.flatMap((record) => {
    const members = sessions.get(record.process.pid) ?? [];
    if (members.length === 0 || !isStillOurs(record, members)) return [];
    return members.map(({ pid, startTime, session }) => ({ pid, startTime, session }));
  });
}

/** Where there is no /proc only the first processes can be followed. */
function livingLeaders(records: readonly SessionRecord[]): readonly Member[] {
  return records
    .filter((record) => isAlive(record.process))
    .map(({ process: { pid, startTime } }) => ({ pid, startTime, session: pid }));
}
