// Who belongs to a session: whatever a started command forked, in whatever process group it is now.
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { Index, KeptLook, looksAreShared } from './shared-look.ts';
import type { ProcessIdentity } from '../lease/lease-store.ts';
import { hiddenLeader, isHidden } from './hidden-processes.ts';
import { newSince, readNewestPid } from './newest-pid.ts';
import {
  hasEnded,
  hasKnownStart,
  isComparable,
  parseStat,
  procIsUsable,
  readStat,
  readStatInto,
  STAT_LENGTH,
} from './process-identity.ts';
import type { ProcessStat } from './process-identity.ts';

/** The pids of the live members of each session; a session without any is absent. */
export function listSessionMembers(sessionIds: ReadonlySet<number>): Map<number, number[]> {
  const pids = new Map<number, number[]>();
  for (const [session, members] of scanSessions(sessionIds)) {
    pids.set(
      session,
      members.map((member) => member.pid),
    );
  }
  return pids;
}

/**
 * As `listSessionMembers`, with what one scan of /proc/<pid>/stat says of each member. No zombies.
 *
 * A scan lists the processes and then reads each: one that forks and ends in between would hide its
 * child. So what was forked meanwhile is read too, until nothing was or it happened repeatedly.
 *
 * Where /proc hides the processes of other users, a session of these alone looks empty: the kernel is asked
 * then, and one member stands for all of them.
 */
export function scanSessions(sessionIds: ReadonlySet<number>): Map<number, ProcessStat[]> {
  const found = new Map<number, ProcessStat[]>();
  if (sessionIds.size === 0 || !procIsUsable()) return found;
  if (looksAreShared()) {
    keptSessions.refresh();
    const pids = [...sessionIds].flatMap((session) => [
      session,
      ...keptMembers.of([String(session)]),
    ]);
    for (const pid of new Set(pids)) addIfMember(found, sessionIds, pid);
    return withHidden(found, sessionIds);
  }
  let newest = readNewestPid();
  const since = newest === null ? newSince() : null;
  const before = seenSessions;
  seenSessions = new Map();
  for (const name of readdirSync('/proc')) {
    const first = name.charCodeAt(0);
    if (first < 0x30 || first > 0x39) continue;
    const pid = Number(name);
    const seen = before.get(pid);
    if (seen === undefined || !isStranger(pid, seen, sessionIds))
      addIfMember(found, sessionIds, pid);
    else seenSessions.set(pid, seen);
  }
  for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
    if (since !== null) {
      for (const pid of since()) addIfMember(found, sessionIds, pid);
      continue;
    }
    const latest = readNewestPid();
    if (latest === null || newest === null || latest === newest) break;
    // Pids go up, and round: then the few smallest are the new ones.
    const from = latest > newest ? newest + 1 : 1;
    for (let pid = from; pid <= latest; pid += 1) addIfMember(found, sessionIds, pid);
    newest = latest;
  }
  return withHidden(found, sessionIds);
}

function withHidden(
  found: Map<number, ProcessStat[]>,
  sessionIds: ReadonlySet<number>,
): Map<number, ProcessStat[]> {
  for (const session of sessionIds) {
    const leader = found.has(session) ? null : hiddenLeader(session);
    if (leader !== null) found.set(session, [leader]);
  }
  return found;
}

/**
 * Where many nodes look: all processes by their session, once for all. Nothing joins a session that exists but what is
 * forked in it, and that has a higher pid than all that were seen.
 */
const keptMembers = new Index<number>();
const keptSessions = new KeptLook({
  seeAll: () => {
    keptMembers.clear();
    for (const name of readdirSync('/proc')) {
      const first = name.charCodeAt(0);
      if (first >= 0x30 && first <= 0x39) seeSession(Number(name));
    }
  },
  see: seeSession,
  seeAgain: seeSession,
  limitMs: 10_000,
});

function seeSession(pid: number): boolean {
  const length = readStatInto(scanBuffer, pid);
  if (length > 0) keptMembers.add(String(readSession(length)), pid);
  return length > 0;
}

/** On a machine that forks all the time: more than this, one after the other, hide nothing. */
const MOST_LOOKS = 3;

/** A process as the last scan saw it. */
interface SeenSession {
  /** The inode of its directory in /proc: another process with the same pid has another. */
  readonly inode: number;
  readonly session: number;
}

/** By pid. The stat of a process costs the kernel ten times what its inode does, and a takeover waits. */
let seenSessions = new Map<number, SeenSession>();

/**
 * Whether it is the very process that was seen in a session of no interest: it can't be in one of these
 * now. Nothing joins a session that exists; what leaves its own begins one that has its own number.
 */
function isStranger(pid: number, seen: SeenSession, sessionIds: ReadonlySet<number>): boolean {
  return !sessionIds.has(pid) && !sessionIds.has(seen.session) && inodeOf(pid) === seen.inode;
}

function inodeOf(pid: number): number | undefined {
  try {
    return lstatSync(`/proc/${String(pid)}`, { throwIfNoEntry: false })?.ino;
  } catch {
    return undefined;
  }
}

function addIfMember(
  found: Map<number, ProcessStat[]>,
  sessionIds: ReadonlySet<number>,
  pid: number,
): void {
  // Before its stat: should another process get the pid between the two, the next scan sees that.
  const inode = inodeOf(pid);
  const length = readStatInto(scanBuffer, pid);
  if (length === 0) return;
  const session = readSession(length);
  if (inode !== undefined && !looksAreShared()) seenSessions.set(pid, { inode, session });
  if (!sessionIds.has(session)) return;
  const stat = parseStat(scanBuffer.toString('latin1', 0, length));
  if (stat === null || hasEnded(stat)) return;
  const members = found.get(stat.session);
  if (members === undefined) found.set(stat.session, [stat]);
  else if (!members.some((member) => member.pid === stat.pid)) members.push(stat);
}

/**
 * What the processes with a recorded session's number are:
 * - `same`: members of the recorded session.
 * - `other`: strangers; the number went to them after the recorded session had ended.
 * - `unproved`: the leader is gone and its pid, with it the number, may have been given out again.
 *
 * While any member lives the kernel gives the number to nobody. So a leader that is there with another
 * start time, or a member older than the leader, shows that the recorded session is over; and one
 * member that started too soon after the leader for all pids to have been used up proves all of them.
 */
export function compareSession(
  leader: ProcessIdentity,
  members: readonly ProcessStat[],
): 'same' | 'other' | 'unproved' {
  if (!isComparable(leader)) return 'other';
  if (members.some(isHidden)) return 'unproved';
  // The start may be unknown: the leader had ended before it was looked at.
  if (!hasKnownStart(leader)) return 'unproved';
  // A zombie is no member, but it keeps its pid from others all the same.
  const present = members.find((member) => member.pid === leader.pid) ?? readStat(leader.pid);
  if (present !== null) return present.startTime === leader.startTime ? 'same' : 'other';
  const agesAfterLeader = members.map(
    (member) => Number(member.startTime) - Number(leader.startTime),
  );
  const oldest = Math.min(...agesAfterLeader);
  if (oldest < 0) return 'other';
  return oldest < soonestReuseTicks() ? 'same' : 'unproved';
}

const scanBuffer = Buffer.allocUnsafe(STAT_LENGTH);

/** The sixth field without a string for the line: state, parent, group and then the session. */
function readSession(length: number): number {
  let at = scanBuffer.lastIndexOf(CLOSING_BRACKET, length - 1) + 1;
  for (let spaces = 0; spaces < 4 && at < length; at += 1) {
    if (scanBuffer[at] === SPACE) spaces += 1;
  }
  let session = 0;
  for (; at < length; at += 1) {
    const digit = (scanBuffer[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    session = session * 10 + digit;
  }
  return session;
}

const CLOSING_BRACKET = 0x29;
const SPACE = 0x20;

/** More forks a second, threads included, than a whole machine manages for long. */
const MOST_FORKS_PER_SECOND = 50_000;

/** USER_HZ, the unit of start times: 100 on every architecture that Node.js runs on. */
const TICKS_PER_SECOND = 100;

/**
 * How long after a pid was given out it can be given out again, at the earliest: the kernel hands pids
 * out in rising order, so all others come first. Never, on a boot that has forked less often than that.
 */
function soonestReuseTicks(): number {
  try {
    const pids = Number(readFileSync('/proc/sys/kernel/pid_max', 'latin1'));
    const forks = Number(/^processes (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1]);
    return forks < pids ? Infinity : (pids / MOST_FORKS_PER_SECOND) * TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}
