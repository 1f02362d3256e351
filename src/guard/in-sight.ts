// What a guard knows of the sessions that it would have to end: it keeps them in sight, so that it can tell then whose
// they are.
import { adoptSight, noteSession, noteStarter, sightOf } from '../fence/own-sessions.ts';
import { readStat } from '../fence/process-identity.ts';
import type { Starter } from '../fence/started-by.ts';
import type { ProcessIdentity, SessionRecord } from '../lease/lease-store.ts';
import { emptySessions, livingMembers } from '../workload/living-members.ts';
import type { NamedSession } from './messages.ts';

/** The session of a process that a guard has started just now. */
export function ownSession(process: ProcessIdentity, starter: Starter): SessionRecord {
  const rules = { active: true, keep: false, stopsWithSupervisor: false };
  const record: SessionRecord = { process, kind: 'workload', ...rules };
  noteSession(record);
  noteStarter(record, starter);
  return record;
}

/** What a supervisor says of its sessions, with what it has seen of them. */
export function named(sessions: readonly SessionRecord[]): readonly NamedSession[] {
  return sessions.map((record) => {
    const sight = sightOf(record);
    return sight === null ? record : { ...record, sight };
  });
}

/** The sessions that were named now: of one that was named before what is known of it stays known. */
export function takeNamed(
  sessions: readonly NamedSession[],
  before: readonly SessionRecord[],
  starter: Starter | null,
): readonly SessionRecord[] {
  return sessions.map(({ sight, ...record }) => {
    const known = before.find((each) => isSameSession(each, record)) ?? record;
    if (starter !== null) noteStarter(known, starter);
    if (sight !== undefined) adoptSight(known, sight);
    return known;
  });
}

/** One look: for who is there now may be known by it when all others have gone. A few ms where a first process is gone. */
export function keepInSight(sessions: readonly SessionRecord[]): void {
  try {
    const leaderless = sessions.filter((record) => {
      if (!isThere(record.process)) return true;
      noteSession(record);
      return false;
    });
    livingMembers(leaderless);
  } catch {
    // Nothing was left to look with: the next look may have it.
  }
}

/**
 * Whether these, in which nobody was found just now, are empty: not where somebody is left who may be a stranger and may
 * be theirs.
 */
export function areEmpty(sessions: readonly SessionRecord[]): boolean {
  try {
    return emptySessions(sessions).length === sessions.length;
  } catch {
    // Nothing was left to look with.
    return false;
  }
}

function isSameSession({ process: a }: SessionRecord, { process: b }: SessionRecord): boolean {
  return a.pid === b.pid && a.startTime === b.startTime;
}

/** Also as a zombie: its number is nobody else's. */
function isThere({ pid, startTime }: SessionRecord['process']): boolean {
  return readStat(pid)?.startTime === startTime;
}
